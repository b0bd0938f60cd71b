"""Varying training images: mirroring, fine stripes and magnifying."""

from __future__ import annotations

import math
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


# Of the stripes: pixels from one to the next, amplitude in shares of the range,
# how much a sine is cut to a square, and the radius of the disc that they fill
# in shares of the image's side.
_PERIODS, _AMPLITUDES, _SHARPNESSES = (2.5, 14.0), (0.03, 0.3), (1.0, 4.0)
_RADII = (0.25, 0.75)


def add_stripes(images: Tensor, generator: Generator) -> Tensor:
    """Lay fine stripes over a disc in every other image, at random.

    Small photographs have next to no regular textures, and a network that has
    never seen one takes it for noise.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X), range [0, 1].
    generator : torch.Generator
        Source of the random numbers, on the device of `images`.

    Returns
    -------
    torch.Tensor
        Like `images`; stripes may leave the range.
    """
    n_images, channels, height, width = images.shape

    def draw(low: float, high: float, n_each: int = 1) -> Tensor:
        numbers = images.new_empty((n_images, n_each, 1, 1))
        return numbers.uniform_(low, high, generator=generator)

    rows = torch.arange(height, device=images.device).to(images)[:, None]
    columns = torch.arange(width, device=images.device).to(images)
    angle = draw(0.0, math.pi)
    along = rows * torch.sin(angle) + columns * torch.cos(angle)
    finest, coarsest = _PERIODS
    period = draw(math.log(finest), math.log(coarsest)).exp()
    wave = torch.sin(2.0 * math.pi * (along / period + draw(0.0, 1.0)))
    wave = (wave * draw(*_SHARPNESSES)).clamp(-1.0, 1.0)
    distance = torch.hypot(rows - draw(0.0, height), columns - draw(0.0, width))
    disc = distance < draw(*_RADII) * max(height, width)
    chosen = disc & (draw(0.0, 1.0) < 0.5)
    colours = draw(0.5, 1.0, channels) * draw(*_AMPLITUDES)
    return images + colours * wave * chosen


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
