"""An OME-Zarr may hold several images, and a JPEG several pictures."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from PIL import Image
from stored_stacks import image_of, write_zarr

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.source import open_volume

IMAGES = [image_of(shape) for shape in ((16, 20), (32, 24), (8, 8))]
PHOTOS = [image_of((16, 16 * n, 3), "uint8") for n in (1, 2)]


@pytest.mark.parametrize("listed", [True, False])
def test_an_image_of_several_is_chosen(listed, tmp_path):
    path = tmp_path / "a.zarr"
    group = zarr.create_group(path, attributes={"ome": {"bioformats2raw.layout": 3}})
    if listed:
        series = {"ome": {"series": ["0", "1", "2"]}}
        group.create_group("OME", attributes=series)
    for number, image in enumerate(IMAGES):
        write_zarr(path / str(number), image, "YX")
    volume = open_volume(path)
    np.testing.assert_array_equal(volume.read_part((slice(None),) * 2), IMAGES[1])
    assert "3 images: 0 (16 x 20), 1 (32 x 24), 2 (8 x 8)" in volume.notes[0]
    volume = open_volume(path, series=2)
    np.testing.assert_array_equal(volume.read_part((slice(None),) * 2), IMAGES[2])
    assert volume.notes == ()
    for where, number, held in ((path, 3, "3 images"), (path / "1", 1, "1 image:")):
        with pytest.raises(InvalidInputError, match=f"no series {number}.*{held}"):
            open_volume(where, series=number)


def test_a_picture_of_several_is_chosen(tmp_path):
    first, second = (Image.fromarray(photo) for photo in PHOTOS)
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    volume = open_volume(tmp_path / "a.jpg")
    assert volume.shape == PHOTOS[0].shape
    assert "2 pictures. Only the first is read" in volume.notes[0]
    volume = open_volume(tmp_path / "a.jpg", series=1)
    assert (volume.shape, volume.notes) == (PHOTOS[1].shape, ())
    assert volume.read_part((slice(None),) * 3).shape == PHOTOS[1].shape
    with pytest.raises(InvalidInputError, match="no series 2: it holds 2 pictures"):
        open_volume(tmp_path / "a.jpg", series=2)
