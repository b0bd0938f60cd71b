"""Map intensities from a given range linearly to [0, 1] and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, Union

import numpy as np

from .axes import stack_axes
from .namespace import as_floating, find_nan, namespace_of

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class IntensityRange:
    """The intensities that are mapped to 0 and 1.

    Parameters
    ----------
    low, high : float
        In the image's units. Equal for a constant image, which is mapped to 0.
    """

    low: float
    high: float

    #: Mapped intensity that replaces NaN in the network's input.
    middle: ClassVar[float] = 0.5
    #: The network's input is clipped to these mapped intensities.
    limits: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    @property
    def noise_level(self) -> float | None:
        """Noise level passed to the network, None if it takes none."""
        return None

    @property
    def keeps_hot_pixels(self) -> bool:
        """Whether hot and dead pixels are returned unchanged."""
        return True

    @property
    def noise_inputs(self) -> tuple[float, ...]:
        """Values that describe the noise to the network; none if it takes none."""
        return ()

    @property
    def width(self) -> float:
        """Difference between `high` and `low`, in the image's units."""
        return self.high - self.low

    def normalize(self, values: Any) -> Any:
        """Map the range linearly to [0, 1].

        Parameters
        ----------
        values : numpy.ndarray or torch.Tensor
            Intensities in the image's units, any shape. Arrays may have any real
            dtype; tensors must be floating-point.

        Returns
        -------
        numpy.ndarray or torch.Tensor
            The same shape; float64, or the dtype of the tensor. Intensities outside
            the range are mapped to values outside [0, 1]; NaN stays NaN.
        """
        # Large images take most of the time for memory: the second step is in place.
        mapped = as_floating(values) - self.low
        if self.width > 0:
            mapped /= self.width
        else:
            mapped *= 0.0  # instead of returning zeros: it keeps NaN
        return mapped

    def denormalize(self, unit: Any) -> Any:
        """Invert `normalize`.

        Parameters
        ----------
        unit : numpy.ndarray or torch.Tensor
            Mapped intensities, see `normalize`.

        Returns
        -------
        numpy.ndarray or torch.Tensor
            The same shape, in the image's units; float64, or the dtype of the tensor.
        """
        intensities = as_floating(unit) * self.width
        intensities += self.low
        return intensities

    def find_unknown(self, values: Any) -> Any | None:
        """Return which pixels hold nothing, because they are NaN; None if none do."""
        return find_nan(values)

    def find_hot(self, _unit: Any) -> Any | None:
        """Return which pixels of a mapped image are not shown to the network: none."""
        return None

    def fill(self, unit: Any, unknown: Any) -> Any:
        """Replace unknown pixels by the middle of the range, which has no color."""
        return namespace_of(unit).where(unknown, self.middle, unit)


@dataclass(frozen=True, slots=True)
class OpenRange(IntensityRange):
    """A range beyond which intensities are not clipped."""

    middle: ClassVar[float] = 0.0
    limits: ClassVar[tuple[float, float]] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class IntensityRanges:
    """The intensity ranges of the planes of a stack.

    Parameters
    ----------
    axes : str
        The axes of the stack without Y, X and S; empty for a single plane.
    shape : tuple of int
        Number of ranges along each axis: its length, or 1 if all planes along
        the axis share a range.
    ranges : tuple of IntensityRange
        The ranges in C order.
    """

    axes: str
    shape: tuple[int, ...]
    ranges: tuple[IntensityRange, ...]

    def of(self, plane: Sequence[int]) -> IntensityRange:
        """Return the range of the plane at an index in the stack."""
        return self.ranges[self.number_of(plane)]

    def number_of(self, plane: Sequence[int]) -> int:
        """Return the index into `ranges` for the plane at an index in the stack."""
        number = 0
        for index, length in zip(plane, self.shape, strict=True):
            number = number * length + index % length
        return number

    def channel_of(self, number: int) -> int:
        """Return the channel of the range at an index in `ranges`; 0 without axis C."""
        if "C" not in self.axes:
            return 0
        return int(np.unravel_index(number, self.shape)[self.axes.index("C")])

    @property
    def hull(self) -> IntensityRange:
        """The smallest range that contains all ranges."""
        return IntensityRange(
            min(each.low for each in self.ranges),
            max(each.high for each in self.ranges),
        )

    def __str__(self) -> str:
        if len(set(self.ranges)) == 1:
            return str(self.ranges[0])
        if self.axes and self.shape == self.channel_shape(self.axes, self.shape):
            return ", ".join(f"channel {n}: {one}" for n, one in enumerate(self.ranges))
        if self.ranges[0].noise_level is not None:
            return f"separate for each image, the first: {self.ranges[0]}"
        return f"separate for each image, within {self.hull}"

    @staticmethod
    def channel_shape(axes: str, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of ranges that all planes of a channel share.

        Parameters
        ----------
        axes : str
            The axes of the stack without Y, X and S.
        shape : sequence of int
            The length of each axis.

        Returns
        -------
        tuple of int
            The length of C, and 1 for all other axes.
        """
        return tuple(
            length if letter == "C" else 1
            for letter, length in zip(axes, shape, strict=True)
        )


#: Types of `intensity_range`: one range, one for each channel, or resolved ranges.
GivenRange: TypeAlias = Union[
    "tuple[float, float]",
    "Sequence[tuple[float, float]]",
    IntensityRange,
    IntensityRanges,
]


def share_range(axes: str, intensity_range: IntensityRange) -> IntensityRanges:
    """Return the ranges of a stack whose planes all share one.

    Parameters
    ----------
    axes : str
        All axes of the stack.
    intensity_range : IntensityRange
        The shared range.
    """
    leading = stack_axes(axes)
    return IntensityRanges(leading, (1,) * len(leading), (intensity_range,))
