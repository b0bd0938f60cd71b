"""Find the intensity ranges of an image or a stack."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .axes import stack_axes
from .checks import require_finite
from .intensity import IntensityRange, IntensityRanges
from .planes import plane_indices, whole_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .intensity import GivenRange
    from .planes import Planes

#: Values of `range_of`: the planes of a channel share a range, or each has its own.
RANGE_OF = ("stack", "image")


def resolve_intensity_ranges(
    planes: Planes, given: Any = None, *, range_of: str = "stack"
) -> IntensityRanges:
    """Return the intensity ranges of the planes of a stack.

    Parameters
    ----------
    planes : Planes
        The stack. The colors of a plane share a range; NaN is ignored.
    given : optional
        ``(low, high)`` in the image's units for all channels, a sequence of one such
        pair for each channel C, or resolved ranges. None, the default, means 0 to
        255 for uint8, otherwise the lowest and highest value.
    range_of : str
        Planes that share a lowest and highest value if no range is given and the
        dtype is not uint8: ``"stack"``, the default, all planes of a channel;
        ``"image"``, each plane its own.

    Returns
    -------
    IntensityRanges
        The range of each plane.

    Raises
    ------
    InvalidInputError
        If a given range is invalid, or the lowest and highest value are needed and
        the stack contains infinite values or nothing but NaN.
    """
    if (known := known_ranges(planes, given, range_of=range_of)) is not None:
        return known
    search, whole = RangeSearch(planes, range_of), whole_plane(planes)
    for plane in plane_indices(planes):
        search.add(plane, planes.read(plane, whole))
    return search.result()


def known_ranges(
    planes: Planes, given: Any = None, *, range_of: str = "stack"
) -> IntensityRanges | None:
    """Return the intensity ranges of a stack if no pixels are needed, else None.

    They are known if they are given or the dtype is uint8. The parameters and
    errors are those of `resolve_intensity_ranges`.
    """
    if isinstance(given, IntensityRanges):
        return given
    groups = group_planes(planes, range_of)
    if isinstance(given, IntensityRange):
        of_channels: tuple[IntensityRange, ...] = (given,)
    elif given is not None:
        of_channels = _checked_ranges(given, _n_channels(planes))
    elif planes.dtype == np.uint8:
        of_channels = (IntensityRange(0.0, 255.0),)
    else:
        return None
    channels = (groups.channel_of(number) for number in range(len(groups.ranges)))
    ranges = (of_channels[channel % len(of_channels)] for channel in channels)
    return replace(groups, ranges=tuple(ranges))


def group_planes(planes: Planes, range_of: str) -> IntensityRanges:
    """Group the planes of a stack that share a range; all ranges are 0 to 0.

    The parameters are those of `resolve_intensity_ranges`.
    """
    leading = stack_axes(planes.axes)
    shape = tuple(planes.shape[: len(leading)])
    if range_of == "stack":
        shape = IntensityRanges.channel_shape(leading, shape)
    empty = IntensityRange(0.0, 0.0)
    return IntensityRanges(leading, shape, (empty,) * math.prod(shape))


class RangeSearch:
    """A search for the lowest and highest value of each group of planes.

    Parameters
    ----------
    planes : Planes
        The stack.
    range_of : str
        See `resolve_intensity_ranges`.
    """

    def __init__(self, planes: Planes, range_of: str) -> None:
        self._groups = group_planes(planes, range_of)
        self._lows, self._highs = np.full((2, len(self._groups.ranges)), np.nan)

    def add(self, plane: Sequence[int], part: NDArray[Any]) -> None:
        """Include a part of a plane in the search.

        Parameters
        ----------
        plane : sequence of int
            Index of the plane in the stack.
        part : numpy.ndarray
            Pixels of the plane, any shape and real dtype. NaN is ignored.

        Raises
        ------
        InvalidInputError
            If the part contains infinite values.
        """
        number = self._groups.number_of(plane)
        # fmin and fmax return the other operand if one is NaN.
        low, high = np.fmin.reduce(part, axis=None), np.fmax.reduce(part, axis=None)
        require_finite(np.asarray([low, high]))
        self._lows[number] = np.fmin(self._lows[number], low)
        self._highs[number] = np.fmax(self._highs[number], high)

    def result(self) -> IntensityRanges:
        """Return the ranges of the parts added so far; 0 to 0 for groups of only NaN.

        Raises
        ------
        InvalidInputError
            If all parts contain nothing but NaN.
        """
        if np.isnan(self._lows).all():
            raise InvalidInputError("The image contains nothing but NaN.")
        lows, highs = np.nan_to_num(self._lows), np.nan_to_num(self._highs)
        found = zip(lows.tolist(), highs.tolist(), strict=True)
        ranges = tuple(IntensityRange(low, high) for low, high in found)
        return replace(self._groups, ranges=ranges)


def require_range_of(range_of: str) -> None:
    """Raise unless `range_of` is one of `RANGE_OF`."""
    if not isinstance(range_of, str) or range_of not in RANGE_OF:
        raise InvalidInputError(
            f"range_of must be one of {', '.join(RANGE_OF)}, got {range_of!r}."
        )


def checked_given_range(given: Any) -> GivenRange:
    """Check the intensity range given by a user, and convert it to tuples of float.

    The number of pairs is not compared with the channels of an image.

    Parameters
    ----------
    given : tuple of float, sequence of such tuples, IntensityRange or IntensityRanges
        ``(low, high)`` for all channels, or one such pair for each channel C.

    Raises
    ------
    InvalidInputError
        If a pair is not two finite numbers, the lower first.
    """
    if isinstance(given, (IntensityRange, IntensityRanges)):
        return given
    pairs = _pairs(given)
    if not pairs:
        return _as_pair(_checked_range(given))
    checked = tuple(_as_pair(_checked_range(pair)) for pair in pairs)
    return checked[0] if len(checked) == 1 else checked


def _pairs(given: Any) -> list[Any]:
    """Return the pairs of separate channels; an empty list for a single range."""
    pairs = list(given) if isinstance(given, (list, tuple, np.ndarray)) else []
    return pairs if all(np.ndim(pair) == 1 for pair in pairs) else []


def _as_pair(scale: IntensityRange) -> tuple[float, float]:
    return scale.low, scale.high


def _n_channels(planes: Planes) -> int:
    return planes.shape[planes.axes.index("C")] if "C" in planes.axes else 1


def _checked_ranges(given: Any, n_channels: int) -> tuple[IntensityRange, ...]:
    """Check the given range; return one range, or one for each channel."""
    pairs = _pairs(given)
    if not pairs:
        return (_checked_range(given),)
    if len(pairs) not in (1, n_channels):
        raise InvalidInputError(
            f"intensity_range has {len(pairs)} pairs, but the image has {n_channels} "
            "channels (axis C). Pass one pair for all channels or one for each."
        )
    return tuple(_checked_range(pair) for pair in pairs)


def resolve_intensity_range(
    image: NDArray[Any], given: tuple[float, float] | IntensityRange | None = None
) -> IntensityRange:
    """Return the intensity range of an image.

    Parameters
    ----------
    image : numpy.ndarray
        The image, any shape and real dtype. NaN is ignored.
    given : tuple of float or IntensityRange, optional
        ``(low, high)`` in the image's units. None, the default, means 0 to 255 for
        uint8, otherwise the lowest and highest value of the image.

    Returns
    -------
    IntensityRange
        The range.

    Raises
    ------
    InvalidInputError
        If the given range is not two finite numbers, the lower first.
    """
    if isinstance(given, IntensityRange):
        return given
    if given is not None:
        return _checked_range(given)
    if image.dtype == np.uint8:
        return IntensityRange(0.0, 255.0)
    return IntensityRange(float(np.nanmin(image)), float(np.nanmax(image)))


def _checked_range(given: Any) -> IntensityRange:
    try:
        low, high = (float(value) for value in given)
    except (TypeError, ValueError, OverflowError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInputError(
            "intensity_range must be two finite numbers, the lower first, got "
            f"{given!r}."
        )
    return IntensityRange(low, high)
