"""Check that an array is an image that can be denoised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .namespace import find_nan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# What an array of a kind of dtype may have been meant to be.
_HINTS = {
    "b": " Masks and labels contain no noise.",
    "O": " For a napari layer, pass layer.data, or use denoise_layer(layer).",
}


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
        infinite values or is all NaN.
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
    if not (np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)):
        hint = _HINTS.get(dtype.kind, "")
        raise InvalidInputError(
            f"The dtype of an image must be integer or floating-point, got {dtype}."
            f"{hint}"
        )
    if 0 in shape:
        raise InvalidInputError(f"The image is empty: its shape is {tuple(shape)}.")


def require_finite(image: NDArray[Any]) -> None:
    """Raise if an array has infinite values; NaN is allowed.

    Parameters
    ----------
    image : numpy.ndarray
        The array, any real dtype.

    Raises
    ------
    InvalidInputError
        If any value is infinite.
    """
    if not np.issubdtype(image.dtype, np.floating):
        return
    # The limits need no memory; they are NaN where any value is.
    if np.isfinite(image.min()) and np.isfinite(image.max()):
        return
    if np.isinf(image).any():
        raise InvalidInputError(
            "The image contains infinite values. Replace them, for example with "
            "numpy.nan, which is kept unchanged."
        )
