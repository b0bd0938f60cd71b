"""Checks of an array before it is denoised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def require_image(image: NDArray[Any]) -> None:
    """Raise unless an array can be denoised.

    Raises
    ------
    InvalidInputError
        If it is empty, no real numbers, or not finite.
    """
    require_real(image.dtype, image.shape)
    require_finite(image)
    if np.issubdtype(image.dtype, np.floating) and np.isnan(image).all():
        raise InvalidInputError("The image has nothing but NaN.")


def require_real(dtype: np.dtype[Any], shape: Sequence[int]) -> None:
    """Raise unless an array is made of real numbers, at least one.

    Raises
    ------
    InvalidInputError
        If it is not.
    """
    if not (np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)):
        hint = " Masks and labels have no noise." if dtype.kind == "b" else ""
        raise InvalidInputError(
            f"An image must be made of integers or floating-point numbers, got {dtype}."
            f"{hint}"
        )
    if 0 in shape:
        raise InvalidInputError(f"The image is empty: its shape is {tuple(shape)}.")


def require_finite(image: NDArray[Any]) -> None:
    """Raise if an array has infinite values; NaN is none of them.

    Raises
    ------
    InvalidInputError
        If it has.
    """
    if np.issubdtype(image.dtype, np.floating) and np.isinf(image).any():
        raise InvalidInputError(
            "The image has infinite values. Replace them, for example with "
            "numpy.nan, which is left as it is."
        )
