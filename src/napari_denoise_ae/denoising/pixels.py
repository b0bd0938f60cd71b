"""Pixels on their way to a device and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..image.casting import cast_saturating, round_within

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    native = dtype.newbyteorder("=")
    is_short = native.itemsize <= np.dtype(np.int16).itemsize or native == np.float32
    is_near = abs(scale.low) <= _FARTHEST * scale.width
    if is_short and is_near and _SMALLEST < scale.width < _LARGEST:
        return torch.float32
    return torch.float64


def upload(
    blocks: Sequence[NDArray[Any]], device: torch.device, dtype: torch.dtype
) -> Tensor:
    """Return a copy of pixels on a device, where they are cast to a dtype.

    Parameters
    ----------
    blocks : sequence of numpy.ndarray
        N arrays of the same shape, (Y, X, channels), and of the same real dtype; any
        strides and byte order.
    device : torch.device
        ``cpu`` or ``cuda``, see `preparing_device`.
    dtype : torch.dtype
        Floating-point, see `working_dtype`.

    Returns
    -------
    torch.Tensor
        (Y, X, N * channels): each image is a channel of its own for all that follows
        but the network.
    """
    first = blocks[0]
    native = first.dtype.newbyteorder("=")
    if native not in _CAST and first.dtype.kind == "f":
        native = np.dtype(np.float64)  # long double
    sent = torch.from_numpy(np.empty(0, native)).dtype
    # From pinned memory, a GPU copies while it computes.
    is_pinned = device.type == "cuda"
    staged = torch.empty((len(blocks), *first.shape), dtype=sent, pin_memory=is_pinned)
    for place, block in zip(staged.numpy(), blocks, strict=True):
        np.copyto(place, block, casting="same_kind")
    pixels = staged.to(device, non_blocking=True).to(dtype)
    channels: Tensor = pixels.permute(1, 2, 0, 3).flatten(2)
    return channels


def images_of(values: Tensor, n_images: int) -> Tensor:
    """Return (Y, X, N * channels) as N images, (N, Y, X, channels)."""
    images: Tensor = values.unflatten(2, (n_images, -1)).permute(2, 0, 1, 3)
    return images


def as_array(values: Any) -> NDArray[Any]:
    """Return an array, or the pixels of a tensor as one."""
    if isinstance(values, np.ndarray):
        return values
    if values.is_cuda:
        # torch keeps pinned memory, to which a GPU copies several times as fast.
        pinned = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
        values = pinned.copy_(values)
    array: NDArray[Any] = values.numpy()
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
    # What is computed in float32 is far from its limits, see `working_dtype`.
    if known is values.dtype is torch.float32:
        return as_array(values)
    if isinstance(values, np.ndarray) or known is None:
        return cast_saturating(as_array(values), dtype)
    return as_array(round_within(values, dtype).to(known))


def merge_kept(
    block: NDArray[Any],
    values: NDArray[np.float64],
    kept: NDArray[np.bool_] | None,
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    """Return denoised pixels in the dtype of the result.

    Parameters
    ----------
    block : numpy.ndarray
        The pixels that were denoised, (Y, X, channels).
    values : numpy.ndarray
        The denoised intensities, same shape.
    kept : numpy.ndarray or None
        Same shape, True for pixels that keep their value in `block`.
    dtype : numpy.dtype
        Data type of the result.
    """
    return keep_unchanged(as_pixels(values, dtype), block, kept)


def keep_unchanged(
    result: NDArray[Any], block: NDArray[Any], kept: NDArray[np.bool_] | None
) -> NDArray[Any]:
    """Return a result, changed to the pixels of `block` where `kept` is True."""
    if kept is not None:
        np.copyto(result, block.astype(result.dtype, copy=False), where=kept)
    return result
