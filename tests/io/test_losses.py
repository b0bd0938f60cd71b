from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_denoise_ae.io.losses import find_losses
from napari_denoise_ae.io.picture_metadata import PictureMetadata
from napari_denoise_ae.io.stored import StoredImage

PIXELS = np.zeros((4, 5), np.uint8)
MAP = np.zeros((3, 256), np.uint16)


@pytest.mark.parametrize(
    ("name", "dtype", "kept"),
    [
        ("a.tif", "uint8", True),
        ("a.tif", "float32", False),
        ("a.png", "uint8", False),
        ("a.zarr", "uint8", False),
    ],
)
def test_a_color_map_that_is_lost_is_named(name, dtype, kept):
    image = StoredImage(array=PIXELS, axes="YX", picture=PictureMetadata(color_map=MAP))
    losses = find_losses(Path(name), image, np.dtype(dtype))
    assert bool(losses) != kept
    assert all(f"{name} cannot hold the image's color map" in text for text in losses)


def test_webp_loses_the_pixel_size_only():
    picture = PictureMetadata(icc=b"profile", exif=b"data")
    scale, units = {"X": 1e-6, "Y": 1e-6}, {"X": "meter", "Y": "meter"}
    colors = np.zeros((4, 5, 3), np.uint8)
    image = StoredImage(
        array=colors, axes="YXS", picture=picture, scale=scale, units=units
    )
    losses = find_losses(Path("a.webp"), image, np.dtype("uint8"))
    assert losses == ["a.webp cannot hold the image's pixel size."]
