"""Find the intensity ranges of an image or a stack."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .intensity import IntensityRange, IntensityRanges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .intensity import GivenRange

#: Values of `range_of`: all planes of a channel share a range, or each has its own.
RANGE_OF = ("stack", "image")


def resolve_intensity_ranges(
    planes: Any, axes: str, given: Any = None, *, range_of: str = "stack"
) -> IntensityRanges:
    """Return the intensity ranges of the planes of a stack.

    Parameters
    ----------
    planes : array
        (..., Y, X, colors), as returned by `color_planes`. The colors of a plane
        share a range; NaN is ignored.
    axes : str
        The axes of the array that the planes are from.
    given : optional
        ``(low, high)`` in the image's units for all channels, a sequence with one
        such pair for each channel C, or ranges that are already resolved. None,
        the default, means 0 to 255 for uint8, else the lowest and highest value.
    range_of : str
        If no range is given and the dtype is not uint8, ``"stack"``, the default,
        means the lowest and highest value of all planes of a channel, and
        ``"image"`` those of each plane.

    Returns
    -------
    IntensityRanges
        The range of each plane.

    Raises
    ------
    InvalidInputError
        If a given range is invalid.
    """
    if (known := known_ranges(planes, axes, given, range_of=range_of)) is not None:
        return known
    leading, shape = stack_grouping(planes, axes, range_of)
    found = tuple(_min_and_max(planes[group]) for group in _groups(shape))
    return IntensityRanges(leading, shape, found)


def known_ranges(
    planes: Any, axes: str, given: Any = None, *, range_of: str = "stack"
) -> IntensityRanges | None:
    """Return the intensity ranges of a stack if no pixels are needed, else None.

    They are known if they are given or the dtype is uint8. The parameters and
    errors are those of `resolve_intensity_ranges`.
    """
    if isinstance(given, IntensityRanges):
        return given
    leading, shape = stack_grouping(planes, axes, range_of)
    n_ranges = math.prod(shape)
    if isinstance(given, IntensityRange):
        return IntensityRanges(leading, shape, (given,) * n_ranges)
    if given is None:
        if planes.dtype != np.uint8:
            return None
        return IntensityRanges(leading, shape, (IntensityRange(0.0, 255.0),) * n_ranges)
    ranges = _checked_ranges(given, leading, planes.shape)
    by_channel = IntensityRanges(
        leading,
        IntensityRanges.channel_shape(leading, shape),
        ranges * (1 if len(ranges) > 1 else _n_channels(leading, shape)),
    )
    numbers = (by_channel.number_of(index) for index in np.ndindex(*shape))
    return IntensityRanges(leading, shape, tuple(by_channel.ranges[n] for n in numbers))


def stack_grouping(
    planes: Any, axes: str, range_of: str
) -> tuple[str, tuple[int, ...]]:
    """Return the `axes` and `shape` of `IntensityRanges` for a stack.

    The parameters and errors are those of `resolve_intensity_ranges`.
    """
    leading = "".join(letter for letter in axes if letter not in "YXS")
    shape = tuple(planes.shape[: len(leading)])
    if range_of == "stack":
        shape = IntensityRanges.channel_shape(leading, shape)
    return leading, shape


def require_range_of(range_of: str) -> None:
    """Raise unless a name is one of `RANGE_OF`."""
    if range_of not in RANGE_OF:
        raise InvalidInputError(
            f"range_of must be one of {', '.join(RANGE_OF)}, got {range_of!r}."
        )


def checked_given_range(given: Any) -> GivenRange:
    """Return an intensity range as a user gives it, checked, as tuples of float.

    Parameters
    ----------
    given : tuple of float, sequence of such tuples, IntensityRange or IntensityRanges
        ``(low, high)`` for all channels, or one such pair for each channel C.

    Raises
    ------
    InvalidInputError
        If it is none of these. How many channels the image has is not known here.
    """
    if isinstance(given, (IntensityRange, IntensityRanges)):
        return given
    pairs = _pairs(given)
    if not pairs:
        return _as_pair(_checked_range(given))
    checked = tuple(_as_pair(_checked_range(pair)) for pair in pairs)
    return checked[0] if len(checked) == 1 else checked


def _pairs(given: Any) -> list[Any]:
    """Return the pairs of a range for each channel; none of a single range."""
    pairs = list(given) if isinstance(given, (list, tuple, np.ndarray)) else []
    return pairs if all(np.ndim(pair) == 1 for pair in pairs) else []


def _as_pair(scale: IntensityRange) -> tuple[float, float]:
    return scale.low, scale.high


def _n_channels(leading: str, shape: tuple[int, ...]) -> int:
    return shape[leading.index("C")] if "C" in leading else 1


def _groups(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Yield, for each range, the index of the planes that share it."""
    slices = (
        [slice(None)] if length == 1 else [slice(i, i + 1) for i in range(length)]
        for length in shape
    )
    yield from product(*slices)


def _min_and_max(planes: NDArray[Any]) -> IntensityRange:
    # One channel or image may be all NaN although the whole stack is not.
    if np.issubdtype(planes.dtype, np.floating) and np.isnan(planes).all():
        return IntensityRange(0.0, 0.0)
    return IntensityRange(float(np.nanmin(planes)), float(np.nanmax(planes)))


def _checked_ranges(
    given: Any, leading: str, shape: tuple[int, ...]
) -> tuple[IntensityRange, ...]:
    """Check the given pairs, and return one range or one for each channel."""
    pairs = _pairs(given)
    if not pairs:
        return (_checked_range(given),)
    n_channels = _n_channels(leading, shape[: len(leading)])
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
        The range, ``(low, high)`` in the image's units. None, the default, means
        0 to 255 for uint8, else the lowest and highest value of the image.

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
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInputError(
            "intensity_range must be two finite numbers, the lower first, got "
            f"{given!r}."
        )
    return IntensityRange(low, high)
