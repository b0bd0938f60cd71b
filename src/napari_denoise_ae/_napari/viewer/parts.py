"""The parts in which a lazy result is computed and kept."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    # The first index of each axis of a part, and the one after its last.
    Window = tuple[tuple[int, int], ...]

#: Rows and columns that are computed, and kept, together.
PART = 512


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a plane of a level, which is computed at once."""

    level: int
    window: Window

    @property
    def index(self) -> tuple[slice, ...]:
        return tuple(slice(*ends) for ends in self.window)


def window_of(shape: Sequence[int]) -> Window:
    """Return the window that covers a whole array."""
    return tuple((0, length) for length in shape)


def parts_in(level: int, window: Window, shape: Sequence[int], axes: str) -> list[Part]:
    """Return the parts of a level that a window touches, the middle first.

    Parameters
    ----------
    level : int
        The level.
    window : tuple of (int, int)
        The window.
    shape : sequence of int
        The shape of the level.
    axes : str
        Its axes.
    """
    cuts = [
        _cut(letter, ends, length)
        for letter, ends, length in zip(axes, window, shape, strict=True)
    ]
    parts = [Part(level, part) for part in product(*cuts)]
    middle = np.sum(window, axis=1)

    def distance(part: Part) -> float:
        return float(np.abs(np.sum(part.window, axis=1) - middle).max())

    return sorted(parts, key=distance)


def _cut(letter: str, ends: tuple[int, int], length: int) -> list[tuple[int, int]]:
    """Cut an axis into parts, and return those that lie between two ends."""
    start, stop = ends
    if letter == "S":
        return [(0, length)]
    size = PART if letter in "YX" else 1
    first = start // size * size
    return [(at, min(at + size, length)) for at in range(first, stop, size)]


def copy_common(
    source: NDArray[Any], source_at: Window, target: NDArray[Any], target_at: Window
) -> None:
    """Copy the pixels that two windows have in common from one array to the other."""
    common = [
        (max(a, c), min(b, d))
        for (a, b), (c, d) in zip(source_at, target_at, strict=True)
    ]
    here, there = (
        tuple(
            slice(start - first, stop - first)
            for (start, stop), (first, _) in zip(common, at, strict=True)
        )
        for at in (source_at, target_at)
    )
    target[there] = source[here]
