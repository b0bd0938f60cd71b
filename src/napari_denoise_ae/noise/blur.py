"""Spatially correlated Gaussian noise."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, Tensor

# Kernels are truncated at this many standard deviations, at 0.03 % of their maximum.
_TRUNCATION = 4.0
# Blurs in pixels among which `blur_of_correlation` interpolates; the largest gives a
# correlation of 0.97.
_LARGEST_STD, _N_STDS = 3.0, 601


def blurred_normal(
    clean: Tensor, generator: Generator, blur_y: Tensor | float, blur_x: Tensor | float
) -> tuple[Tensor, Tensor]:
    """Draw standard normal values that are correlated with their neighbors.

    White noise is filtered with a sampled Gaussian kernel along Y and X and rescaled
    to a standard deviation of 1. It is also drawn beyond the borders, so its
    statistics are the same at the borders as inside.

    Parameters
    ----------
    clean : torch.Tensor
        (N, C, Y, X), floating point. Only its shape, dtype and device are used.
    generator : torch.Generator
        Source of the random numbers, on the device of `clean`.
    blur_y, blur_x : torch.Tensor or float
        Standard deviation of the kernel in pixels: a number, or a tensor of shape
        (N, 1, 1, 1) with a value for each image. 0 leaves the axis uncorrelated.

    Returns
    -------
    noise : torch.Tensor
        (N, C, Y, X). Channels are independent of each other.
    correlation : torch.Tensor
        Correlation of neighbors along X and Y, (N, 2).
    """
    import torch

    kernels = {axis: _kernels(std, clean) for axis, std in ((2, blur_y), (3, blur_x))}
    shape = list(clean.shape)
    for axis, kernel in kernels.items():
        shape[axis] += kernel.shape[1] - 1
    noise = clean.new_empty(shape).normal_(generator=generator)
    for axis, kernel in kernels.items():
        noise = _filter(noise, kernel, axis)
    # The kernels have a sum of squares of 1.
    found = [(k[:, 1:] * k[:, :-1]).sum(dim=1) for k in (kernels[3], kernels[2])]
    return noise, torch.stack(found, dim=1)


@cache
def blur_of_correlation(correlation: float) -> float:
    """Return the blur that gives neighbors a correlation.

    Parameters
    ----------
    correlation : float
        Correlation of neighboring pixels along an axis, 0 to 0.95.

    Returns
    -------
    float
        Standard deviation of the kernel along that axis in pixels, for
        `blurred_normal`.
    """
    import torch

    stds = torch.linspace(0.0, _LARGEST_STD, _N_STDS, dtype=torch.float64)
    kernels = _kernels(stds, stds)
    found = (kernels[:, 1:] * kernels[:, :-1]).sum(dim=1)
    # The correlation increases with the blur.
    return float(np.interp(correlation, found.numpy(), stds.numpy()))


def _kernels(std: Tensor | float, clean: Tensor) -> Tensor:
    """Return a kernel for each image, (N, taps); the sum of its squares is 1."""
    import torch

    stds = clean.new_empty((len(clean), 1))
    stds[...] = std.reshape(-1, 1) if isinstance(std, torch.Tensor) else std
    radius = math.ceil(_TRUNCATION * float(stds.max())) if len(stds) else 0
    offsets = torch.arange(-radius, radius + 1, dtype=stds.dtype, device=stds.device)
    # With a standard deviation of 0, only the center tap is not 0.
    tiny = torch.finfo(stds.dtype).eps
    kernels = torch.exp(-0.5 * (offsets / stds.clamp_min(tiny)).square())
    return kernels.div_(kernels.norm(dim=1, keepdim=True))


def _filter(noise: Tensor, kernels: Tensor, axis: int) -> Tensor:
    """Filter each image along an axis; pixels near the borders are omitted."""
    length = noise.shape[axis] - kernels.shape[1] + 1
    filtered = kernels.new_zeros(noise.narrow(axis, 0, length).shape)
    for offset, taps in enumerate(kernels.T):
        weights = taps.reshape(-1, 1, 1, 1)
        filtered.addcmul_(noise.narrow(axis, offset, length), weights)
    return filtered
