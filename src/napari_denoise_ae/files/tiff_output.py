"""Write the denoised image to TIFF, page by page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.array import Progress
from ..image.tiling import LARGEST_PLANE
from ..io.tiff import TiffLayout
from ..io.units import IMAGEJ_UNITS, OME_UNITS
from .stream import grid_of, selected_shape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..denoising.denoiser import Denoiser
    from ..io.source import Volume
    from ..io.tiff_target import TiffTarget
    from .stream import Stream

#: Rows and columns of the tiles in a TIFF of large planes.
TIFF_TILE = 512


def tiff_parts(stream: Stream) -> tuple[int, int] | None:
    """Return rows and columns of a TIFF's tiles; None where pages are whole."""
    height, width = selected_shape("YX", stream.selection)
    large = max(height, width) > LARGEST_PLANE
    return (TIFF_TILE, TIFF_TILE) if large else None


def write_pages(
    stream: Stream, target: TiffTarget, denoiser: Denoiser
) -> Iterator[Progress]:
    """Denoise the pages of a TIFF, or its tiles, in the order of the file."""
    *stack, height, width = selected_shape(
        stream.volume.stack_axes + "YX", stream.selection
    )
    parts = list(grid_of((height, width), tiff_parts(stream) or (height, width)))
    total, done = math.prod(stack) * len(parts), 0
    for plane in np.ndindex(*stack):
        for part in parts:
            block = stream.denoise(plane, part, denoiser)
            target.write(done, block[(0,) * len(plane)])
            done += 1
            yield Progress(done, total)


def tiff_layout(
    path: Path,
    volume: Volume,
    shape: tuple[int, ...],
    tile: tuple[int, int] | None,
) -> TiffLayout:
    """Return how a result is laid out and described in a TIFF."""
    ome, calibration = None, dict(volume.calibration)
    if path.name.lower().endswith((".ome.tif", ".ome.tiff")):
        ome, calibration = _ome_calibration(volume), {}
    elif not calibration and volume.scale:
        calibration = _imagej_calibration(volume)
    return TiffLayout(shape, volume.dtype, volume.axes, calibration, tile, ome)


def _ome_calibration(volume: Volume) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for letter, scale in volume.scale.items():
        key = {"T": "TimeIncrement", "C": ""}.get(letter, f"PhysicalSize{letter}")
        unit = volume.units.get(letter)
        if key and unit:
            metadata |= {key: scale, f"{key}Unit": OME_UNITS.get(unit, unit)}
    return metadata


def _imagej_calibration(volume: Volume) -> dict[str, Any]:
    unit = IMAGEJ_UNITS.get(volume.units.get("X", ""))
    if unit is None or not (volume.scale["X"] > 0 and volume.scale["Y"] > 0):
        return {}
    metadata: dict[str, Any] = {"unit": unit}
    if "Z" in volume.scale:
        metadata["spacing"] = volume.scale["Z"]
    if volume.units.get("T") == "second":
        metadata["finterval"] = volume.scale["T"]
    resolution = (1 / volume.scale["X"], 1 / volume.scale["Y"])
    return {"resolution": resolution, "metadata": metadata}
