"""Pixels on their way to a device and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..image.casting import cast_saturating, round_within

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ..image.intensity import IntensityRange

# Dtypes to which a device casts. 64-bit integers need the care of `cast_saturating`.
_CAST = {
    np.dtype(name): getattr(torch, name)
    for name in (
        *("uint8", "int8", "uint16", "int16", "uint32", "int32"),
        *("float16", "float32", "float64"),
    )
}
# Devices on which pixels are prepared; others may lack float64 or unsigned integers.
_COMPLETE = ("cpu", "cuda")
# float32 has 24 bits: integers of 16 bits are exact in it, and so are images of
# float32. Intensities this many ranges away from 0 lose too many of them...
_FARTHEST = 1e2
# ...and outside these limits, squares overflow or vanish.
_SMALLEST, _LARGEST = 1e-15, 1e15


def preparing_device(device: torch.device) -> torch.device:
    """Return where to prepare pixels for a network on a device."""
    return device if device.type in _COMPLETE else torch.device("cpu")


def working_dtype(dtype: np.dtype[Any], scale: IntensityRange) -> torch.dtype:
    """Return the floating-point dtype in which pixels are normalized and restored.

    It is float32 where that is as exact as the image itself: for integers of up to 16
    bits, float16 and float32, unless the range lies far from 0 relative to its width.
    Otherwise it is float64. The network always computes in float32 or less.

    Parameters
    ----------
    dtype : numpy.dtype
        Data type of the pixels.
    scale : IntensityRange
        Their scaling.
    """
    is_short = dtype.itemsize <= np.dtype(np.int16).itemsize or dtype == np.float32
    is_near = abs(scale.low) <= _FARTHEST * scale.width
    if is_short and is_near and _SMALLEST < scale.width < _LARGEST:
        return torch.float32
    return torch.float64


def upload(block: NDArray[Any], device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return a copy of pixels on a device, where they are cast to a dtype.

    Parameters
    ----------
    block : numpy.ndarray
        Any shape, strides, byte order and real dtype.
    device : torch.device
        ``cpu`` or ``cuda``, see `preparing_device`.
    dtype : torch.dtype
        Floating-point, see `working_dtype`.
    """
    native = block.dtype.newbyteorder("=")
    if native not in _CAST and block.dtype.kind == "f":
        native = np.dtype(np.float64)  # long double
    sent = torch.from_numpy(np.empty(0, native)).dtype
    # From pinned memory, a GPU copies while it computes.
    staged = torch.empty(block.shape, dtype=sent, pin_memory=device.type == "cuda")
    np.copyto(staged.numpy(), block, casting="same_kind")
    return staged.to(device, non_blocking=True).to(dtype)


def as_array(values: Any) -> NDArray[Any]:
    """Return an array, or the pixels of a tensor as one."""
    if isinstance(values, np.ndarray):
        return values
    array: NDArray[Any] = values.cpu().numpy()
    return array


def as_pixels(values: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Cast intensities to the dtype of a result, see `cast_saturating`.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        Floating point, any shape. Tensors are cast on their device.
    dtype : numpy.dtype
        Data type of the result.
    """
    known = _CAST.get(dtype.newbyteorder("="))
    if isinstance(values, np.ndarray) or known is None:
        return cast_saturating(as_array(values), dtype)
    return as_array(round_within(values, dtype).to(known))


def merge_kept(
    block: NDArray[Any], values: Any, kept: Any | None, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return denoised pixels in the dtype of the result.

    Parameters
    ----------
    block : numpy.ndarray
        The pixels that were denoised, (Y, X, channels).
    values : numpy.ndarray or torch.Tensor
        The denoised intensities, same shape.
    kept : numpy.ndarray, torch.Tensor or None
        Same shape, True for pixels that keep their value in `block`.
    dtype : numpy.dtype
        Data type of the result.
    """
    result = as_pixels(values, dtype)
    if kept is not None:
        unchanged = block.astype(dtype, copy=False)
        np.copyto(result, unchanged, where=as_array(kept))
    return result
