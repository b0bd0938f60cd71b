"""Augmentations of training images: flips, fine stripes, zoom and dead leaves.

A new augmentation is one function and one line in `AUGMENTATIONS`, and its name in
`napari_denoise_ae.models.config.AUGMENTATIONS`.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import affine_grid, grid_sample, interpolate

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from torch import Generator, Tensor

    from ..models.config import TrainingConfig
    from .seeds import EpochGenerators

    # Takes images, the number of the batch in its epoch, the largest zoom factor
    # and the generators of the epoch.
    Augmentation = Callable[[Tensor, int, float, EpochGenerators], Tensor]


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
# how much a sine is cut to a square; how far they bend, and the radius of the disc
# that they fill, in shares of the image's side.
_PERIODS, _AMPLITUDES, _SHARPNESSES = (2.5, 14.0), (0.03, 0.3), (1.0, 4.0)
_BENDS, _RADII = (-0.5, 0.5), (0.25, 0.75)


def _draw(
    images: Tensor, generator: Generator, low: float, high: float, n_each: int = 1
) -> Tensor:
    """Return random numbers for each image, (N, n_each, 1, 1)."""
    numbers = images.new_empty((len(images), n_each, 1, 1))
    return numbers.uniform_(low, high, generator=generator)


def add_stripes(images: Tensor, generator: Generator) -> Tensor:
    """Lay fine stripes, straight or bent, over a disc in half of the images.

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
    channels, height, width = images.shape[1:]
    draw = partial(_draw, images, generator)
    rows = torch.arange(height, device=images.device).to(images)[:, None]
    columns = torch.arange(width, device=images.device).to(images)
    # From the middle of the disc, which may lie anywhere.
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


# A dead-leaves image: the pieces pasted on the first one, their magnification, the
# fraction of pieces that are nearly plain and the contrast left in those, half
# their length (as a fraction of half the side), their ratio of width to length,
# and the width of their edges in pixels.
_N_PIECES, _MAGNIFICATIONS = 8, (1.0, 4.0)
_PLAIN_SHARE, _PLAIN_CONTRASTS = 0.3, (0.0, 0.2)
_LENGTHS, _ASPECTS, _EDGES = (0.1, 1.2), (0.15, 1.0), (0.4, 2.0)


def make_dead_leaves(images: Tensor, generator: Generator) -> Tensor:
    """Paste pieces of magnified images over each other, in pictures twice as long.

    Small photographs have neither long edges nor large smooth areas, and at
    their margins there is nothing to look at. Pieces that hide each other make
    pictures with the statistics of large ones [1]_, and teach denoising [2]_.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X), range [0, 1].
    generator : torch.Generator
        Source of the random numbers, on the device of `images`.

    Returns
    -------
    torch.Tensor
        (N // 4, channels, 2 * Y, 2 * X), at least one; range [0, 1].

    References
    ----------
    .. [1] Lee, Mumford and Huang, Occlusion models for natural images: a
       statistical study of a scale-invariant dead leaves model, 2001,
       :doi:`10.1023/A:1011109015675`.
    .. [2] Achddou, Gousseau and Ladjal, Synthetic images as a regularity prior
       for image restoration neural networks, 2021, hal-03186499.
    """
    n_made = max(1, len(images) // 4)
    dead_leaves = _draw_contents(images, n_made, generator)
    for _ in range(_N_PIECES):
        piece = _fade_some(_draw_contents(images, n_made, generator), generator)
        dead_leaves = dead_leaves.lerp(piece, _draw_shapes(dead_leaves, generator))
    return dead_leaves.clamp(0.0, 1.0)


def _draw_contents(images: Tensor, number: int, generator: Generator) -> Tensor:
    """Return images that are magnified, turned and moved at random."""
    device = images.device
    chosen = torch.randint(len(images), (number,), generator=generator, device=device)

    def draw(low: float, high: float) -> Tensor:
        return images.new_empty(number).uniform_(low, high, generator=generator)

    least, most = _MAGNIFICATIONS
    angle = draw(0.0, 2.0 * math.pi)
    # The picture is twice as long: at a magnification of 1 all of it is seen, and
    # beyond its margins its mirror image.
    reach = 2.0 / draw(math.log(least), math.log(most)).exp()
    along, across = reach * torch.cos(angle), reach * torch.sin(angle)
    rows = torch.stack([along, -across, draw(-0.6, 0.6)], dim=1)
    columns = torch.stack([across, along, draw(-0.6, 0.6)], dim=1)
    height, width = images.shape[-2:]
    size = [number, images.shape[1], 2 * height, 2 * width]
    places = affine_grid(torch.stack([rows, columns], 1), size, align_corners=False)
    return grid_sample(
        images[chosen],
        places,
        mode="bicubic",
        padding_mode="reflection",
        align_corners=False,
    )


def _fade_some(pieces: Tensor, generator: Generator) -> Tensor:
    """Make some pieces nearly plain, in a color of their own."""
    draw = partial(_draw, pieces, generator)
    gray, tint = draw(0.0, 0.7), draw(0.0, 0.3, pieces.shape[1])
    varied = pieces - pieces.mean(dim=(2, 3), keepdim=True)
    plain = gray + tint + draw(*_PLAIN_CONTRASTS) * varied
    return torch.where(draw(0.0, 1.0) < _PLAIN_SHARE, plain, pieces)


def _draw_shapes(dead_leaves: Tensor, generator: Generator) -> Tensor:
    """Return ellipses and rectangles with soft edges, as weights from 0 to 1."""
    height, width = dead_leaves.shape[-2:]
    draw = partial(_draw, dead_leaves, generator)

    def draw_log(low: float, high: float) -> Tensor:
        return draw(math.log(low), math.log(high)).exp()

    from_middle = torch.linspace(-1.0, 1.0, height, device=dead_leaves.device)[:, None]
    rows = from_middle - draw(-1.0, 1.0)
    columns = torch.linspace(-1.0, 1.0, width, device=dead_leaves.device) - draw(
        -1.0, 1.0
    )
    angle, aspect = draw(0.0, math.pi), draw_log(*_ASPECTS)
    along = columns * torch.cos(angle) + rows * torch.sin(angle)
    across = (rows * torch.cos(angle) - columns * torch.sin(angle)) / aspect
    is_round = draw(0.0, 1.0) < 0.5
    distance = torch.where(
        is_round, torch.hypot(along, across), torch.maximum(along.abs(), across.abs())
    )
    # Pixels from the edge; across the piece they are shorter.
    inside = (draw_log(*_LENGTHS) - distance) * aspect.sqrt() * height / 2.0
    return (inside / draw_log(*_EDGES) + 0.5).clamp(0.0, 1.0)


def _zoom(
    images: Tensor, batch: int, zoom: float, generators: EpochGenerators
) -> Tensor:
    """Magnify every other batch."""
    if batch % 2 == 0 and zoom > 1.0:
        return magnify(images, zoom, generators.zoom)
    return images


def _flip(
    images: Tensor, batch: int, zoom: float, generators: EpochGenerators
) -> Tensor:
    return _zoom(mirror_some(images, generators.flip), batch, zoom, generators)


def _flip_and_stripe(
    images: Tensor, batch: int, zoom: float, generators: EpochGenerators
) -> Tensor:
    images = _flip(images, batch, zoom, generators)
    return add_stripes(images, generators.stripes) if batch % 2 == 1 else images


def _flip_and_paste(
    images: Tensor, batch: int, _: float, generators: EpochGenerators
) -> Tensor:
    images = mirror_some(images, generators.flip)
    if batch % 2 == 0:
        images = make_dead_leaves(images, generators.dead_leaves)
    return add_stripes(images, generators.stripes)


#: Augmentations by the name that configs use.
AUGMENTATIONS: dict[str, Augmentation] = {
    "none": _zoom,
    "flip": _flip,
    "stripes": _flip_and_stripe,
    "dead-leaves": _flip_and_paste,
}


def augment(
    images: Tensor, batch: int, config: TrainingConfig, generators: EpochGenerators
) -> Tensor:
    """Vary a batch of training images as a config says.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X), range [0, 1].
    batch : int
        Number of the batch in its epoch, from 1: some augmentations take turns.
    config : TrainingConfig
        Its `augmentation` and `zoom` are used.
    generators : EpochGenerators
        The generators of the epoch.

    Returns
    -------
    torch.Tensor
        Like `images`; with dead leaves fewer and larger ones.
    """
    vary = AUGMENTATIONS[config.augmentation]
    return vary(images, batch, config.zoom, generators)
