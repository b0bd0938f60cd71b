"""The few windows of an image or a stack in which its noise is measured."""

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

# Planes on which the noise of a stack is measured: first, middle and last.
_N_NOISE_PLANES = 3


def noise_planes(planes: Planes) -> NDArray[Any]:
    """Return the planes of a stack on which its noise is measured.

    Parameters
    ----------
    planes : Planes
        The stack.

    Returns
    -------
    numpy.ndarray
        At most three of them, (N, Y, X, channels).
    """
    whole = whole_plane(planes)
    chosen = _few(list(plane_indices(planes)))
    return np.stack([planes.read(plane, whole) for plane in chosen])


def read_noise_windows(
    planes: Planes, ranges: IntensityRanges
) -> Iterator[list[list[Any]]]:
    """Read the few windows of a stack in which its noise is estimated.

    They lie at the same places of the first, the middle and the last plane of each
    group that shares an intensity range. They are read one group after another,
    because each plane of a long stack may be a group.

    Parameters
    ----------
    planes : Planes
        The stack.
    ranges : IntensityRanges
        Its intensity ranges, or its groups, see `group_planes`.

    Yields
    ------
    list
        For each range: for each plane, its windows, (Y, X, channels). They are
        still to be computed if the source is lazy.
    """
    members: list[list[tuple[int, ...]]] = [[] for _ in ranges.ranges]
    for plane in plane_indices(planes):
        members[ranges.number_of(plane)].append(plane)
    height, width, _ = planes.shape[-3:]
    places = noise_windows((height, width))
    for group in members:
        chosen = _few(group)
        yield [[planes.read(plane, place) for place in places] for plane in chosen]


def _few(planes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the first, the middle and the last of some planes."""
    chosen = np.linspace(0, len(planes) - 1, _N_NOISE_PLANES).astype(int)
    return [planes[index] for index in np.unique(chosen)]


# Noise is estimated on at most five windows of this side, in pixels, so that
# the cost does not grow with the image.
_NOISE_WINDOW = 256


def noise_windows(shape: tuple[int, int]) -> list[Region]:
    """Return the windows of a plane, (Y, X), in which its noise is estimated."""
    height, width = shape
    if max(height, width) <= 2 * _NOISE_WINDOW:
        return [(slice(0, height), slice(0, width))]
    centers = [*product((0.25, 0.75), repeat=2), (0.5, 0.5)]
    return [(_window(height, y), _window(width, x)) for y, x in centers]


def _window(length: int, center: float) -> slice:
    start = max(0, round(length * center) - _NOISE_WINDOW // 2)
    return slice(start, min(start + _NOISE_WINDOW, length))
