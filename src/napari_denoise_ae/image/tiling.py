"""Cut a plane into parts, independent of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import InvalidInputError
from .checks import is_integer

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rows and columns of a tile on a CPU. The halo of a tile of this size costs little,
#: and its activations take about 100 MB.
DEFAULT_TILE_SIZE = 512
#: Rows and columns of the smallest tile: halos of smaller ones would cost more than
#: the tiles.
SMALLEST_TILE_SIZE = 64
#: Planes with more rows or columns than this are stored and shown as a pyramid.
LARGEST_PLANE = 2048
#: Rows and columns of a plane.
Region: TypeAlias = tuple[slice, slice]


def grid_of(shape: tuple[int, int], sides: tuple[int, int]) -> Iterator[Region]:
    """Yield the parts of a plane in reading order.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the plane.
    sides : tuple of int
        Rows and columns of a part; parts at the end may be smaller.
    """
    height, width = shape
    for y in range(0, height, sides[0]):
        for x in range(0, width, sides[1]):
            rows = slice(y, min(y + sides[0], height))
            yield rows, slice(x, min(x + sides[1], width))


def level_sides(sides: tuple[int, int], n_levels: int) -> list[tuple[int, int]]:
    """Return rows and columns of the levels of a pyramid, full resolution first.

    They are halved until neither exceeds 2048 and there are at least `n_levels`
    levels, unless a side becomes shorter than 2.
    """
    levels = [sides]
    while min(levels[-1]) >= 2 and (
        max(levels[-1]) > LARGEST_PLANE or len(levels) < n_levels
    ):
        height, width = levels[-1]
        levels.append((height // 2, width // 2))
    return levels


def shared_region(one: Region, other: Region) -> Region:
    """Return the rows and columns that two regions share."""
    rows, columns = (
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(one, other, strict=True)
    )
    return rows, columns


def relative_region(region: Region, origin: Region) -> Region:
    """Return the rows and columns of a region, counted from the first of another."""
    rows, columns = (
        slice(part.start - first.start, part.stop - first.start)
        for part, first in zip(region, origin, strict=True)
    )
    return rows, columns


def region_shape(region: Region) -> tuple[int, int]:
    """Return the number of rows and of columns of a region."""
    rows, columns = region
    return rows.stop - rows.start, columns.stop - columns.start


def require_tile_size(tile_size: Any) -> None:
    """Raise unless a tile size is valid.

    Parameters
    ----------
    tile_size : int or None
        Rows and columns of a tile. None means a size that fits into memory.

    Raises
    ------
    InvalidInputError
        If it is not an integer above 0.
    """
    if tile_size is None:
        return
    if not is_integer(tile_size) or tile_size < 1:
        raise InvalidInputError(
            f"tile_size must be an integer above 0, in pixels, got {tile_size!r}."
        )


def round_up(value: int, multiple: int) -> int:
    """Return the smallest multiple of `multiple` that is at least `value`."""
    return -(-value // multiple) * multiple
