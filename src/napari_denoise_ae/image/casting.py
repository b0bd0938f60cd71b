"""Cast to an image's dtype with rounding and saturation."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_of_pixels(
    values: NDArray[Any], axis: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """Average pixels in their own dtype; NaN only where there is nothing else."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        means = np.asarray(np.nanmean(values, axis=axis, dtype=np.float64))
    return cast_saturating(means, values.dtype)


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
