"""The planes of a file are those of the array in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
import zarr

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.planes import ArrayPlanes, plane_indices
from napari_denoise_ae.io import planes as io_planes
from napari_denoise_ae.io.images import ImageFile, write_image
from napari_denoise_ae.io.planes import StoredPlanes, VolumePlanes
from napari_denoise_ae.io.source import open_volume

if TYPE_CHECKING:
    from pathlib import Path

REGION = (slice(2, 6), slice(1, 4))


def stored(path: Path, image: np.ndarray) -> Path:
    if path.suffix == ".zarr":
        zarr.save_array(str(path), image)
    elif path.suffix == ".png":
        write_image(path, ImageFile(image, "YX" if image.ndim == 2 else "YXS"))
    else:
        tifffile.imwrite(path, image, photometric="minisblack", compression=path.stem)
    return path


@pytest.mark.parametrize("name", ["a.zarr", "none.tif", "zlib.tif"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [((7, 9), "YX"), ((7, 9, 4), "YXS"), ((2, 7, 3, 9), "CYTX"), ((9, 3, 7), "XSY")],
)
def test_planes_of_files_are_those_of_the_array(shape, axes, name, tmp_path):
    image = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    volume = open_volume(stored(tmp_path / name, image), axes)
    expected = ArrayPlanes.of(image, axes)
    for planes in (VolumePlanes(volume), StoredPlanes.of(volume)):
        assert planes.axes == expected.axes
        assert planes.shape == expected.shape
        assert planes.dtype == expected.dtype
        for plane in plane_indices(expected):
            part = planes.read(plane, REGION)
            np.testing.assert_array_equal(part, expected.read(plane, REGION))


def test_a_picture_is_read_without_alpha(tmp_path):
    image = np.arange(7 * 9 * 4, dtype=np.uint8).reshape(7, 9, 4)
    planes = StoredPlanes.of(open_volume(stored(tmp_path / "a.png", image)))
    np.testing.assert_array_equal(planes.read((), REGION), image[2:6, 1:4, :3])


def test_few_files_are_kept_open(tmp_path):
    image = np.zeros((3, 7, 9), np.uint16)
    sources = [
        StoredPlanes.of(open_volume(stored(tmp_path / f"{n}.zarr", image), "TYX"))
        for n in range(20)
    ]
    for planes in sources:
        planes.read((0,), REGION)
    cache = io_planes._opened.cache_info()
    assert cache.currsize == cache.maxsize < len(sources)


def test_a_changed_file_is_opened_again(tmp_path):
    path = tmp_path / "none.tif"
    planes = StoredPlanes.of(open_volume(stored(path, np.zeros((7, 9), np.uint8))))
    assert planes.read((), REGION).max() == 0
    stored(tmp_path / "zlib.tif", np.ones((7, 9), np.uint8)).replace(path)
    assert planes.read((), REGION).min() == 1


@pytest.mark.parametrize("name", ["none.tif", "a.png"])
def test_a_file_that_is_removed_is_named(name, tmp_path):
    path = stored(tmp_path / name, np.zeros((7, 9), np.uint8))
    planes = StoredPlanes.of(open_volume(path))
    path.unlink()
    with pytest.raises(InvalidInputError, match=f"Cannot read .*{name} any more: "):
        planes.read((), REGION)
