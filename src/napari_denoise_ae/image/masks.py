"""Masked arrays: masked pixels are unknown, and come back unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .casting import cast_saturating
from .checks import as_array, require_real

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def fill_masked(image: ArrayLike) -> NDArray[Any]:
    """Return an image as an array, with NaN instead of masked pixels.

    Parameters
    ----------
    image : array_like
        Possibly a `numpy.ma.MaskedArray`, real.

    Returns
    -------
    numpy.ndarray
        `image` itself if nothing is masked; otherwise floating-point, the same shape.

    Raises
    ------
    InvalidInputError
        If every pixel is masked, or the dtype is not integer or floating-point.
    """
    if not np.ma.is_masked(image):
        return as_array(image)
    masked: Any = image
    require_real(masked.dtype, masked.shape)
    if np.ma.getmaskarray(masked).all():
        raise InvalidInputError(
            "Every pixel of the image is masked. Unmask those that are valid."
        )
    is_float = np.issubdtype(masked.dtype, np.floating)
    floats = masked if is_float else masked.astype(np.float64)
    filled: NDArray[Any] = floats.filled(np.nan)
    return filled


def restore_mask(
    result: NDArray[Any], image: np.ma.MaskedArray[Any, Any], dtype: np.dtype[Any]
) -> np.ma.MaskedArray[Any, Any]:
    """Return a result with the mask of an image and its data below the mask.

    Parameters
    ----------
    result : numpy.ndarray
        What was computed from `fill_masked`, floating-point.
    image : numpy.ma.MaskedArray
        The image, same shape.
    dtype : numpy.dtype
        The dtype of the masked result.
    """
    mask = np.ma.getmaskarray(image)
    below = image.data.astype(dtype, copy=False)
    values = cast_saturating(np.where(mask, 0.0, result), dtype)
    # Floating-point numbers do not hold all integers of 64 bits.
    kept = mask | (result == image.data)
    restored: np.ma.MaskedArray[Any, Any] = np.ma.MaskedArray(
        np.where(kept, below, values), mask=mask.copy(), fill_value=image.fill_value
    )
    return restored
