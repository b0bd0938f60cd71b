"""Stacks in files, a small gray model, and the command that denoises them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import zarr
from synthetic import random_checkpoint

from napari_denoise_ae.cli.main import main
from napari_denoise_ae.io.ome_zarr import read_ome_zarr

if TYPE_CHECKING:
    from pathlib import Path

MODEL = random_checkpoint(in_channels=1)
TYPES = {"T": "time", "C": "channel"}


def image_of(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    return (4000 * np.random.default_rng(0).random(shape)).astype(dtype)


def write_zarr(
    path: Path,
    image: np.ndarray,
    axes: str,
    *,
    chunks: tuple[int, ...] | None = None,
    version: str = "0.5",
    **more: object,
) -> Path:
    """Write an OME-Zarr image with one level, as another program would."""
    scale = [0.5 if letter in "YX" else 2.0 for letter in axes]
    axis_metadata = [
        {"name": letter.lower(), "type": TYPES.get(letter, "space")}
        | ({"unit": "micrometer"} if letter in "ZYX" else {})
        for letter in axes
    ]
    dataset = {
        "path": "full",
        "coordinateTransformations": [{"type": "scale", "scale": scale}],
    }
    multiscale = {"axes": axis_metadata, "datasets": [dataset]}
    content = {"multiscales": [multiscale], **more}
    if version == "0.5":
        content = {"ome": {"version": "0.5", **content}}
    root = zarr.create_group(
        path, zarr_format=3 if version == "0.5" else 2, attributes=content
    )
    stored = root.create_array(
        "full", shape=image.shape, chunks=chunks or image.shape, dtype=image.dtype
    )
    stored[:] = image
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def pixels(path: Path) -> np.ndarray:
    return np.asarray(read_ome_zarr(path)[0])


def assert_alike(result: np.ndarray, expected: np.ndarray) -> None:
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    assert np.abs(result.astype(float) - expected).max() <= 1
