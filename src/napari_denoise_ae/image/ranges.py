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

#: What may share an intensity range: the stack, or each image has its own.
RANGE_OF = ("stack", "image")


def resolve_intensity_ranges(
    planes: Any, axes: str, given: Any = None, *, range_of: str = "stack"
) -> IntensityRanges:
    """Return the intensity ranges of a stack, one for each channel C.

    Parameters
    ----------
    planes : array
        (..., Y, X, channels), see `color_planes`; the colors share a range.
    axes : str
        The axes of the array that they come from.
    given : optional
        ``(low, high)`` for all channels, or one such pair for each channel C.
        None means 0 to 255 for uint8, else the lowest and highest value.
    range_of : str
        ``"stack"``: the planes of a channel share their range. ``"image"``:
        each has its own lowest and highest value, where none is given.

    Returns
    -------
    IntensityRanges
        The ranges.

    Raises
    ------
    InvalidInputError
        If a setting cannot be used.
    """
    if isinstance(given, IntensityRanges):
        return given
    if (known := known_ranges(planes, axes, given, range_of=range_of)) is not None:
        return known
    leading, shape = stack_grouping(planes, axes, range_of)
    found = tuple(_lowest_and_highest(planes[part]) for part in _groups(shape))
    return IntensityRanges(leading, shape, found)


def known_ranges(
    planes: Any, axes: str, given: Any = None, *, range_of: str = "stack"
) -> IntensityRanges | None:
    """Return the intensity ranges if they are known without looking at pixels.

    The arguments are those of `resolve_intensity_ranges`.
    """
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
    """Return the axes of a stack, and how many ranges there are along each.

    The arguments are those of `resolve_intensity_ranges`.
    """
    if range_of not in RANGE_OF:
        raise InvalidInputError(
            f"range_of must be one of {', '.join(RANGE_OF)}, got {range_of!r}."
        )
    leading = "".join(letter for letter in axes if letter not in "YXS")
    shape = tuple(planes.shape[: len(leading)])
    if range_of == "stack":
        shape = IntensityRanges.channel_shape(leading, shape)
    return leading, shape


def _n_channels(leading: str, shape: tuple[int, ...]) -> int:
    return shape[leading.index("C")] if "C" in leading else 1


def _groups(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Yield, for each range, which planes it is the range of."""
    parts = (
        [slice(None)] if length == 1 else [slice(i, i + 1) for i in range(length)]
        for length in shape
    )
    yield from product(*parts)


def _lowest_and_highest(planes: NDArray[Any]) -> IntensityRange:
    # A channel or an image may have nothing but NaN where others have pixels.
    if np.issubdtype(planes.dtype, np.floating) and np.isnan(planes).all():
        return IntensityRange(0.0, 0.0)
    return IntensityRange(float(np.nanmin(planes)), float(np.nanmax(planes)))


def _checked_ranges(
    given: Any, leading: str, shape: tuple[int, ...]
) -> tuple[IntensityRange, ...]:
    """Return one range, or one for each channel."""
    pairs = list(given) if isinstance(given, (list, tuple, np.ndarray)) else []
    if not pairs or not all(np.ndim(pair) == 1 for pair in pairs):
        return (_checked_range(given),)
    n_channels = _n_channels(leading, shape[: len(leading)])
    if len(pairs) not in (1, n_channels):
        raise InvalidInputError(
            f"intensity_range has {len(pairs)} pairs, but the image has {n_channels} "
            "channels (C). Give one pair for all, or one for each."
        )
    return tuple(_checked_range(pair) for pair in pairs)


def resolve_intensity_range(
    image: NDArray[Any], given: tuple[float, float] | IntensityRange | None = None
) -> IntensityRange:
    """Return the intensity range of an image.

    Parameters
    ----------
    image : numpy.ndarray
        The image; NaN is ignored.
    given : tuple of float or IntensityRange, optional
        ``(low, high)`` in the image's units, which is then taken. None means
        0 to 255 for uint8, else the lowest and highest value of the image.

    Returns
    -------
    IntensityRange
        The range.

    Raises
    ------
    InvalidInputError
        If the given range is not two finite numbers, the first the lower.
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
