"""Divide lazy results into parts that are computed and cached one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    # (start, stop) of each axis.
    Window = tuple[tuple[int, int], ...]

#: Number of rows and columns of a part.
PART = 512


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a plane at a pyramid level, computed in one go."""

    level: int
    window: Window

    @property
    def index(self) -> tuple[slice, ...]:
        """The window as slices."""
        return tuple(slice(*ends) for ends in self.window)


def window_of(shape: Sequence[int]) -> Window:
    """Return the window that covers a whole array."""
    return tuple((0, length) for length in shape)


def parts_in(level: int, window: Window, shape: Sequence[int], axes: str) -> list[Part]:
    """Return the parts of a level that overlap a window, ordered from its center.

    Parameters
    ----------
    level : int
        The pyramid level.
    window : tuple of (int, int)
        Start and stop of each axis.
    shape : sequence of int
        Shape of the level.
    axes : str
        Axes of the level.
    """
    cuts = [
        _cut(letter, ends, length)
        for letter, ends, length in zip(axes, window, shape, strict=True)
    ]
    parts = [Part(level, part) for part in product(*cuts)]
    twice_center = np.sum(window, axis=1)

    def distance(part: Part) -> float:
        return float(np.abs(np.sum(part.window, axis=1) - twice_center).max())

    return sorted(parts, key=distance)


def _cut(letter: str, ends: tuple[int, int], length: int) -> list[tuple[int, int]]:
    """Cut an axis into parts, and return those that overlap (start, stop)."""
    start, stop = ends
    if letter == "S":
        return [(0, length)]
    size = PART if letter in "YX" else 1
    first = start // size * size
    return [(at, min(at + size, length)) for at in range(first, stop, size)]


def copy_overlap(
    source: NDArray[Any], source_at: Window, target: NDArray[Any], target_at: Window
) -> None:
    """Copy the pixels that two windows share from one array to the other."""
    overlap = [
        (max(a, c), min(b, d))
        for (a, b), (c, d) in zip(source_at, target_at, strict=True)
    ]
    source_index, target_index = (
        tuple(
            slice(start - first, stop - first)
            for (start, stop), (first, _) in zip(overlap, at, strict=True)
        )
        for at in (source_at, target_at)
    )
    target[target_index] = source[source_index]
