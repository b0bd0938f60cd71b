"""The one intensity mapping: a declared range, linearly to [0, 1] and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, ClassVar, Union

import numpy as np

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeAlias

    from numpy.typing import NDArray

#: What may share an intensity range: the stack, or each image has its own.
RANGE_OF = ("stack", "image")


@dataclass(frozen=True, slots=True)
class IntensityRange:
    """The intensities that become 0 and 1.

    Parameters
    ----------
    low, high : float
        In the image's units. Equal for a constant image, which maps to 0.
    """

    low: float
    high: float

    #: What pixels that are missing are taken for, once they are mapped.
    middle: ClassVar[float] = 0.5
    #: Between these a network sees what is mapped; the rest is kept from it.
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    @property
    def level(self) -> float | None:
        """The noise level that the network is told; None if it is told none."""
        return None

    @property
    def width(self) -> float:
        """Difference between `high` and `low`, in the image's units."""
        return self.high - self.low

    def to_unit(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Map intensities to [0, 1]; what lies outside the range stays outside."""
        shifted: NDArray[np.float64] = values.astype(np.float64) - self.low
        # Times 0 and not just zeros: NaN stays NaN.
        return shifted / self.width if self.width > 0 else shifted * 0.0

    def from_unit(self, unit: NDArray[Any]) -> NDArray[np.float64]:
        """Invert `to_unit`."""
        scaled: NDArray[np.float64] = unit.astype(np.float64) * self.width
        return scaled + self.low


@dataclass(frozen=True, slots=True)
class IntensityRanges:
    """The intensity ranges of the planes of a stack.

    Parameters
    ----------
    axes : str
        The axes of the stack without Y, X and S; empty for a single plane.
    shape : tuple of int
        How many ranges there are along each of them: 1 where all share one.
    ranges : tuple of IntensityRange
        The ranges, in C order.
    """

    axes: str
    shape: tuple[int, ...]
    ranges: tuple[IntensityRange, ...]

    def of(self, plane: Sequence[int]) -> IntensityRange:
        """Return the range of a plane, by its index in the stack."""
        return self.ranges[self.number_of(plane)]

    def number_of(self, plane: Sequence[int]) -> int:
        """Return which of `ranges` is that of a plane."""
        number = 0
        for index, length in zip(plane, self.shape, strict=True):
            number = number * length + index % length
        return number

    def channel_of(self, number: int) -> int:
        """Return the channel that one of `ranges` belongs to; 0 without C."""
        if "C" not in self.axes:
            return 0
        return int(np.unravel_index(number, self.shape)[self.axes.index("C")])

    @property
    def hull(self) -> IntensityRange:
        """The smallest range that holds them all."""
        return IntensityRange(
            min(each.low for each in self.ranges),
            max(each.high for each in self.ranges),
        )

    def __str__(self) -> str:
        if len(set(self.ranges)) == 1:
            return str(self.ranges[0])
        if self.axes and self.shape == self.channel_shape(self.axes, self.shape):
            return ", ".join(f"channel {n}: {one}" for n, one in enumerate(self.ranges))
        if self.ranges[0].level is not None:
            return f"of each image, the first: {self.ranges[0]}"
        return f"of each image, within {self.hull}"

    @staticmethod
    def channel_shape(axes: str, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of ranges that all but the channels share."""
        return tuple(
            length if letter == "C" else 1
            for letter, length in zip(axes, shape, strict=True)
        )


#: What may be given as `intensity_range`.
GivenRange: TypeAlias = Union[
    "tuple[float, float]",
    "Sequence[tuple[float, float]]",
    IntensityRange,
    IntensityRanges,
]


def share_range(axes: str, scale: IntensityRange) -> IntensityRanges:
    """Return one range for all planes of a stack with these axes."""
    leading = "".join(letter for letter in axes if letter not in "YXS")
    return IntensityRanges(leading, (1,) * len(leading), (scale,))


def resolve_intensity_ranges(
    planes: Any, axes: str, given: Any = None, *, range_of: str = "stack"
) -> IntensityRanges:
    """Return the intensity ranges of a stack, one for each channel C.

    Parameters
    ----------
    planes : array
        (..., Y, X, channels), see `colour_planes`; the colours share a range.
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


def cast_saturating(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Cast to `dtype`; integers are rounded and saturated, never wrapped round."""
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return _round_into(values, limits.min, limits.max, dtype)
    # float16 ends at 65504: what lies beyond must not become infinite.
    largest = float(np.finfo(dtype).max)
    return np.clip(values, -largest, largest).astype(dtype)


def _round_into(
    values: NDArray[np.float64], low: int, high: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    rounded = np.rint(values)
    # float64 cannot hold the limits of 64-bit integers exactly, so only what
    # lies inside them is cast.
    inside = (rounded > float(low)) & (rounded < float(high))
    cast = np.where(inside, rounded, 0.0).astype(dtype)
    cast[rounded >= float(high)] = high
    cast[rounded <= float(low)] = low
    return cast
