"""Check that an array is an image that can be denoised."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError, one_line
from .namespace import find_nan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# What an array of a kind of dtype may have been meant to be.
_HINTS = {
    "b": " Masks and labels contain no noise.",
    "O": " For a napari layer, pass layer.data, or use denoise_layer(layer).",
}


# The squares of larger values overflow.
_LARGEST = 1e150


def as_array(image: Any) -> NDArray[Any]:
    """Return an image as an array, whatever a user passes.

    Parameters
    ----------
    image : array_like
        An array, nested lists of numbers, or an object that NumPy can convert.

    Raises
    ------
    InvalidInputError
        If it cannot be converted, such as lists of different lengths.
    """
    try:
        return np.asarray(image)
    # Other libraries raise errors of any kind.
    except Exception as error:
        raise InvalidInputError(
            f"Cannot convert the {type(image).__name__} to an array: "
            f"{one_line(error, 200).rstrip('.')}."
        ) from error


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer, and neither bool nor a time difference."""
    # NumPy counts time differences among its integers.
    is_other = isinstance(value, (bool, np.timedelta64))
    return isinstance(value, Integral) and not is_other


def number_of(value: Any) -> float:
    """Return a real number as a float; NaN for anything else, or if it is too large."""
    # NumPy counts time differences among its integers.
    is_other = isinstance(value, (bool, np.timedelta64))
    if is_other or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def require_image(image: NDArray[Any]) -> None:
    """Raise unless an array can be denoised.

    Parameters
    ----------
    image : numpy.ndarray
        The array.

    Raises
    ------
    InvalidInputError
        If the dtype is not integer or floating-point, or the array is empty, has
        infinite values or values beyond 1e150, or is all NaN.
    """
    require_real(image.dtype, image.shape)
    require_finite(image)
    nan = find_nan(image)
    if nan is not None and nan.all():
        raise InvalidInputError("The image contains nothing but NaN.")


def require_real(dtype: np.dtype[Any], shape: Sequence[int]) -> None:
    """Raise unless an array has a real dtype and at least one element.

    Parameters
    ----------
    dtype : numpy.dtype
        The dtype of the array.
    shape : sequence of int
        The shape of the array.

    Raises
    ------
    InvalidInputError
        If the dtype is not integer or floating-point, or an axis has length 0.
    """
    if dtype.kind not in "iuf":
        hint = _HINTS.get(dtype.kind, "")
        raise InvalidInputError(
            f"The dtype of an image must be integer or floating-point, got {dtype}."
            f"{hint}"
        )
    if 0 in shape:
        raise InvalidInputError(f"The image is empty: its shape is {tuple(shape)}.")


def require_finite(image: NDArray[Any]) -> None:
    """Raise if an array has infinite values, or too large ones; NaN is allowed.

    Parameters
    ----------
    image : numpy.ndarray
        The array, any real dtype.

    Raises
    ------
    InvalidInputError
        If any value is infinite or beyond 1e150.
    """
    if not np.issubdtype(image.dtype, np.floating):
        return
    low, high = image.min(), image.max()
    if np.isnan(low):
        # These ignore NaN, but take longer.
        low, high = np.fmin.reduce(image, axis=None), np.fmax.reduce(image, axis=None)
    if np.isinf(low) or np.isinf(high):
        raise InvalidInputError(
            "The image contains infinite values. Replace them, for example with "
            "numpy.nan, which is kept unchanged."
        )
    if max(-float(low), float(high)) > _LARGEST:
        raise InvalidInputError(
            f"The image contains values beyond {_LARGEST:g}, whose squares overflow. "
            "Divide it by a constant."
        )
