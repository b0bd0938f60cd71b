"""Pixel sizes and channels in the TIFF dialects of instruments.

These are Zeiss LSM, MetaMorph STK and Aperio SVS. Other slide scanners use TIFF's own
tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from .channels import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# LSM names the pixel size so; all are in meters.
_LSM_SIZES = {"X": "VoxelSizeX", "Y": "VoxelSizeY", "Z": "VoxelSizeZ"}


def instrument_distances(
    tiff: tifffile.TiffFile,
) -> dict[str, tuple[float, str]] | None:
    """Return pixel spacings and their units, by axis.

    Returns
    -------
    dict or None
        None if the file is in none of these dialects.
    """
    if tiff.lsm_metadata is not None:
        return _known(_lsm_distances(tiff.lsm_metadata))
    if tiff.stk_metadata is not None:
        return _known(_stk_distances(tiff.stk_metadata))
    if tiff.is_svs:
        found = tifffile.tifffile.svs_description_metadata(tiff.pages.first.description)
        size = found.get("MPP", 0.0), "micrometer"
        return _known({"X": size, "Y": size})
    return None


def instrument_channels(tiff: tifffile.TiffFile) -> tuple[Channel, ...]:
    """Return the channels of an LSM file; none if they are unknown."""
    colors = (tiff.lsm_metadata or {}).get("ChannelColors") or {}
    names = colors.get("ColorNames") or []
    values = colors.get("Colors") or []
    return tuple(
        Channel(name=str(name), color=_hexadecimal(color[:3]))
        for name, color in zip(names, values, strict=False)
    )


def _hexadecimal(color: Iterable[Any]) -> str:
    return bytes(int(part) for part in color).hex().upper()


def _lsm_distances(metadata: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    found = {
        axis: (metadata.get(name, 0.0), "meter") for axis, name in _LSM_SIZES.items()
    }
    return found | {"T": (metadata.get("TimeIntervall", 0.0), "second")}


def _stk_distances(metadata: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    if not metadata.get("SpatialCalibration"):
        return {}
    unit = str(metadata.get("CalibrationUnits", ""))
    steps = metadata.get("ZDistance", ())
    return {
        "X": (metadata.get("XCalibration", 0.0), unit),
        "Y": (metadata.get("YCalibration", 0.0), unit),
        "Z": (steps[0] if len(steps) else 0.0, unit),
    }


def _known(found: Mapping[str, tuple[Any, str]]) -> dict[str, tuple[float, str]]:
    """Return the distances that are positive numbers."""
    return {
        axis: (float(distance), unit)
        for axis, (distance, unit) in found.items()
        if isinstance(distance, (int, float, np.floating)) and distance > 0
    }
