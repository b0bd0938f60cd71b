"""Whether results lack what is named, and only that: files/test_sixteen_ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_denoise_ae.io.channels import Channel
from napari_denoise_ae.io.losses import find_losses
from napari_denoise_ae.io.picture_metadata import PictureMetadata
from napari_denoise_ae.io.stored import StoredImage

STACK = np.zeros((2, 3, 8, 9), np.uint16)
CHANNELS = tuple(
    Channel(name=name, color="00FF00", window=(5.0, 50.0)) for name in "abc"
)
EVERYTHING = StoredImage(
    array=STACK,
    axes="ZCYX",
    scale=dict.fromkeys("ZYX", 0.1),
    units=dict.fromkeys("ZYX", "micrometer"),
    channels=CHANNELS,
    labels=tuple("abcdef"),
)


@pytest.mark.parametrize(
    ("name", "dtype", "lost"),
    [
        ("a.tif", "uint16", ""),
        ("a.ome.tif", "uint16", "display range and labels of planes"),
        ("a.zarr", "uint16", "labels of planes"),
        (
            "a.tif",
            "int32",
            "Z spacing, channel names, display range, labels of planes and colors",
        ),
        (
            "a.png",
            "uint16",
            "Z spacing, channel names, display range, labels of planes and colors",
        ),
        (
            "a.jpg",
            "uint8",
            "Z spacing, channel names, display range, labels of planes, colors and "
            "pixel size",
        ),
    ],
)
def test_what_a_format_cannot_hold_is_named_once(name, dtype, lost):
    said = find_losses(Path(name), EVERYTHING, np.dtype(dtype))
    assert said == (f"{name} cannot hold the image's {lost}." if lost else "")


def test_webp_loses_the_pixel_size_only():
    picture = PictureMetadata(icc=b"profile", exif=b"data")
    scale, units = {"X": 1e-6, "Y": 1e-6}, {"X": "meter", "Y": "meter"}
    colors = np.zeros((4, 5, 3), np.uint8)
    image = StoredImage(
        array=colors, axes="YXS", picture=picture, scale=scale, units=units
    )
    lost = find_losses(Path("a.webp"), image, np.dtype("uint8"))
    assert lost == "a.webp cannot hold the image's pixel size."


@pytest.mark.parametrize(
    ("name", "lost"), [("a.tif", True), ("a.ome.tif", False), ("a.zarr", False)]
)
def test_ome_tiff_and_ome_zarr_get_levels(name, lost):
    image = StoredImage(array=STACK, axes="ZCYX", n_levels=3)
    said = find_losses(Path(name), image, np.dtype("uint16"))
    assert ("pyramid levels" in said) == lost


def test_planes_in_tiles_do_not_fit_imagej():
    image = StoredImage(array=np.zeros((2, 4096), np.uint8), axes="YX", labels=("a",))
    assert "labels" in find_losses(Path("a.tif"), image, np.dtype("uint8"))


@pytest.mark.parametrize(("name", "lost"), [("a.zarr", True), ("a.tif", False)])
def test_only_ramps_of_one_color_fit_ome_zarr(name, lost):
    table = np.random.default_rng(0).integers(0, 256, (3, 256), dtype=np.uint8)
    channels = (Channel(color="FFFFFF", color_map=table),)
    image = StoredImage(array=STACK[0, 0], axes="YX", channels=channels)
    assert bool(find_losses(Path(name), image, np.dtype("uint16"))) == lost
