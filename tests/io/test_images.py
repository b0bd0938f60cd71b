from __future__ import annotations

import errno
import os
from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_denoise_ae.errors import InvalidInputError, OutputError
from napari_denoise_ae.io.images import (
    SUFFIXES,
    ImageFile,
    read_image,
    require_storable,
    write_image,
)

AXES = {2: "YX", 3: "YXS"}


def pixels(dtype: str, *shape: int) -> np.ndarray:
    values = np.random.default_rng(0).random(shape)
    if np.issubdtype(dtype, np.integer):
        values = values * np.iinfo(dtype).max
    return values.astype(dtype)


# --- round trips -----------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3), (9, 7, 4), (1, 1)])
def test_png_round_trip(tmp_path, dtype, shape):
    image = pixels(dtype, *shape)
    write_image(tmp_path / "a.png", ImageFile(image, AXES[len(shape)]))
    read = read_image(tmp_path / "a.png")
    assert read.pixels.dtype == dtype
    assert read.axes == AXES[len(shape)]
    np.testing.assert_array_equal(read.pixels, image)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".TIFF"])
def test_other_programs_can_read_the_files(tmp_path, suffix):
    image = pixels("uint8", 9, 7, 3)
    path = tmp_path / f"a{suffix}"
    write_image(path, ImageFile(image, "YXS"))
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), image)


# --- unreadable files -------------------------------------------------------


def write_example(path) -> None:
    image = ImageFile(pixels("uint8", 40, 30, 3), "YXS")
    write_image(path, image)


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "almost", "first"])
@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_the_error_names_a_damaged_file(tmp_path, suffix, damage):
    path = tmp_path / f"a{suffix}"
    write_example(path)
    content = path.read_bytes()
    damaged = {
        "empty": b"",
        "text": b"This is no image.\n" * 20,
        "truncated": content[: len(content) // 2],
        "almost": content[: int(0.9 * len(content))],
        "first": content[:4],
    }[damage]
    path.write_bytes(damaged)
    with pytest.raises(InvalidInputError) as caught:
        read_image(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {".jpeg", ".tiff"}))
def test_a_corrupted_file_is_read_or_rejected(tmp_path, suffix, seed, caplog):
    path = tmp_path / f"a{suffix}"
    write_example(path)
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for position in rng.integers(0, 300, 5):
        content[position] = rng.integers(256)
    path.write_bytes(content)
    read = None
    with suppress(InvalidInputError):
        read = read_image(path)
    assert read is None or isinstance(read.pixels, np.ndarray)


def test_a_header_with_a_huge_size_is_rejected(tmp_path):
    """The size exceeds any memory; it must not be allocated."""
    image = np.zeros((8, 8), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image, compression="zlib", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        for tag in ("ImageWidth", "ImageLength"):
            tiff.pages[0].tags[tag].overwrite(2**22 + 8)
    with pytest.raises(InvalidInputError, match="Cannot read"):
        read_image(tmp_path / "a.tif")


def test_libraries_log_nothing_about_a_damaged_file(tmp_path, caplog, capfd):
    """The error is enough; log messages in the terminal would only confuse."""
    path = tmp_path / "a.tif"
    stack = pixels("uint16", 6, 20, 30)
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZYX"})
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InvalidInputError):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_the_error_names_a_missing_file(tmp_path):
    with pytest.raises(InvalidInputError, match=r"missing\.png: it does not exist"):
        read_image(tmp_path / "missing.png")


def test_a_folder_is_rejected(tmp_path):
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(InvalidInputError, match=r"folder\.tif: it is not a file"):
        read_image(tmp_path / "folder.tif")


def test_a_name_that_is_too_long_is_an_error(tmp_path):
    with pytest.raises(InvalidInputError, match="Cannot read"):
        read_image(tmp_path / ("a" * 300 + ".png"))


@pytest.mark.parametrize("name", ["a", "a.bmp", "a.npz", "png"])
def test_the_error_for_an_unknown_suffix_lists_the_known_ones(tmp_path, name):
    known = r"\.jpeg, \.jpg, .*\.png, .*\.tif, \.tiff, .*\.webp"
    with pytest.raises(InvalidInputError, match=known):
        read_image(tmp_path / name)


def test_a_file_without_read_permission_is_an_error(tmp_path, monkeypatch):
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    write_example(tmp_path / "a.png")
    monkeypatch.setattr(imagecodecs, "png_decode", deny)
    with pytest.raises(InvalidInputError, match="Permission denied"):
        read_image(tmp_path / "a.png")


# --- images that cannot be written ------------------------------------------


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "axes", "message"),
    [
        ("a.png", "float32", (9, 7), "YX", r"float32\. Write a \.tif"),
        ("a.png", "int16", (9, 7), "YX", r"int16\. Write a \.tif"),
        ("a.jpg", "uint16", (9, 7), "YX", r"uint16\. Write a \.tif"),
        ("a.jpg", "uint8", (9, 7, 4), "YXS", r"\(9, 7, 4\).*Write a \.tif"),
        ("a.webp", "uint16", (9, 7, 3), "YXS", r"WEBP stores uint8,"),
        ("a.webp", "uint8", (9, 7), "YX", r"YX\. Write a \.tif"),
        ("a.webp", "uint8", (16_384, 1, 3), "YXS", r"16384.*Write a \.tif"),
        ("a.png", "uint8", (5, 9, 7), "ZYX", r"ZYX\. Write a \.tif"),
        ("a.png", "uint8", (3, 9, 7), "SYX", r"SYX\. Write a \.tif"),
        ("a.ome.tif", "float16", (9, 7), "YX", r"float16.*Write a \.tif"),
        ("a.ome.tif", "uint64", (9, 7), "YX", r"uint64.*Write a \.tif"),
        ("a.ome.tif", "uint8", (9, 7), "XY", r"XY.*Write a \.tif"),
        ("a.ome.tif", "uint8", (9, 7, 2), "YXC", r"YXC.*Write a \.tif"),
        ("a.OME.TIFF", "uint8", (3, 5, 9, 7), "SZYX", r"SZYX.*Write a \.tif"),
        ("a.bmp", "uint8", (9, 7), "YX", "must end in one of"),
        ("a", "uint8", (9, 7), "YX", "must end in one of"),
    ],
)
def test_an_unsuitable_format_is_rejected_with_advice(
    tmp_path, name, dtype, shape, axes, message
):
    image = pixels(dtype, *shape)
    with pytest.raises(InvalidInputError, match=message):
        require_storable(tmp_path / name, image.shape, image.dtype, axes)
    with pytest.raises(InvalidInputError, match=message):
        write_image(tmp_path / name, ImageFile(image, axes))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_a_full_disk_keeps_the_old_file(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_example(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
