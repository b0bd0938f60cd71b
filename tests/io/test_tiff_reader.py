"""TIFF files with peculiarities of their own; see test_images for the rest."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.images import ImageFile, read_image, write_image
from napari_denoise_ae.io.limits import VARIABLE
from napari_denoise_ae.io.source import open_volume

NAMES = ("a.ome.tif", "b.ome.tif")

OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{own}">
<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"
SizeX="50" SizeY="40" SizeZ="1" SizeC="1" SizeT="{n_planes}" PhysicalSizeX="0.5">
<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{planes}</Pixels></Image></OME>"""

PLANE = """<TiffData FirstT="{number}" IFD="{page}" PlaneCount="1">
<UUID FileName="{name}">urn:uuid:{name}</UUID></TiffData>"""


def stack_of(n_planes: int) -> np.ndarray:
    rng = np.random.default_rng(n_planes)
    return rng.integers(0, 2**16, (n_planes, 40, 50), dtype=np.uint16)


def write_ome_tiffs(folder, where, **options) -> np.ndarray:
    """Write one series to two files; `where` gives file and page of each plane.

    Pages that no plane refers to hold zeros.
    """
    stack = stack_of(len(where))
    planes = "".join(
        PLANE.format(number=number, page=page, name=NAMES[file])
        for number, (file, page) in enumerate(where)
    )
    for file, name in enumerate(NAMES):
        own = [page for number, page in where if number == file]
        text = OME.format(own=name, n_planes=len(where), planes=planes)
        with tifffile.TiffWriter(folder / name, ome=False) as writer:
            for page in range(max(own, default=0) + 1):
                known = (file, page) in where
                pixels = stack[where.index((file, page))] if known else 0 * stack[0]
                writer.write(
                    pixels,
                    description=text if page == 0 else None,
                    metadata=None,
                    contiguous=False,
                    **options,
                )
    return stack


def read_by_planes(path) -> np.ndarray:
    volume = open_volume(path)
    everything = slice(0, 40), slice(0, 50)
    return np.concatenate(
        [volume.read((plane,), everything) for plane in range(volume.shape[0])]
    )


# One file shorter than the other, in either order; all planes in the other file; and a
# plane at the same offset in the other file as it would have in this one.
LAYOUTS = {
    "short first": [(0, 0), (1, 0), (1, 1), (1, 2)],
    "short last": [(0, 0), (0, 1), (0, 2), (1, 0)],
    "by turns": [(0, 0), (1, 0), (0, 1), (1, 1)],
    "elsewhere": [(1, 0), (1, 1)],
    "in line": [(0, 0), (1, 1)],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("name", NAMES)
def test_a_series_in_several_files_can_be_opened_from_each(
    tmp_path, layout, compression, name
):
    stack = write_ome_tiffs(tmp_path, LAYOUTS[layout], compression=compression)
    np.testing.assert_array_equal(read_image(tmp_path / name).pixels, stack)
    np.testing.assert_array_equal(read_by_planes(tmp_path / name), stack)
    assert open_volume(tmp_path / name).units == {"X": "micrometer"}


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("broken", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_the_error_names_the_truncated_file(tmp_path, name, broken, compression):
    write_ome_tiffs(tmp_path, LAYOUTS["by turns"], compression=compression)
    path = tmp_path / NAMES[broken]
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        page = tiff.pages[1]
        page.tags["StripOffsets"].overwrite(path.stat().st_size - 100)
    missing = "it" if name == NAMES[broken] else NAMES[broken]
    for read in (read_image, open_volume):
        with pytest.raises(InvalidInputError, match=f": {missing} ends before its"):
            read(tmp_path / name)


def test_a_missing_file_of_a_series_is_an_error(tmp_path):
    write_ome_tiffs(tmp_path, LAYOUTS["by turns"])
    (tmp_path / "b.ome.tif").unlink()
    for read in (read_image, open_volume):
        with pytest.raises(
            InvalidInputError, match=r"its planes in 'b.ome.tif' are missing"
        ):
            read(tmp_path / "a.ome.tif")


def test_files_of_a_series_in_another_folder_are_not_read(tmp_path, monkeypatch):
    stack = write_ome_tiffs(tmp_path, LAYOUTS["by turns"])
    (tmp_path / "in").mkdir()
    moved = tmp_path / "in" / "a.ome.tif"
    content = (tmp_path / "a.ome.tif").read_bytes()
    # The lengths are equal, as the offsets in the file demand.
    old = b'<UUID FileName="b.ome.tif">urn:uuid:b.ome.tif</UUID>'
    new = b'<UUID FileName="../b.ome.tif">urn:b.ome.tif</UUID>  '
    moved.write_bytes(content.replace(old, new))
    for read in (read_image, open_volume):
        with pytest.raises(InvalidInputError, match=f"outside its folder.*{VARIABLE}"):
            read(moved)
    monkeypatch.setenv(VARIABLE, "off")
    np.testing.assert_array_equal(read_image(moved).pixels, stack)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_pixels_have_native_byte_order(tmp_path, compression, byteorder):
    image = stack_of(1)[0]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, image, byteorder=byteorder, compression=compression)
    part = open_volume(path).read((), (slice(0, 40), slice(0, 50)))
    for read in (read_image(path).pixels, part):
        assert read.dtype == np.uint16
        assert read.dtype.isnative
        np.testing.assert_array_equal(read, image)


def pixels(dtype: str, *shape: int) -> np.ndarray:
    values = np.random.default_rng(0).random(shape)
    if np.issubdtype(dtype, np.integer):
        values = values * np.iinfo(dtype).max
    return values.astype(dtype)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_every_compression_and_byte_order_is_read(tmp_path, compression, byteorder):
    image = pixels("uint16", 40, 33)
    tifffile.imwrite(
        tmp_path / "a.tif", image, byteorder=byteorder, compression=compression
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, image)
    write_image(
        tmp_path / "a.png", ImageFile(read_image(tmp_path / "a.tif").pixels, "YX")
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, image)


def test_an_array_of_unknown_axes_has_none(tmp_path):
    image = pixels("uint8", 4, 9, 7)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="minisblack")
    read = read_image(tmp_path / "a.tif")
    assert (read.pixels.shape, read.axes) == ((4, 9, 7), None)


@pytest.mark.parametrize("kind", ["imagej", "ome", "pages", "shaped"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
def test_a_truncated_stack_is_rejected(tmp_path, kind, share):
    """A truncated TIFF can lose its list of pages without an error."""
    path = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    stack = pixels("uint16", 6, 20, 30)
    if kind == "pages":
        with tifffile.TiffWriter(path) as writer:
            for page in stack:
                writer.write(page, metadata=None, contiguous=False)
    else:
        tifffile.imwrite(path, stack, imagej=kind == "imagej", metadata={"axes": "ZYX"})
    np.testing.assert_array_equal(read_image(path).pixels, stack)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InvalidInputError, match="Cannot read"):
        read_image(path)


def test_a_series_is_compared_with_the_size_of_all_its_files(tmp_path, monkeypatch):
    # Each of the files alone would be too small for the pixels of both.
    monkeypatch.setattr("napari_denoise_ae.io.limits._HARMLESS", 1000)
    monkeypatch.setattr("napari_denoise_ae.io.limits._MOST_FOR_A_BYTE", 1)
    write_ome_tiffs(tmp_path, LAYOUTS["by turns"])
    assert open_volume(tmp_path / "a.ome.tif").shape == (4, 40, 50)
