"""Which parts of a stack are looked at, and their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...image.planes import plane_indices, whole_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...image.planes import Planes
    from ...image.tiling import Region

#: Values of `scope`.
SAMPLE, ALL = "sample", "all"
SCOPES = (SAMPLE, ALL)
# A sample has at most so many values, and planes...
_MOST_VALUES, _MOST_PLANES = 2**20, 3
# ...and in larger planes windows of this side.
_SIDE = 256


@dataclass(frozen=True, slots=True)
class Place:
    """A window of a stack.

    Parameters
    ----------
    plane : tuple of int
        Index of its plane.
    region : tuple of slice
        Its rows and columns.
    """

    plane: tuple[int, ...]
    region: Region


@dataclass(frozen=True, slots=True, eq=False)
class ComputedPlanes:
    """Planes that are read as NumPy arrays, even if their source is lazy.

    Parameters
    ----------
    source : Planes
        The planes.
    """

    source: Planes

    @property
    def axes(self) -> str:
        """Letters of the stack, then Y and X."""
        return self.source.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        return self.source.dtype

    def read(self, plane: Sequence[int], region: Region) -> NDArray[Any]:
        """Read a part of a plane, (Y, X, channels)."""
        return np.asarray(self.source.read(plane, region))


def channels_of(planes: Planes) -> list[int | None]:
    """Return the index of each channel C, or a single None without such an axis."""
    if "C" not in planes.axes:
        return [None]
    return list(range(planes.shape[planes.axes.index("C")]))


def choose_places(planes: Planes, channel: int | None, scope: str) -> list[Place]:
    """Return the windows of a channel that are looked at.

    Parameters
    ----------
    planes : Planes
        The stack.
    channel : int or None
        Index along C; None if there is no such axis.
    scope : str
        ``"all"``: all planes, whole. ``"sample"``: the first, the middle and the last
        plane; at most a million values of them, in windows of 256 x 256 pixels if they
        have more.

    Returns
    -------
    list of Place
        In the order of the stack.
    """
    members = [
        plane
        for plane in plane_indices(planes)
        if channel is None or plane[planes.axes.index("C")] == channel
    ]
    if scope == ALL:
        return [Place(plane, whole_plane(planes)) for plane in members]
    chosen = np.unique(np.linspace(0, len(members) - 1, _MOST_PLANES).astype(int))
    height, width, colors = planes.shape[-3:]
    regions = _regions(height, width, _MOST_VALUES // (len(chosen) * colors))
    return [Place(members[number], region) for number in chosen for region in regions]


def describe_places(planes: Planes, places: Sequence[Place]) -> str:
    """Say which parts of a stack are looked at, for users."""
    chosen = sorted({place.plane for place in places})
    per_plane = len(places) // len(chosen)
    parts = "all pixels"
    if places[0].region != whole_plane(planes):
        parts = f"{per_plane} windows of {_SIDE} x {_SIDE} pixels"
        if per_plane == 1:
            parts = "one window"
    letters = planes.axes[:-2]
    if not letters:
        return f"{parts} of the image"
    if len(chosen) == math.prod(planes.shape[:-3]) and len(chosen) > _MOST_PLANES:
        return f"{parts} of all planes"
    listed = "; ".join(_name(letters, plane) for plane in chosen[: 2 * _MOST_PLANES])
    more = ", ..." if len(chosen) > 2 * _MOST_PLANES else ""
    return f"{parts} of {'plane' if len(chosen) == 1 else 'planes'} {listed}{more}"


def _name(letters: str, plane: Sequence[int]) -> str:
    return ", ".join(f"{a}={i}" for a, i in zip(letters, plane, strict=True))


def _regions(height: int, width: int, budget: int) -> list[Region]:
    """Return the whole plane if it is small enough, else windows spread over it."""
    if height * width <= budget:
        return [(slice(0, height), slice(0, width))]
    most = max(budget // _SIDE**2, 1)
    rows = round(math.sqrt(most * height / width))
    rows = min(max(rows, 1), most, max(height // _SIDE, 1))
    columns = min(max(most // rows, 1), max(width // _SIDE, 1))
    return [
        (slice(y, min(y + _SIDE, height)), slice(x, min(x + _SIDE, width)))
        for y in _starts(height, rows)
        for x in _starts(width, columns)
    ]


def _starts(length: int, number: int) -> list[int]:
    """Return where windows start: at both ends and between, or in the middle."""
    last = max(length - _SIDE, 0)
    if number == 1:
        return [last // 2]
    return [int(start) for start in np.linspace(0, last, number)]
