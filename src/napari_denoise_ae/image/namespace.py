"""What formulas need to take NumPy arrays and torch tensors alike.

Arrays are computed in float64, because they are measured; tensors in the dtype that the
caller has chosen.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def namespace_of(values: Any) -> Any:
    """Return the module, numpy or torch, whose functions take an array or tensor."""
    # Whoever has a tensor has imported torch.
    return np if isinstance(values, np.ndarray) else sys.modules["torch"]


def as_floating(values: Any) -> Any:
    """Return an array as float64; a tensor, which is floating-point, unchanged."""
    return values.astype(np.float64) if isinstance(values, np.ndarray) else values


def find_nan(values: Any) -> Any | None:
    """Return which elements of an array or tensor are NaN, or None if there are none.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        Any shape and real dtype.
    """
    xp = namespace_of(values)
    if isinstance(values, np.ndarray) and not np.issubdtype(values.dtype, np.floating):
        return None
    # The minimum is NaN if any element is, and takes a tenth of the time of a mask.
    return xp.isnan(values) if xp.isnan(values.min()) else None


def extremes_of(values: Any) -> tuple[Any, Any]:
    """Return the minimum and the maximum of an array or tensor of any shape."""
    if isinstance(values, np.ndarray):
        return values.min(), values.max()
    low, high = namespace_of(values).aminmax(values)
    return low, high


def any_of(mask: Any) -> bool:
    """Return whether a mask, an array or tensor, is True anywhere."""
    # Bytes are compared many times as fast as truth values.
    return bool(mask.view(namespace_of(mask).uint8).max())


def places_of(mask: Any) -> tuple[Any, Any, Any]:
    """Return the indices at which a mask, (Y, X, channels), is True.

    Faster than `numpy.nonzero` if few rows have any.
    """
    xp = namespace_of(mask)
    (rows,) = xp.where(xp.amax(mask.view(xp.uint8), (1, 2)) > 0)
    number, columns, channels = xp.where(mask[rows])
    return rows[number], columns, channels


def as_type_of(values: Any, array: NDArray[Any]) -> Any:
    """Return an array as a tensor, with dtype and device of `values`, if that is one.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        Decides the type.
    array : numpy.ndarray
        A small table.
    """
    return array if isinstance(values, np.ndarray) else values.new_tensor(array)
