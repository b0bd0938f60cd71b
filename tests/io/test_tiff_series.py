"""A TIFF may hold several images, or several pages of one."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.images import read_image
from napari_denoise_ae.io.source import open_image, open_volume

PAGES = np.random.default_rng(0).integers(0, 256, (5, 20, 24), dtype=np.uint8)
COMPRESSIONS = pytest.mark.parametrize("compression", [None, "zlib"])


def append(path, images, **options) -> None:
    for image in images:
        tifffile.imwrite(
            path,
            image,
            append=path.exists(),
            photometric="minisblack",
            **options,
        )


@COMPRESSIONS
@pytest.mark.parametrize("metadata", [{}, None])
def test_appended_pages_of_one_shape_are_frames(tmp_path, metadata, compression):
    path = tmp_path / "a.tif"
    append(path, PAGES, metadata=metadata, compression=compression)
    volume = open_volume(path)
    assert volume.axes == "TYX"
    np.testing.assert_array_equal(volume.array[...], PAGES)
    part = volume.read((3,), (slice(2, 9), slice(4, 20)))
    np.testing.assert_array_equal(part, PAGES[3:4, 2:9, 4:20])
    assert "what its 5 pages are" in volume.notes[0]
    assert open_volume(path, "ZYX").notes == ()


@COMPRESSIONS
def test_appended_stacks_are_joined_along_their_axis(tmp_path, compression):
    path, options = tmp_path / "a.tif", {"metadata": {"axes": "ZYX"}}
    append(path, [PAGES[:2], PAGES[2:]], compression=compression, **options)
    volume = open_volume(path)
    assert (volume.axes, volume.notes) == ("ZYX", ())
    np.testing.assert_array_equal(volume.array[...], PAGES)
    part = (slice(1, 4), slice(2, 9), slice(4, 20))
    np.testing.assert_array_equal(volume.read_part(part), PAGES[part])


@pytest.mark.parametrize("thumbnail_first", [True, False])
@COMPRESSIONS
def test_the_largest_of_several_shapes_is_read(tmp_path, thumbnail_first, compression):
    images = [PAGES[0, :10, :12], PAGES[1]]
    images = images if thumbnail_first else images[::-1]
    append(tmp_path / "a.tif", images, compression=compression)
    stored = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(stored.array[...], PAGES[1])
    number = int(thumbnail_first)
    assert f"Only series {number}, the largest, is read" in stored.notes[0]
    for series, image in enumerate(images):
        volume = open_volume(tmp_path / "a.tif", series=series)
        np.testing.assert_array_equal(volume.array[...], image)
        assert (volume.series, volume.notes) == (series, ())


def test_positions_of_an_ome_tiff_are_not_joined(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        for size, page in enumerate(PAGES[:2]):
            writer.write(page, metadata={"axes": "YX", "PhysicalSizeX": 1.0 + size})
    stored = open_image(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(stored.array[...], PAGES[0])
    assert "holds 2 series" in stored.notes[0]
    second = open_volume(tmp_path / "a.ome.tif", series=1)
    np.testing.assert_array_equal(second.array[...], PAGES[1])
    assert second.scale["X"] == 2.0


@pytest.mark.parametrize("number", [-1, 2])
def test_a_series_that_is_not_there_is_an_error(tmp_path, number):
    append(tmp_path / "a.tif", [PAGES[0], PAGES[1, :5]])
    with pytest.raises(InvalidInputError, match=f"has no series {number}: it holds 2"):
        open_volume(tmp_path / "a.tif", series=number)


def test_other_formats_have_no_series(tmp_path):
    with pytest.raises(InvalidInputError, match="holds no series"):
        open_image(tmp_path / "a.png", series=1)


@pytest.mark.parametrize("options", [{}, {"tile": (16, 16)}])
@COMPRESSIONS
def test_the_largest_level_of_a_pyramid_is_read(tmp_path, options, compression):
    image = np.random.default_rng(0).integers(0, 4096, (3, 64, 48), dtype=np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        options = {**options, "compression": compression}
        writer.write(image, subifds=2, metadata={"axes": "ZYX"}, **options)
        for step in (2, 4):
            writer.write(image[:, ::step, ::step], subfiletype=1, **options)
    volume = open_volume(tmp_path / "a.ome.tif")
    assert (volume.axes, volume.n_levels) == ("ZYX", 3)
    part = volume.read((1,), (slice(5, 40), slice(17, 33)))
    np.testing.assert_array_equal(part, image[1:2, 5:40, 17:33])
    np.testing.assert_array_equal(read_image(tmp_path / "a.ome.tif").pixels, image)
