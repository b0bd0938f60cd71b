"""Cast to the dtype of an image with rounding and saturation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Size of 64-bit integers, in bytes.
_LARGE_INTEGER = 8


def mean_of_pixels(
    values: NDArray[Any], axis: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """Return the mean of pixels in their own dtype, ignoring NaN.

    Parameters
    ----------
    values : numpy.ndarray
        The pixels, any real dtype.
    axis : tuple of int, optional
        Axes to average over; None, the default, means all.

    Returns
    -------
    numpy.ndarray
        The means, in the dtype of `values`; integers are rounded. A mean is NaN
        only if all its pixels are NaN.
    """
    # np.nanmean is not used because it warns about empty means, and Python can only
    # ignore warnings in all threads at once.
    missing = np.isnan(values)
    without_nan = values.copy(order="K")
    np.copyto(without_nan, 0, where=missing)
    total = np.sum(without_nan, axis=axis, dtype=np.float64)
    count = np.sum(~missing, axis=axis)
    with np.errstate(invalid="ignore"):
        means = np.asarray(total / count)
    return cast_saturating(means, values.dtype)


def mean_of_squares(values: NDArray[Any], y: int) -> NDArray[Any]:
    """Return the means of 2 x 2 pixels, in their own dtype, ignoring NaN.

    Parameters
    ----------
    values : numpy.ndarray
        The pixels, any real dtype. An odd last row or column is left out.
    y : int
        Axis of the rows; that of the columns is the next one.
    """
    height, width = (length // 2 for length in values.shape[y : y + 2])
    every = (slice(None),) * y
    even = values[(*every, slice(2 * height), slice(2 * width))]
    before, after = values.shape[:y], values.shape[y + 2 :]
    squares = even.reshape(*before, height, 2, width, 2, *after)
    return mean_of_pixels(squares, axis=(y + 1, y + 3))


def copy_as(image: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a copy of an image in its own dtype or in a floating-point dtype."""
    # A float64 value can be too large for float32; it becomes infinite.
    with np.errstate(over="ignore"):
        return image.astype(dtype, order="C")


def cast_saturating(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Cast to a dtype; values beyond its limits are clipped to them.

    Parameters
    ----------
    values : numpy.ndarray
        float64, any shape. NaN is allowed only if `dtype` is floating-point.
    dtype : numpy.dtype
        An integer or floating-point dtype. Integers are rounded to nearest.

    Returns
    -------
    numpy.ndarray
        The same shape, of dtype `dtype`.
    """
    rounded: NDArray[np.float64] = round_within(values, dtype)
    if not np.issubdtype(dtype, np.integer) or dtype.itemsize < _LARGE_INTEGER:
        return rounded.astype(dtype)
    # float64 cannot represent the limits of 64-bit integers exactly, so only values
    # strictly between them are cast, and the limits themselves are assigned.
    limits = np.iinfo(dtype)
    low, high = float(limits.min), float(limits.max)
    inside = (rounded > low) & (rounded < high)
    cast = np.where(inside, rounded, 0.0).astype(dtype)
    cast[rounded >= high] = limits.max
    cast[rounded <= low] = limits.min
    return cast


def round_within(values: Any, dtype: np.dtype[Any]) -> Any:
    """Clip to the limits of a dtype, and round to nearest if it is an integer one.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        Floating point, any shape.
    dtype : numpy.dtype
        An integer or floating-point dtype.

    Returns
    -------
    numpy.ndarray or torch.Tensor
        Same shape, in the dtype of `values`.
    """
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return values.round().clip(float(limits.min), float(limits.max))
    # For example, the largest float16 is 65504; larger values would become infinite.
    largest = float(np.finfo(dtype).max)
    return values.clip(-largest, largest)
