"""Write a denoised image to TIFF, page by page."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

from ..denoising.array import Progress
from ..image.planes import plane_indices
from ..image.tiling import LARGEST_PLANE, grid_of
from ..io.calibration import (
    imagej_calibration,
    ome_calibration,
    picture_calibration,
)
from ..io.tiff import TiffLayout, is_ome_tiff
from .overlap import write_behind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..io.source import Volume
    from ..io.tiff_target import TiffTarget
    from .stream import Stream

#: Rows and columns of the tiles of a TIFF with large planes.
TIFF_TILE = 512


def tiff_tile(stream: Stream) -> tuple[int, int] | None:
    """Return rows and columns of the tiles of a TIFF; None if pages are not tiled."""
    height, width, _ = stream.planes.shape[-3:]
    large = max(height, width) > LARGEST_PLANE
    return (TIFF_TILE, TIFF_TILE) if large else None


def write_pages(
    stream: Stream, target: TiffTarget, denoiser: Denoiser
) -> Iterator[Progress]:
    """Denoise the pages of a TIFF, or their tiles, in the order of the file.

    Yields
    ------
    Progress
        After each page or tile.
    """
    *stack, height, width, _ = stream.planes.shape
    regions = list(grid_of((height, width), tiff_tile(stream) or (height, width)))
    total, run = math.prod(stack) * len(regions), stream.start(denoiser)
    parts = product(plane_indices(stream.planes), regions)
    blocks = enumerate(run.denoise_all(parts))

    def write(numbered: tuple[int, NDArray[Any]]) -> None:
        number, block = numbered
        target.write(number, block[(0,) * len(stack)])

    for done, _ in enumerate(write_behind(blocks, write), 1):
        yield Progress(done, total)


def tiff_layout(
    path: Path,
    volume: Volume,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    *,
    tile: tuple[int, int] | None = None,
) -> TiffLayout:
    """Return the layout and the calibration of a result in a TIFF.

    Parameters
    ----------
    path : pathlib.Path
        The result; its name decides whether it is an OME-TIFF.
    volume : Volume
        The input, whose calibration is kept.
    shape : tuple of int
        Shape of the result.
    tile : tuple of int, optional
        See `tiff_tile`.
    """
    ome, calibration = None, dict(volume.calibration)
    if is_ome_tiff(path):
        ome, calibration = ome_calibration(volume.scale, volume.units), {}
    elif not calibration and volume.scale:
        known = volume.scale, volume.units
        calibration = picture_calibration(*known) or imagej_calibration(*known)
    return TiffLayout(shape, dtype, volume.axes, calibration, tile, ome, volume.picture)
