"""Cutting a plane into parts, regardless of the network that sees them."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, TypeAlias

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rows and columns of a tile on a CPU: large enough for its halo to cost
#: little, small enough for its activations to take about 100 MB.
DEFAULT_TILE_SIZE = 512
#: Below this, halos cost more than the tile itself.
SMALLEST_TILE_SIZE = 64
#: Planes with more rows or columns than this become a pyramid.
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
        Rows and columns of a part; those at the end may be shorter.
    """
    height, width = shape
    for y in range(0, height, sides[0]):
        for x in range(0, width, sides[1]):
            rows = slice(y, min(y + sides[0], height))
            yield rows, slice(x, min(x + sides[1], width))


def require_tile_size(tile_size: object) -> None:
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
    if tile_size is None:
        return
    if not isinstance(tile_size, Integral) or tile_size < 1:
        raise InvalidInputError(
            f"tile_size must be an integer above 0, in pixels, got {tile_size!r}."
        )


def round_up(value: int, multiple: int) -> int:
    """Return the next multiple that is not below `value`."""
    return -(-value // multiple) * multiple
