"""Structures that are drawn into training images: stripes and dead leaves."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import affine_grid, grid_sample

if TYPE_CHECKING:
    from torch import Generator, Tensor

# Stripes: period in pixels, amplitude as a fraction of the range, and factor by
# which a sine is amplified before it is clipped to a square wave.
_PERIODS, _AMPLITUDES, _SHARPNESSES = (2.5, 14.0), (0.03, 0.3), (1.0, 4.0)
# Curvature times the longer side, and radius of the disc as a fraction of that side.
_BENDS, _RADII = (-0.5, 0.5), (0.25, 0.75)


def _draw(
    images: Tensor, generator: Generator, low: float, high: float, n_each: int = 1
) -> Tensor:
    """Draw uniform random numbers for each image, (N, n_each, 1, 1)."""
    numbers = images.new_empty((len(images), n_each, 1, 1))
    return numbers.uniform_(low, high, generator=generator)


def add_stripes(images: Tensor, generator: Generator) -> Tensor:
    """Add fine stripes, straight or curved, to a disc in half of the images.

    Small photographs contain hardly any regular textures, and a network that has
    never seen one mistakes it for noise.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X), range [0, 1].
    generator : torch.Generator
        Source of the random numbers, on the device of `images`.

    Returns
    -------
    torch.Tensor
        Like `images`; values may leave the range.
    """
    channels, height, width = images.shape[1:]
    draw = partial(_draw, images, generator)
    rows = torch.arange(height, device=images.device).to(images)[:, None]
    columns = torch.arange(width, device=images.device).to(images)
    # Relative to the center of the disc, which may lie anywhere.
    rows, columns = rows - draw(0.0, height), columns - draw(0.0, width)
    angle = draw(0.0, math.pi)
    along = rows * torch.sin(angle) + columns * torch.cos(angle)
    across = rows * torch.cos(angle) - columns * torch.sin(angle)
    along = along + draw(*_BENDS) * across.square() / max(height, width)
    finest, coarsest = _PERIODS
    period = draw(math.log(finest), math.log(coarsest)).exp()
    wave = torch.sin(2.0 * math.pi * (along / period + draw(0.0, 1.0)))
    wave = (wave * draw(*_SHARPNESSES)).clamp(-1.0, 1.0)
    disc = torch.hypot(rows, columns) < draw(*_RADII) * max(height, width)
    chosen = disc & (draw(0.0, 1.0) < 0.5)
    colors = draw(0.5, 1.0, channels) * draw(*_AMPLITUDES)
    return images + colors * wave * chosen


# Dead leaves: number of pieces pasted on the background, and their magnification;
# fraction of pieces that are nearly uniform, and their remaining contrast; half
# length of a piece as a fraction of half the side, its ratio of width to length, and
# the width of its edge in pixels.
_N_PIECES, _MAGNIFICATIONS = 8, (1.0, 4.0)
_UNIFORM_FRACTION, _UNIFORM_CONTRASTS = 0.3, (0.0, 0.2)
_LENGTHS, _ASPECTS, _EDGES = (0.1, 1.2), (0.15, 1.0), (0.4, 2.0)


def make_dead_leaves(images: Tensor, generator: Generator) -> Tensor:
    """Paste pieces of magnified images over each other, at twice the side length.

    Small photographs have neither long edges nor large smooth areas, and little
    context at their borders. Images of overlapping pieces have the statistics of
    large photographs [1]_ and are suited to train denoising networks [2]_.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X), range [0, 1].
    generator : torch.Generator
        Source of the random numbers, on the device of `images`.

    Returns
    -------
    torch.Tensor
        (max(1, N // 4), channels, 2 * Y, 2 * X), range [0, 1].

    References
    ----------
    .. [1] Lee, Mumford and Huang, Occlusion models for natural images: a
       statistical study of a scale-invariant dead leaves model, 2001,
       :doi:`10.1023/A:1011109015675`.
    .. [2] Achddou, Gousseau and Ladjal, Synthetic images as a regularity prior
       for image restoration neural networks, 2021, hal-03186499.
    """
    n_images = max(1, len(images) // 4)
    dead_leaves = _draw_textures(images, n_images, generator)
    for _ in range(_N_PIECES):
        texture = _draw_textures(images, n_images, generator)
        piece = _reduce_contrast(texture, generator)
        dead_leaves = dead_leaves.lerp(piece, _draw_shapes(dead_leaves, generator))
    return dead_leaves.clamp(0.0, 1.0)


def _draw_textures(images: Tensor, number: int, generator: Generator) -> Tensor:
    """Magnify, rotate, and shift randomly chosen images, at twice the side length."""
    device = images.device
    chosen = torch.randint(len(images), (number,), generator=generator, device=device)

    def draw(low: float, high: float) -> Tensor:
        return images.new_empty(number).uniform_(low, high, generator=generator)

    low, high = _MAGNIFICATIONS
    angle = draw(0.0, 2.0 * math.pi)
    # The output is twice as large: at a magnification of 1, it shows the whole image
    # and its reflection beyond the borders.
    reach = 2.0 / draw(math.log(low), math.log(high)).exp()
    along, across = reach * torch.cos(angle), reach * torch.sin(angle)
    rows = torch.stack([along, -across, draw(-0.6, 0.6)], dim=1)
    columns = torch.stack([across, along, draw(-0.6, 0.6)], dim=1)
    height, width = images.shape[-2:]
    size = [number, images.shape[1], 2 * height, 2 * width]
    grid = affine_grid(torch.stack([rows, columns], 1), size, align_corners=False)
    return grid_sample(
        images[chosen],
        grid,
        mode="bicubic",
        padding_mode="reflection",
        align_corners=False,
    )


def _reduce_contrast(pieces: Tensor, generator: Generator) -> Tensor:
    """Replace some pieces by nearly uniform ones of random color."""
    draw = partial(_draw, pieces, generator)
    gray, tint = draw(0.0, 0.7), draw(0.0, 0.3, pieces.shape[1])
    texture = pieces - pieces.mean(dim=(2, 3), keepdim=True)
    uniform = gray + tint + draw(*_UNIFORM_CONTRASTS) * texture
    return torch.where(draw(0.0, 1.0) < _UNIFORM_FRACTION, uniform, pieces)


def _draw_shapes(dead_leaves: Tensor, generator: Generator) -> Tensor:
    """Draw masks of ellipses and rectangles with soft edges, from 0 to 1."""
    height, width = dead_leaves.shape[-2:]
    draw = partial(_draw, dead_leaves, generator)

    def draw_log(low: float, high: float) -> Tensor:
        return draw(math.log(low), math.log(high)).exp()

    device = dead_leaves.device
    rows = torch.linspace(-1.0, 1.0, height, device=device)[:, None]
    columns = torch.linspace(-1.0, 1.0, width, device=device)
    rows, columns = rows - draw(-1.0, 1.0), columns - draw(-1.0, 1.0)
    angle, aspect = draw(0.0, math.pi), draw_log(*_ASPECTS)
    along = columns * torch.cos(angle) + rows * torch.sin(angle)
    across = (rows * torch.cos(angle) - columns * torch.sin(angle)) / aspect
    is_round = draw(0.0, 1.0) < 0.5
    distance = torch.where(
        is_round, torch.hypot(along, across), torch.maximum(along.abs(), across.abs())
    )
    # Distance to the edge in pixels, scaled by the geometric mean of both axes.
    inside = (draw_log(*_LENGTHS) - distance) * aspect.sqrt() * height / 2.0
    return (inside / draw_log(*_EDGES) + 0.5).clamp(0.0, 1.0)
