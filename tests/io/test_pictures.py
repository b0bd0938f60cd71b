"""What PNG and JPEG files hold is known before they are decoded."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.images import read_image
from napari_denoise_ae.io.source import open_image, open_volume

RGB = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)


def decoding_fails(*_: object) -> None:
    raise AssertionError("the pixels were read")


@pytest.mark.parametrize("transparency", [False, True])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_the_header_of_a_png_says_what_is_decoded(tmp_path, mode, transparency):
    color = (1, 2, 3) if mode == "RGB" else 3
    options = {"transparency": color} if transparency and "A" not in mode else {}
    Image.fromarray(RGB).convert(mode).save(tmp_path / "a.png", **options)
    decoded = imagecodecs.png_decode((tmp_path / "a.png").read_bytes())
    stored = open_image(tmp_path / "a.png")
    assert (stored.shape, stored.dtype) == (decoded.shape, decoded.dtype)
    np.testing.assert_array_equal(stored.array[...], decoded)


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 2), (9, 7, 3), (9, 7, 4)])
def test_the_header_of_a_png_of_16_bits_says_what_is_decoded(tmp_path, shape):
    image = np.random.default_rng(0).integers(0, 2**16, shape, dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(image))
    stored = open_image(tmp_path / "a.png")
    assert (stored.shape, stored.dtype) == (shape, np.uint16)
    np.testing.assert_array_equal(stored.array[...], image)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_header_of_a_jpeg_says_what_is_decoded(tmp_path, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(RGB).convert(mode)
    picture.save(tmp_path / "a.jpg", exif=exif)
    stored = open_image(tmp_path / "a.jpg")
    assert stored.shape == stored.array[...].shape
    assert stored.shape[:2] == ((9, 7) if orientation < 5 else (7, 9))


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_nothing_is_decoded_before_pixels_are_asked_for(tmp_path, monkeypatch, name):
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


def test_a_png_that_holds_something_else_than_it_says_is_refused(tmp_path, monkeypatch):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    monkeypatch.setattr(imagecodecs, "png_decode", lambda _: RGB[:5])
    with pytest.raises(
        InvalidInputError, match=r"it holds \(5, 7, 3\), not \(9, 7, 3\)"
    ):
        read_image(tmp_path / "a.png")
