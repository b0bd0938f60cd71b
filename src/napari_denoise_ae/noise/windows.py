"""Select the windows of an image or a stack in which its noise is measured."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.planes import plane_indices, whole_plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRanges
    from ..image.planes import Planes
    from ..image.tiling import Region

# The noise of a stack is measured in its first, middle and last plane.
_N_NOISE_PLANES = 3
# The noise of a plane is measured in at most five windows of this side, in pixels,
# so that the cost does not grow with the image.
_NOISE_WINDOW = 256
#: Percentiles that define the spread of an image.
LOW, HIGH = 1.0, 99.0


def noise_planes(planes: Planes) -> NDArray[Any]:
    """Return the planes of a stack in which its noise is measured.

    Parameters
    ----------
    planes : Planes
        The stack.

    Returns
    -------
    numpy.ndarray
        The first, the middle and the last plane, (N, Y, X, channels); N is smaller
        than 3 if the stack is.
    """
    whole = whole_plane(planes)
    selected = _first_middle_last(list(plane_indices(planes)))
    return np.stack([planes.read(plane, whole) for plane in selected])


def read_noise_windows(
    planes: Planes, ranges: IntensityRanges
) -> Iterator[list[list[Any]]]:
    """Read the windows of a stack in which its noise is measured.

    Planes that share an intensity range form a group. The windows are at the same
    positions in the first, the middle and the last plane of each group. Groups are
    read one at a time, because a long stack may have as many groups as planes.

    Parameters
    ----------
    planes : Planes
        The stack.
    ranges : IntensityRanges
        Intensity ranges of the stack, or its groups alone, see `group_planes`.

    Yields
    ------
    list of list of array
        The windows of one group: for each plane, its windows, (Y, X, channels).
        Windows of a lazy source are lazy.
    """
    members: list[list[tuple[int, ...]]] = [[] for _ in ranges.ranges]
    for plane in plane_indices(planes):
        members[ranges.number_of(plane)].append(plane)
    height, width, _ = planes.shape[-3:]
    windows = noise_windows((height, width))
    for group in members:
        selected = _first_middle_last(group)
        yield [[planes.read(plane, window) for window in windows] for plane in selected]


def _first_middle_last(planes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Select the first, the middle and the last plane, each at most once."""
    selected = np.linspace(0, len(planes) - 1, _N_NOISE_PLANES).astype(int)
    return [planes[index] for index in np.unique(selected)]


def noise_windows(shape: tuple[int, int]) -> list[Region]:
    """Return the windows of a plane in which its noise is measured.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the plane.

    Returns
    -------
    list of tuple of slice
        Rows and columns of each window: the whole plane if neither side is longer
        than 512 pixels, else at most five windows of at most 256 x 256 pixels, which
        begin at multiples of 256.
    """
    height, width = shape
    if max(height, width) <= 2 * _NOISE_WINDOW:
        return [(slice(0, height), slice(0, width))]
    centers = [*product((0.25, 0.75), repeat=2), (0.5, 0.5)]
    found = [(_window(height, y), _window(width, x)) for y, x in centers]
    return [window for n, window in enumerate(found) if window not in found[:n]]


def _window(length: int, center: float) -> slice:
    # Multiples of its size, so that a window lies within one chunk of most files.
    last = max(length // _NOISE_WINDOW - 1, 0)
    start = min(int(length * center) // _NOISE_WINDOW, last) * _NOISE_WINDOW
    return slice(start, min(start + _NOISE_WINDOW, length))
