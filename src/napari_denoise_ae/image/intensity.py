"""The one intensity mapping: a declared range, linearly to [0, 1] and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, Union

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


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

    def normalize(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Map intensities to [0, 1]; what lies outside the range stays outside."""
        shifted: NDArray[np.float64] = values.astype(np.float64) - self.low
        # Times 0 and not just zeros: NaN stays NaN.
        return shifted / self.width if self.width > 0 else shifted * 0.0

    def denormalize(self, unit: NDArray[Any]) -> NDArray[np.float64]:
        """Invert `normalize`."""
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
