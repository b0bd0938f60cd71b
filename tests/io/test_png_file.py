"""Chunks of PNG files; test_pictures compares the header with the decoded image."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_denoise_ae.io.picture_metadata import PictureMetadata
from napari_denoise_ae.io.png_file import holds_density, read_header, write_png

RGB = np.random.default_rng(0).integers(0, 2**16, (9, 7, 3), dtype=np.uint16)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_metadata_are_read_back_with_the_pixels(tmp_path, samples, dtype):
    image = np.dstack([RGB, RGB])[..., :samples].astype(dtype).squeeze()
    metadata = PictureMetadata(icc=b"profile" * 9, exif=b"II*\0", png_chunks=())
    write_png(tmp_path / "a.png", image, metadata, (2000.0, 3000.0))
    content = (tmp_path / "a.png").read_bytes()
    np.testing.assert_array_equal(imagecodecs.png_decode(content), image)
    header = read_header(io.BytesIO(content))
    assert (header.icc, header.find(b"eXIf")) == (b"profile" * 9, b"II*\0")
    assert header.density == (2000.0, 3000.0)
    assert (header.shape, header.n_frames) == (image.shape, 1)


@pytest.mark.parametrize("density", [None, (0.1, 0.1), (2.0**31, 5.0)])
def test_a_density_that_a_png_cannot_hold_is_left_out(tmp_path, density):
    write_png(tmp_path / "a.png", RGB, PictureMetadata(), density)
    with (tmp_path / "a.png").open("rb") as file:
        assert read_header(file).density is None
    assert density is None or not holds_density(density)


def test_an_aspect_ratio_is_no_density():
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(buffer, "PNG", dpi=(72, 72))
    content = bytearray(buffer.getvalue())
    unit = content.index(b"pHYs") + 12
    content[unit] = 0
    assert read_header(io.BytesIO(bytes(content))).density is None
