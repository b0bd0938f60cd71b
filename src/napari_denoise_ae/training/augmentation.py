"""Augmentations of training images: symmetries, stripes, zoom, and dead leaves.

To add an augmentation, write a function, add it to `AUGMENTATIONS`, and add its name
to `napari_denoise_ae.models.config.AUGMENTATIONS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import interpolate

from .patterns import add_stripes, make_dead_leaves

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from torch import Generator, Tensor

    from ..models.config import TrainingConfig
    from .seeds import EpochGenerators

    # Takes the images, the number of the batch in its epoch, the largest zoom
    # factor, and the generators of the epoch.
    Augmentation = Callable[[Tensor, int, float, EpochGenerators], Tensor]


def random_flip(images: Tensor, generator: Generator) -> Tensor:
    """Flip each image left to right with a probability of 1/2.

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


def random_symmetry(images: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Flip and rotate each image by quarter turns at random.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X). Rows and columns are exchanged only if there are as many.
    generator : torch.Generator
        Source of the random numbers, on the device of `images`.

    Returns
    -------
    images : torch.Tensor
        Each one of its eight symmetries.
    transposed : torch.Tensor
        Whether the rows of an image are now its columns, bool, (N, 1, 1, 1).
    """
    chance = images.new_empty((3, len(images), 1, 1, 1)).uniform_(generator=generator)
    images = torch.where(chance[0] < 0.5, images.flip(-1), images)
    images = torch.where(chance[1] < 0.5, images.flip(-2), images)
    if images.shape[-1] != images.shape[-2]:
        return images, torch.zeros_like(chance[2], dtype=torch.bool)
    transposed = chance[2] < 0.5
    return torch.where(transposed, images.transpose(-1, -2), images), transposed


def magnify(images: Tensor, max_factor: float, rng: np.random.Generator) -> Tensor:
    """Magnify all images by one random factor, and crop them to the same region.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X).
    max_factor : float
        Largest factor; the smallest is 1.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    torch.Tensor
        Like `images`, with bicubic interpolation.
    """
    factor = rng.uniform(1.0, max_factor)
    height, width = images.shape[-2:]
    larger = (round(factor * height), round(factor * width))
    top = int(rng.integers(larger[0] - height, endpoint=True))
    left = int(rng.integers(larger[1] - width, endpoint=True))
    magnified = interpolate(images, larger, mode="bicubic", align_corners=False)
    return magnified[..., top : top + height, left : left + width]


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
    return _zoom(random_flip(images, generators.flip), batch, zoom, generators)


def _flip_and_turn(
    images: Tensor, batch: int, zoom: float, generators: EpochGenerators
) -> Tensor:
    images, _ = random_symmetry(images, generators.flip)
    return _zoom(images, batch, zoom, generators)


def _flip_and_stripe(
    images: Tensor, batch: int, zoom: float, generators: EpochGenerators
) -> Tensor:
    images = _flip(images, batch, zoom, generators)
    return add_stripes(images, generators.stripes) if batch % 2 == 1 else images


def _flip_and_make_dead_leaves(
    images: Tensor, batch: int, _: float, generators: EpochGenerators
) -> Tensor:
    images = random_flip(images, generators.flip)
    if batch % 2 == 0:
        images = make_dead_leaves(images, generators.dead_leaves)
    return add_stripes(images, generators.stripes)


#: Augmentations by the name that configs use.
AUGMENTATIONS: dict[str, Augmentation] = {
    "none": _zoom,
    "flip": _flip,
    "symmetries": _flip_and_turn,
    "stripes": _flip_and_stripe,
    "dead-leaves": _flip_and_make_dead_leaves,
}


def augment(
    images: Tensor, batch: int, config: TrainingConfig, generators: EpochGenerators
) -> Tensor:
    """Augment a batch of training images.

    Parameters
    ----------
    images : torch.Tensor
        (N, channels, Y, X), range [0, 1].
    batch : int
        Number of the batch in its epoch, from 1. Some augmentations are applied to
        every other batch.
    config : TrainingConfig
        Its `augmentation` and `zoom` are used.
    generators : EpochGenerators
        The generators of the epoch.

    Returns
    -------
    torch.Tensor
        Like `images`. Dead-leaves images are fewer and larger.
    """
    augmentation = AUGMENTATIONS[config.augmentation]
    return augmentation(images, batch, config.zoom, generators)
