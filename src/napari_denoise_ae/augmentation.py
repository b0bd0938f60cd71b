"""Varying training images: mirroring and magnifying."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import interpolate

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor


def mirror_some(images: Tensor, generator: Generator) -> Tensor:
    """Mirror every other image from left to right, at random.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X).
    generator : torch.Generator
        Source of the random numbers, on the device of `images`.

    Returns
    -------
    torch.Tensor
        Like `images`.
    """
    chance = images.new_empty((len(images), 1, 1, 1)).uniform_(generator=generator)
    return torch.where(chance < 0.5, images.flip(-1), images)


def magnify(images: Tensor, most: float, rng: np.random.Generator) -> Tensor:
    """Magnify images by one random factor, and cut the same part out of all.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X).
    most : float
        The largest factor; the smallest is 1.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    torch.Tensor
        Like `images`, bicubically interpolated.
    """
    factor = rng.uniform(1.0, most)
    height, width = images.shape[-2:]
    larger = (round(factor * height), round(factor * width))
    top = int(rng.integers(larger[0] - height, endpoint=True))
    left = int(rng.integers(larger[1] - width, endpoint=True))
    magnified = interpolate(images, larger, mode="bicubic", align_corners=False)
    return magnified[..., top : top + height, left : left + width]
