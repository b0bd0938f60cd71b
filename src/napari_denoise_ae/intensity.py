"""The one intensity mapping: a declared range, linearly to [0, 1] and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InvalidInputError

if TYPE_CHECKING:
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

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

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
    return values.astype(dtype)


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
