"""Lay out a denoised image in a TIFF, with the metadata of its source."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.tiling import LARGEST_PLANE, level_sides, round_up
from ..io.calibration import (
    imagej_calibration,
    ome_calibration,
    picture_calibration,
    pixel_density,
)
from ..io.channels import as_imagej, as_ome
from ..io.compression import JPEG, choose_compression
from ..io.tiff import TiffLayout, fits_imagej, imagej_order, is_ome_tiff

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..io.channels import Channel
    from ..io.source import Volume
    from .planes import Selection


#: Rows and columns of the tiles of a TIFF with large planes.
TIFF_TILE = 512
# Sides of tiles are multiples of it.
_TILE_STEP = 16


def tiff_layout(
    path: Path,
    volume: Volume,
    selection: Selection,
    dtype: np.dtype[Any],
    *,
    compression: str,
) -> TiffLayout:
    """Return the layout and the calibration of a result in a TIFF.

    Parameters
    ----------
    path : pathlib.Path
        The result; its name decides whether it is an OME-TIFF.
    volume : Volume
        The input, whose calibration is kept.
    selection : mapping
        The selected region, see `select`.
    dtype : numpy.dtype
        Data type of the result.
    compression : str
        The compression that a user has chosen, see `choose_compression`.
    """
    known = volume.scale, volume.units
    channels = selected_channels(volume, selection)
    lengths = {letter: stop - start for letter, (start, stop) in selection.items()}
    chosen = choose_compression(compression, volume.compression, "TIFF")
    sides, n_levels = (lengths["Y"], lengths["X"]), 1
    if is_ome_tiff(path) and volume.n_levels > 1:
        n_levels = len(level_sides(sides, volume.n_levels))
    layout = TiffLayout(
        tuple(lengths.get(a, n) for a, n in volume.lengths.items()),
        dtype,
        volume.axes,
        tile=_tile(sides, is_needed=n_levels > 1 or chosen == JPEG),
        density=pixel_density(*known),
        picture=volume.picture,
        compression=chosen,
        n_levels=n_levels,
    )
    if is_ome_tiff(path):
        return replace(layout, ome={**ome_calibration(*known), **as_ome(channels)})
    calibration = dict(
        volume.calibration or picture_calibration(*known) or imagej_calibration(*known)
    )
    labels = selected_labels(volume, selection, imagej_order(volume.stack_axes))
    if display := as_imagej(channels, labels):
        metadata = calibration.get("metadata", {})
        # Whether ImageJ shows channels together or one by one.
        is_whole = len(channels) == volume.lengths.get("C", 1)
        mode = {"mode": metadata["mode"]} if "mode" in metadata and is_whole else {}
        calibration["metadata"] = metadata | display | mode
    layout = replace(layout, calibration=calibration)
    for_imagej = _in_imagej_order(layout)
    is_imagej = "metadata" in calibration and fits_imagej(for_imagej)
    return for_imagej if is_imagej else layout


def _tile(sides: tuple[int, int], *, is_needed: bool) -> tuple[int, int] | None:
    """Return rows and columns of the tiles; None if pages are not tiled."""
    if max(sides) <= LARGEST_PLANE and not is_needed:
        return None
    rows, columns = (min(TIFF_TILE, round_up(side, _TILE_STEP)) for side in sides)
    return rows, columns


def _in_imagej_order(layout: TiffLayout) -> TiffLayout:
    order = imagej_order(layout.axes)
    return replace(
        layout,
        axes="".join(layout.axes[position] for position in order),
        shape=tuple(layout.shape[position] for position in order),
    )


def selected_channels(volume: Volume, selection: Selection) -> tuple[Channel, ...]:
    """Return the channels of a region, if all channels of the image are described."""
    n_channels = volume.lengths.get("C", 1)
    if len(volume.channels) != n_channels:
        return ()
    return volume.channels[slice(*selection.get("C", (0, 1)))]


def selected_labels(
    volume: Volume, selection: Selection, order: Sequence[int]
) -> list[str]:
    """Return a label for each plane of a region: its own, or the name of its channel.

    Parameters
    ----------
    volume : Volume
        The image.
    selection : mapping
        The region, see `select`.
    order : sequence of int
        Positions of the stack axes in the order in which the planes are counted.

    Returns
    -------
    list of str
        Empty if the planes have neither.
    """
    axes = volume.stack_axes
    lengths = [volume.lengths[letter] for letter in axes]
    labels = np.array(volume.labels, dtype=object)
    if labels.size != math.prod(lengths):
        names = [channel.name for channel in volume.channels]
        if len(names) != volume.lengths.get("C", 1) or not any(names):
            return []
        by_channel = np.array(names, dtype=object)
        if "C" in axes:
            after = len(axes) - axes.index("C") - 1
            by_channel = by_channel.reshape(-1, *(1,) * after)
        labels = np.broadcast_to(by_channel if "C" in axes else by_channel[0], lengths)
    parts = tuple(slice(*selection[letter]) for letter in axes)
    region = labels.reshape(lengths)[parts]
    chosen: list[str] = region.transpose(order).ravel().tolist()
    return chosen
