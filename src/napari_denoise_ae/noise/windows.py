"""The few windows of an image or a stack in which its noise is measured."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRanges

    #: Reads rows and columns of a plane, by its index in the stack.
    WindowReader = Callable[[tuple[int, ...], tuple[slice, slice]], Any]

# Planes on which the noise of a stack is measured: first, middle and last.
_N_NOISE_PLANES = 3


def noise_planes(planes: NDArray[Any]) -> NDArray[Any]:
    """Return the planes of a stack on which its noise is measured.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `color_planes`.

    Returns
    -------
    numpy.ndarray
        At most three of them, (N, Y, X, channels).
    """
    indices = list(np.ndindex(planes.shape[:-3]))
    return np.stack([planes[index] for index in _few(indices)])


def read_noise_windows(
    shape: Sequence[int], ranges: IntensityRanges, read: WindowReader
) -> Iterator[list[list[Any]]]:
    """Read the few windows of a stack in which its noise is estimated.

    They lie at the same places of the first, the middle and the last plane,
    of each channel or of whatever has an intensity range of its own. They are
    read when they are asked for, since each plane of a long stack may have one.

    Parameters
    ----------
    shape : sequence of int
        (..., Y, X) of the stack.
    ranges : IntensityRanges
        Its intensity ranges.
    read : callable
        Takes the index of a plane and the rows and columns to read, and
        returns (Y, X, channels), computed or not.

    Yields
    ------
    list
        For each range: for each plane, its windows.
    """
    *stack, height, width = shape
    members: list[list[tuple[int, ...]]] = [[] for _ in ranges.ranges]
    for plane in np.ndindex(*stack):
        members[ranges.number_of(plane)].append(plane)
    places = noise_windows((height, width))
    for planes in members:
        yield [[read(plane, place) for place in places] for plane in _few(planes)]


def noise_windows_of(planes: Any, ranges: IntensityRanges) -> list[list[list[Any]]]:
    """Return those windows of an array, in memory or lazy; see `read_noise_windows`.

    Parameters
    ----------
    planes : array
        (..., Y, X, channels), see `color_planes`.
    ranges : IntensityRanges
        Its intensity ranges.
    """
    return list(
        read_noise_windows(
            planes.shape[:-1], ranges, lambda plane, part: planes[(*plane, *part)]
        )
    )


def _few(planes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the first, the middle and the last of some planes."""
    chosen = np.linspace(0, len(planes) - 1, _N_NOISE_PLANES).astype(int)
    return [planes[index] for index in np.unique(chosen)]


# Noise is estimated on at most five windows of this side, in pixels, so that
# the cost does not grow with the image.
_NOISE_WINDOW = 256


def noise_windows(shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Return the windows of a plane, (Y, X), in which its noise is estimated."""
    height, width = shape
    if max(height, width) <= 2 * _NOISE_WINDOW:
        return [(slice(0, height), slice(0, width))]
    centers = [*product((0.25, 0.75), repeat=2), (0.5, 0.5)]
    return [(_window(height, y), _window(width, x)) for y, x in centers]


def _window(length: int, center: float) -> slice:
    start = max(0, round(length * center) - _NOISE_WINDOW // 2)
    return slice(start, min(start + _NOISE_WINDOW, length))
