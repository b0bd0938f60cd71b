"""Cutting a plane into overlapping tiles that leave no seam.

Two things make a tiled result equal the untiled one: each tile is read with a
halo of at least the network's receptive-field radius, which is cropped away
afterwards; and each tile is read from a multiple of the network's total
stride, so that its strided convolutions sample the same pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from .errors import InvalidInputError


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
    shape: tuple[int, int], *, tile_size: int, radius: int, stride: int
) -> list[Tile]:
    """Cut a plane into tiles.

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

    Returns
    -------
    list of Tile
        Tiles in reading order whose `write` parts cover the plane once.

    Raises
    ------
    InvalidInputError
        If the tile size is not above 0.
    """
    if not isinstance(tile_size, int) or tile_size < 1:
        raise InvalidInputError(
            f"tile_size must be an integer above 0, in pixels, got {tile_size!r}."
        )
    size = _round_up(tile_size, stride)
    halo = _round_up(radius, stride)
    rows, columns = (_spans(length, size, halo) for length in shape)
    return [
        Tile(*((row[part], column[part]) for part in range(3)))
        for row, column in product(rows, columns)
    ]


def _spans(length: int, size: int, halo: int) -> list[tuple[slice, slice, slice]]:
    """Return read, keep and write slices along one axis."""
    spans = []
    for start in range(0, length, size):
        stop = min(start + size, length)
        first, last = max(start - halo, 0), min(stop + halo, length)
        spans.append(
            (
                slice(first, last),
                slice(start - first, stop - first),
                slice(start, stop),
            )
        )
    return spans


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
