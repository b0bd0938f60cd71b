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
from napari_denoise_ae.io.source import open_volume

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
    assert read.axes is None
    np.testing.assert_array_equal(read.pixels, image)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".TIFF"])
def test_what_is_written_can_be_read_by_others(tmp_path, suffix):
    image = pixels("uint8", 9, 7, 3)
    path = tmp_path / f"a{suffix}"
    write_image(path, ImageFile(image, "YXS"))
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), image)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
@pytest.mark.parametrize("shape", [(16, 24), (16, 24, 3)])
def test_jpeg_round_trip_is_close(tmp_path, shape, suffix):
    y, x = np.mgrid[:16, :24]
    image = np.stack([8 * y + x, 10 * x, 200 - 3 * y], axis=-1).astype(np.uint8)
    image = image if len(shape) == 3 else image[..., 0]
    path = tmp_path / f"a{suffix}"
    write_image(path, ImageFile(image, AXES[len(shape)]))
    read = read_image(path).pixels
    assert (read.shape, read.dtype) == (shape, np.uint8)
    assert np.abs(read.astype(int) - image).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_upright(tmp_path, orientation):
    image = np.zeros((16, 32), dtype=np.uint8)
    image[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image).save(tmp_path / "a.jpg", exif=exif, quality=95)
    read = read_image(tmp_path / "a.jpg").pixels
    upright = {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: image.T,
        6: image.T[:, ::-1],
        7: image.T[::-1, ::-1],
        8: image.T[::-1],
    }[orientation]
    assert read.shape == upright.shape
    assert np.abs(read.astype(int) - upright).mean() < 5


TIFF_DTYPES = [
    "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "float16", "float32", "float64",
]  # fmt: skip


@pytest.mark.parametrize("dtype", TIFF_DTYPES)
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((9, 7), "YX"),
        ((9, 7, 3), "YXS"),
        ((9, 7, 4), "YXS"),
        ((3, 9, 7), "SYX"),
        ((5, 9, 7), "ZYX"),
        ((2, 9, 7), "CYX"),
        ((2, 3, 9, 7), "TCYX"),
        ((2, 9, 7, 3), "TYXS"),
        ((2, 3, 9, 7), "TSYX"),
        ((9, 7, 2), "YXC"),
        ((7, 9), "XY"),
        ((1, 1), "YX"),
    ],
)
def test_tiff_round_trip(tmp_path, dtype, shape, axes):
    image = pixels(dtype, *shape)
    write_image(tmp_path / "a.tif", ImageFile(image, axes))
    read = read_image(tmp_path / "a.tif")
    assert (read.pixels.dtype, read.axes) == (dtype, axes)
    np.testing.assert_array_equal(read.pixels, image)


@pytest.mark.parametrize("calibration", [{}, {"metadata": {"unit": "um"}}])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int16"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2, 3, 9, 7), "TCYX"),
        ((2, 3, 9, 7), "CTYX"),
        ((9, 7), "XY"),
        ((9, 7, 2), "YXC"),
        ((9, 7, 3), "YXS"),
        ((3, 9, 7), "SYX"),
        ((9, 3, 7), "YSX"),
        ((3, 2, 9, 7), "SZYX"),
        ((9, 7, 3, 2), "YXSZ"),
        ((2, 9, 7, 3), "ZYXS"),
    ],
)
def test_any_axes_can_be_written_beside_any_calibration(
    tmp_path, shape, axes, dtype, calibration
):
    """Pixels and their shape come back, whatever ImageJ's format allows."""
    image = pixels(dtype, *shape)
    write_image(tmp_path / "a.tif", ImageFile(image, axes, calibration))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, image)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((9, 7), "YX"),
        ((9, 7, 3), "YXS"),
        ((3, 9, 7), "SYX"),
        ((2, 3, 9, 7), "CTYX"),
        ((2, 3, 4, 9, 7), "TZCYX"),
        ((2, 5, 9, 7, 3), "TCYXS"),
        ((2, 3, 9, 7), "TSYX"),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint32", "float64"])
def test_a_file_named_like_an_ome_tiff_is_one(tmp_path, shape, axes, dtype):
    image = pixels(dtype, *shape)
    path = tmp_path / "a.ome.tif"
    calibration = {"metadata": {"unit": "um"}}
    ome = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}
    write_image(path, ImageFile(image, axes, calibration, "denoised", ome))
    with tifffile.TiffFile(path) as tiff:
        assert tiff.is_ome
        assert tiff.series[0].axes == axes
        assert 'PhysicalSizeX="0.5"' in tiff.ome_metadata
        assert "denoised" in tiff.ome_metadata
        np.testing.assert_array_equal(tiff.asarray(), image)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_calibration_of_imagej_is_kept(tmp_path, dtype):
    image = pixels(dtype, 5, 9, 7)
    metadata = {
        "axes": "ZYX",
        "unit": "um",
        "zunit": "nm",
        "tunit": "ms",
        "spacing": 0.5,
        "finterval": 0.1,
    }
    tifffile.imwrite(
        tmp_path / "a.tif",
        image,
        imagej=True,
        resolution=(4.0, 2.0),
        metadata=metadata,
    )
    read = read_image(tmp_path / "a.tif")
    assert read.axes == "ZYX"
    write_image(tmp_path / "b.tif", ImageFile(read.pixels, read.axes, read.calibration))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.is_imagej
        kept = {key: tiff.imagej_metadata[key] for key in metadata if key != "axes"}
        assert {**kept, "axes": "ZYX"} == metadata
        assert tiff.pages[0].resolution == (4.0, 2.0)
        np.testing.assert_array_equal(tiff.asarray(), image)


def test_a_unit_that_is_not_ascii_is_written_as_imagej_does(tmp_path):
    """tifffile would fail after all the work."""
    calibration = {"resolution": (4.0, 2.0), "metadata": {"unit": "µm"}}
    write_image(tmp_path / "a.tif", ImageFile(pixels("uint8", 9, 7), "YX", calibration))
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert "unit=\\u00b5m" in tiff.pages[0].description
    assert open_volume(tmp_path / "a.tif").units == dict.fromkeys("YX", "micrometer")


def test_the_resolution_of_a_plain_tiff_is_kept(tmp_path):
    image = pixels("uint16", 9, 7)
    tifffile.imwrite(
        tmp_path / "a.tif", image, resolution=(300, 300), resolutionunit="INCH"
    )
    read = read_image(tmp_path / "a.tif")
    write_image(tmp_path / "b.tif", ImageFile(read.pixels, "YX", read.calibration))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.pages[0].resolution == (300, 300)
        assert tiff.pages[0].resolutionunit == tifffile.RESUNIT.INCH


@pytest.mark.parametrize("calibration", [{}, {"metadata": {"unit": "um"}}])
def test_provenance_is_stored_in_a_tiff(tmp_path, calibration):
    image = ImageFile(pixels("uint16", 9, 7), "YX", calibration, "denoised with conv")
    write_image(tmp_path / "a.tif", image)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert "denoised with conv" in str(tiff.imagej_metadata or tiff.shaped_metadata)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_tiff_of_any_kind_is_read(tmp_path, compression, byteorder):
    image = pixels("uint16", 40, 33)
    tifffile.imwrite(
        tmp_path / "a.tif", image, byteorder=byteorder, compression=compression
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels, image)
    write_image(
        tmp_path / "a.png", ImageFile(read_image(tmp_path / "a.tif").pixels, "YX")
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, image)


def test_pages_without_a_meaning_have_no_axes(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in pixels("uint8", 4, 9, 7):
            writer.write(page, metadata=None, contiguous=False)
    read = read_image(tmp_path / "a.tif")
    assert (read.pixels.shape, read.axes) == ((4, 9, 7), None)


@pytest.mark.parametrize(
    ("mode", "shape"), [("P", (9, 7, 3)), ("1", (9, 7)), ("LA", (9, 7, 2))]
)
def test_other_kinds_of_png_are_read_as_bytes(tmp_path, mode, shape):
    picture = Image.fromarray(pixels("uint8", 9, 7, 3)).convert(mode)
    picture.save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png").pixels
    assert (read.shape, read.dtype) == (shape, np.uint8)


# --- what cannot be read ---------------------------------------------------


def write_example(path) -> None:
    image = ImageFile(pixels("uint8", 40, 30, 3), "YXS")
    write_image(path, image)


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "almost", "first"])
@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_a_damaged_file_is_refused_and_named(tmp_path, suffix, damage):
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


@pytest.mark.parametrize("kind", ["imagej", "ome", "pages", "shaped"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
def test_a_truncated_stack_is_refused_and_not_cut_short(tmp_path, kind, share):
    """With its end, a TIFF can lose the list of its pages, unnoticed."""
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


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {".jpeg", ".tiff"}))
def test_a_changed_file_is_read_or_refused(tmp_path, suffix, seed, caplog):
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


def test_a_file_that_claims_to_be_huge_is_refused(tmp_path):
    """What it claims is more than any memory; nothing of it is allocated."""
    image = np.zeros((8, 8), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image, compression="zlib", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as tiff:
        for tag in ("ImageWidth", "ImageLength"):
            tiff.pages[0].tags[tag].overwrite(2**22 + 8)
    with pytest.raises(InvalidInputError, match="Cannot read"):
        read_image(tmp_path / "a.tif")


def test_a_damaged_file_is_not_commented_on_by_libraries(tmp_path, caplog, capfd):
    """The error says it; a log beside it on the terminal does not help."""
    path = tmp_path / "a.tif"
    stack = pixels("uint16", 6, 20, 30)
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "ZYX"})
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InvalidInputError):
        read_image(path)
    assert capfd.readouterr() == ("", "")


def test_a_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"missing\.png: it does not exist"):
        read_image(tmp_path / "missing.png")


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "folder.tif").mkdir()
    with pytest.raises(InvalidInputError, match=r"folder\.tif: it is not a file"):
        read_image(tmp_path / "folder.tif")


def test_a_name_that_is_too_long_is_an_error(tmp_path):
    with pytest.raises(InvalidInputError, match="Cannot read"):
        read_image(tmp_path / ("a" * 300 + ".png"))


@pytest.mark.parametrize("name", ["a", "a.bmp", "a.npy", "png"])
def test_an_unknown_suffix_lists_the_known(tmp_path, name):
    with pytest.raises(InvalidInputError, match=r"\.jpeg, \.jpg, \.png, \.tif, \.tiff"):
        read_image(tmp_path / name)


def test_a_jpeg_that_is_neither_gray_nor_rgb_is_refused(tmp_path):
    Image.fromarray(pixels("uint8", 9, 7, 4), "CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(InvalidInputError, match="CMYK, not gray or RGB"):
        read_image(tmp_path / "a.jpg")


def test_a_file_that_may_not_be_read_is_an_error(tmp_path, monkeypatch):
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    write_example(tmp_path / "a.png")
    monkeypatch.setattr(imagecodecs, "png_decode", deny)
    with pytest.raises(InvalidInputError, match="Permission denied"):
        read_image(tmp_path / "a.png")


# --- what cannot be written ------------------------------------------------


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "axes", "words"),
    [
        ("a.png", "float32", (9, 7), "YX", r"float32\. Write a \.tif"),
        ("a.png", "int16", (9, 7), "YX", r"int16\. Write a \.tif"),
        ("a.jpg", "uint16", (9, 7), "YX", r"uint16\. Write a \.tif"),
        ("a.jpg", "uint8", (9, 7, 4), "YXS", r"\(9, 7, 4\).*Write a \.tif"),
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
def test_a_format_that_cannot_hold_an_image_is_refused_with_advice(
    tmp_path, name, dtype, shape, axes, words
):
    image = pixels(dtype, *shape)
    with pytest.raises(InvalidInputError, match=words):
        require_storable(tmp_path / name, image, axes)
    with pytest.raises(InvalidInputError, match=words):
        write_image(tmp_path / name, ImageFile(image, axes))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_a_full_disk_leaves_the_old_file(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"a{suffix}"
    path.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_example(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
