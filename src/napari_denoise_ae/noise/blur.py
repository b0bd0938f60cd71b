"""Gaussian noise that neighboring pixels share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor

# Where a kernel is cut off, in standard deviations: at 0.03 % of its maximum.
_REACH = 4.0


def blurred_normal(
    clean: Tensor, generator: Generator, blur_y: Tensor | float, blur_x: Tensor | float
) -> Tensor:
    """Draw standard normal values, each correlated with its neighbors.

    White noise is filtered with a sampled Gaussian kernel along Y and X and rescaled
    to a standard deviation of 1. It is drawn beyond the borders, so its statistics
    are the same everywhere.

    Parameters
    ----------
    clean : torch.Tensor
        (N, C, Y, X), floating point; gives the shape, the dtype and the device.
    generator : torch.Generator
        Source of the random numbers, on the device of `clean`.
    blur_y, blur_x : torch.Tensor or float
        Standard deviation of the kernel in pixels; 0 leaves the axis white. One for
        all images, or one for each of shape (N, 1, 1, 1).

    Returns
    -------
    torch.Tensor
        (N, C, Y, X). Each channel is blurred, and independent of the others.
    """
    kernels = {axis: _kernels(std, clean) for axis, std in ((2, blur_y), (3, blur_x))}
    shape = list(clean.shape)
    for axis, kernel in kernels.items():
        shape[axis] += kernel.shape[1] - 1
    noise = clean.new_empty(shape).normal_(generator=generator)
    for axis, kernel in kernels.items():
        noise = _filter(noise, kernel, axis)
    return noise


def _kernels(std: Tensor | float, clean: Tensor) -> Tensor:
    """Return a kernel for each image, (N, taps), of unit sum of squares."""
    import torch

    stds = clean.new_empty((len(clean), 1))
    stds[...] = std.reshape(-1, 1) if isinstance(std, torch.Tensor) else std
    reach = math.ceil(_REACH * float(stds.max())) if len(stds) else 0
    offsets = torch.arange(-reach, reach + 1, dtype=stds.dtype, device=stds.device)
    # A standard deviation of 0 leaves the tap in the middle only.
    tiny = torch.finfo(stds.dtype).eps
    kernels = torch.exp(-0.5 * (offsets / stds.clamp_min(tiny)).square())
    return kernels.div_(kernels.norm(dim=1, keepdim=True))


def _filter(noise: Tensor, kernels: Tensor, axis: int) -> Tensor:
    """Filter each image along an axis, where the kernel lies inside the image."""
    length = noise.shape[axis] - kernels.shape[1] + 1
    filtered = kernels.new_zeros(noise.narrow(axis, 0, length).shape)
    for offset, taps in enumerate(kernels.T):
        weights = taps.reshape(-1, 1, 1, 1)
        filtered.addcmul_(noise.narrow(axis, offset, length), weights)
    return filtered
