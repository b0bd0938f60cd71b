"""Checks of a configuration before training begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ..errors import DatasetError, InvalidInputError
from ..models.networks.registry import build_network
from ..noise.synthetic import Gaussian

if TYPE_CHECKING:
    from ..io.cifar10 import ImageSet
    from ..models.config import TrainingConfig

# A checkpoint may not be larger; training needs four times as much.
_LARGEST_NETWORK = 2**30


def require_trainable(data: ImageSet, config: TrainingConfig) -> None:
    """Compare the images with what the network takes, before it is made."""
    with torch.device("meta"):
        network = build_network(config.network, config.network_options)
    n_bytes = sum(4 * parameter.numel() for parameter in network.parameters())
    if n_bytes > _LARGEST_NETWORK:
        raise InvalidInputError(
            f"The network would need {n_bytes / 2**30:.1f} GB of memory for its "
            f"weights alone; at most {_LARGEST_NETWORK / 2**30:.0f} GB are allowed. "
            "Use smaller network_options."
        )
    shape, dtype = data.images.shape, data.images.dtype
    wanted = network.in_channels
    fits = len(shape) == 4 and (shape[-1] == wanted or (shape[-1], wanted) == (3, 1))
    if dtype != np.uint8 or not fits:
        raise DatasetError(
            f"The images must be bytes of shape (N, Y, X, {wanted}): "
            f"the network has {wanted} channels, got {dtype} {shape}."
        )
    noise = config.noise_model
    additive = isinstance(noise, Gaussian) and not noise.clipped
    if network.takes_noise_level and not additive:
        raise InvalidInputError(
            f"The network {config.network!r} is told the noise level, so it trains on "
            "Gaussian noise that is not clipped, such as gaussian:0..0.3,unclipped; "
            f"got {config.noise}. Or switch its option noise_level off."
        )
    size = network.image_size
    if size is not None and config.augmentation == "dead-leaves":
        raise InvalidInputError(
            f"The network {config.network!r} takes images of {size} x {size} pixels, "
            "and dead-leaves images are twice that size. Choose another augmentation, "
            "such as stripes."
        )
    if size is not None and shape[1:3] != (size, size):
        raise DatasetError(
            f"The network {config.network!r} takes images of {size} x {size} pixels, "
            f"got {shape[1]} x {shape[2]}."
        )
    if shape[1] % network.stride or shape[2] % network.stride:
        raise DatasetError(
            f"The sides of the images must be multiples of {network.stride}, the "
            f"network's stride, got {shape[1]} x {shape[2]}."
        )
