"""EXIF data of a TIFF; that they reach other formats is tested in files/test_kept."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_denoise_ae.io.picture_metadata import without_prefix
from napari_denoise_ae.io.tiff_exif import append_exif, exif_tags, read_tiff_exif

IMAGE = np.zeros((5, 6, 3), np.uint16)


def example() -> bytes:
    exif = Image.Exif()
    exif[272] = "Camera"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:28 08:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    return without_prefix(exif.tobytes())


def write(path, *, big: bool, byteorder: str = "<") -> None:
    tifffile.imwrite(
        path,
        IMAGE,
        photometric="rgb",
        bigtiff=big,
        byteorder=byteorder,
        extratags=exif_tags(example(), big=big),
    )
    append_exif(path, example())


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_exif_data_of_16_bit_colors_are_read_back(tmp_path, byteorder):
    write(tmp_path / "a.tif", big=False, byteorder=byteorder)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        page = tiff.pages.first
        assert page.tags[34665].value["DateTimeOriginal"] == "2026:11:28 08:00:00"
        content = Image.Exif()
        content.load(read_tiff_exif(tmp_path / "a.tif", page))
        np.testing.assert_array_equal(tiff.asarray(), IMAGE)
    assert content[272] == "Camera"
    assert content.get_ifd(0x8769)[0x9003] == "2026:11:28 08:00:00"
    assert content.get_ifd(0x8825)[1] == "N"


def test_a_bigtiff_keeps_the_texts(tmp_path):
    write(tmp_path / "a.tif", big=True)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        exif = read_tiff_exif(tmp_path / "a.tif", tiff.pages.first)
    content = Image.Exif()
    content.load(exif)
    assert dict(content) == {272: "Camera"}


def test_an_image_without_exif_data_gets_no_tags(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", IMAGE, photometric="rgb")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert read_tiff_exif(tmp_path / "a.tif", tiff.pages.first) == b""
    assert exif_tags(b"", big=False) == []
