"""PNG, JPEG and WebP files are decoded only when their pixels are read."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.images import ImageFile, read_image, write_image
from napari_denoise_ae.io.source import open_image, open_volume

RGB = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)


def decoding_fails(*_: object) -> None:
    raise AssertionError("the pixels were read")


@pytest.mark.parametrize("transparency", [False, True])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_header_gives_the_decoded_shape_and_dtype(tmp_path, mode, transparency):
    color = (1, 2, 3) if mode == "RGB" else 3
    options = {"transparency": color} if transparency and "A" not in mode else {}
    Image.fromarray(RGB).convert(mode).save(tmp_path / "a.png", **options)
    decoded = imagecodecs.png_decode((tmp_path / "a.png").read_bytes())
    stored = open_image(tmp_path / "a.png")
    assert (stored.shape, stored.dtype) == (decoded.shape, decoded.dtype)
    np.testing.assert_array_equal(stored.array[...], decoded)


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 2), (9, 7, 3), (9, 7, 4)])
def test_a_16_bit_png_header_gives_the_decoded_shape_and_dtype(tmp_path, shape):
    image = np.random.default_rng(0).integers(0, 2**16, shape, dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(image))
    stored = open_image(tmp_path / "a.png")
    assert (stored.shape, stored.dtype) == (shape, np.uint16)
    np.testing.assert_array_equal(stored.array[...], image)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_header_gives_the_decoded_shape_and_dtype(tmp_path, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(RGB).convert(mode)
    picture.save(tmp_path / "a.jpg", exif=exif)
    stored = open_image(tmp_path / "a.jpg")
    assert stored.shape == stored.array[...].shape
    assert stored.shape[:2] == ((9, 7) if orientation < 5 else (7, 9))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_header_gives_the_decoded_shape(tmp_path, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(RGB).convert(mode)
    picture.putpixel((0, 0), (1, 2, 3, 4)[: len(mode)])
    picture.save(tmp_path / "a.webp", exif=exif)
    stored = open_image(tmp_path / "a.webp")
    assert stored.shape == stored.array[...].shape
    assert stored.shape[:2] == ((9, 7) if orientation < 5 else (7, 9))
    assert stored.shape[2] == len(mode)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_opening_a_picture_does_not_decode_it(tmp_path, monkeypatch, name):
    Image.fromarray(RGB).save(tmp_path / name)
    volume = open_volume(tmp_path / name)
    monkeypatch.setattr(imagecodecs, "png_decode", decoding_fails)
    monkeypatch.setattr(Image.Image, "load", decoding_fails)
    assert open_volume(tmp_path / name).shape == (9, 7, 3)
    with pytest.raises(InvalidInputError, match="the pixels were read"):
        volume.read((), (slice(0, 9), slice(0, 7)))


def test_a_picture_is_decoded_once(tmp_path, monkeypatch):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    volume = open_volume(tmp_path / "a.png")
    top = volume.read((), (slice(0, 4), slice(0, 7)))
    monkeypatch.setattr(imagecodecs, "png_decode", decoding_fails)
    bottom = volume.read((), (slice(4, 9), slice(0, 7)))
    np.testing.assert_array_equal(np.concatenate([top, bottom]), RGB)


def test_a_png_that_contradicts_its_header_is_rejected(tmp_path, monkeypatch):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    monkeypatch.setattr(imagecodecs, "png_decode", lambda _: RGB[:5])
    with pytest.raises(
        InvalidInputError, match=r"have shape \(5, 7, 3\), its header says \(9,"
    ):
        read_image(tmp_path / "a.png")


AXES = {2: "YX", 3: "YXS"}


def pixels(dtype: str, *shape: int) -> np.ndarray:
    values = np.random.default_rng(0).random(shape)
    if np.issubdtype(dtype, np.integer):
        values = values * np.iinfo(dtype).max
    return values.astype(dtype)


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


@pytest.mark.parametrize("n_samples", [3, 4])
def test_webp_is_written_without_loss(tmp_path, n_samples):
    image = pixels("uint8", 16, 24, n_samples)
    path = tmp_path / "a.webp"
    write_image(path, ImageFile(image, "YXS"))
    assert path.read_bytes()[8:12] == b"WEBP"
    np.testing.assert_array_equal(read_image(path).pixels, image)


def test_an_animated_webp_is_a_stack_of_frames(tmp_path):
    stack = pixels("uint8", 3, 9, 7, 3)
    first, *others = map(Image.fromarray, stack)
    options = {"save_all": True, "append_images": others, "lossless": True}
    first.save(tmp_path / "a.webp", **options)
    read = read_image(tmp_path / "a.webp")
    assert read.axes == "TYXS"
    np.testing.assert_array_equal(read.pixels, stack)


def test_webp_keeps_the_color_profile_and_exif_data(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "cells"
    profile = b"a color profile"
    Image.fromarray(RGB).save(tmp_path / "a.webp", exif=exif, icc_profile=profile)
    metadata = open_image(tmp_path / "a.webp").picture
    write_image(tmp_path / "b.webp", ImageFile(RGB, "YXS", picture=metadata))
    written = open_image(tmp_path / "b.webp").picture
    assert written.icc == metadata.icc == profile
    assert written.exif == metadata.exif
    assert b"cells" in written.exif


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_rotated_by_its_exif_orientation(tmp_path, orientation):
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


@pytest.mark.parametrize(
    ("mode", "shape"), [("P", (9, 7, 3)), ("1", (9, 7)), ("LA", (9, 7, 2))]
)
def test_other_color_types_of_png_are_read_as_8_bit(tmp_path, mode, shape):
    picture = Image.fromarray(pixels("uint8", 9, 7, 3)).convert(mode)
    picture.save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png").pixels
    assert (read.shape, read.dtype) == (shape, np.uint8)


def test_a_jpeg_that_is_neither_gray_nor_rgb_is_rejected(tmp_path):
    Image.fromarray(pixels("uint8", 9, 7, 4), "CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(InvalidInputError, match="CMYK, not gray or RGB"):
        read_image(tmp_path / "a.jpg")
