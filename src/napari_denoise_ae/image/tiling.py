"""Cutting a plane into overlapping tiles that leave no seam.

Two things make a tiled result equal the untiled one: each tile is read with a
halo of at least the network's receptive-field radius, which is cropped away
afterwards; and each tile is read from a multiple of the network's total
stride, so that its strided convolutions sample the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from numbers import Integral
from typing import TypeAlias

from ..errors import InvalidInputError

#: Rows and columns of a tile on a CPU: large enough for its halo to cost
#: little, small enough for its activations to take about 100 MB.
DEFAULT_TILE_SIZE = 512
#: Below this, halos cost more than the tile itself.
SMALLEST_TILE_SIZE = 64
#: Planes with more rows or columns than this become a pyramid.
LARGEST_PLANE = 2048
#: Rows and columns of a plane.
Region: TypeAlias = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Tile:
    """What to read, what to keep of it, and where that goes.

    Parameters
    ----------
    read : tuple of slice
        Rows and columns of the plane to read, halo included.
    keep : tuple of slice
        Rows and columns of what was read to keep.
    write : tuple of slice
        Rows and columns of the plane that they are.
    """

    read: tuple[slice, slice]
    keep: tuple[slice, slice]
    write: tuple[slice, slice]


def plan_tiles(
    shape: tuple[int, int],
    *,
    tile_size: int,
    radius: int,
    stride: int,
    region: tuple[slice, slice] | None = None,
) -> list[Tile]:
    """Cut a plane, or a region of it, into tiles.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the plane.
    tile_size : int
        Rows and columns that a tile writes, at most; rounded up to a multiple
        of `stride`. The halo comes on top.
    radius : int
        The network's receptive-field radius in pixels.
    stride : int
        The network's total stride in pixels.
    region : tuple of slice, optional
        Rows and columns to cover; what lies around it is read where the halo
        needs it. None means the whole plane.

    Returns
    -------
    list of Tile
        Tiles in reading order whose `write` parts cover the region once.

    Raises
    ------
    InvalidInputError
        If the tile size is not above 0.
    """
    _require_side(tile_size)
    size = round_up(tile_size, stride)
    halo = round_up(radius, stride)
    rows, columns = (
        _spans(part.indices(length), length, size, halo, stride)
        for part, length in zip(region or (slice(None),) * 2, shape, strict=True)
    )
    return [
        Tile(*((row[part], column[part]) for part in range(3)))
        for row, column in product(rows, columns)
    ]


def require_tile_size(tile_size: int | None) -> None:
    """Raise, before long work, if there are no tiles of such a size.

    Parameters
    ----------
    tile_size : int or None
        Rows and columns of a tile; None leaves the choice to the program.

    Raises
    ------
    InvalidInputError
        If it is not above 0.
    """
    if tile_size is not None:
        _require_side(tile_size)


def _require_side(tile_size: object) -> None:
    if not isinstance(tile_size, Integral) or tile_size < 1:
        raise InvalidInputError(
            f"tile_size must be an integer above 0, in pixels, got {tile_size!r}."
        )


def _spans(
    part: tuple[int, int, int], length: int, size: int, halo: int, stride: int
) -> list[tuple[slice, slice, slice]]:
    """Return read, keep and write slices along one axis."""
    begin, end, _ = part
    spans = []
    for start in range(begin // stride * stride, end, size):
        first, last = max(start, begin), min(start + size, end)
        read = slice(max(start - halo, 0), min(last + halo, length))
        keep = slice(first - read.start, last - read.start)
        spans.append((read, keep, slice(first, last)))
    return spans


def round_up(value: int, multiple: int) -> int:
    """Return the next multiple that is not below `value`."""
    return -(-value // multiple) * multiple
