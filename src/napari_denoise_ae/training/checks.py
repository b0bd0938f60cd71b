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
    from ..models.networks.base import DenoisingNetwork

# A checkpoint may not be larger; training needs four times as much.
_LARGEST_NETWORK = 2**30


def require_trainable(data: ImageSet, config: TrainingConfig) -> None:
    """Raise unless a network can be trained with a config on some images.

    Neither the network nor the images need memory for it.

    Parameters
    ----------
    data : ImageSet
        The images.
    config : TrainingConfig
        The settings.

    Raises
    ------
    InvalidInputError
        If the network is too large, or the settings contradict each other.
    DatasetError
        If the images do not fit the network.
    """
    with torch.device("meta"):
        network = build_network(config.network, config.network_options)
    _require_small(network)
    _require_fitting_channels(data, network)
    _require_fitting_settings(config, network)
    _require_fitting_sides(data, config.network, network)


def _require_small(network: DenoisingNetwork) -> None:
    n_bytes = sum(4 * parameter.numel() for parameter in network.parameters())
    if n_bytes > _LARGEST_NETWORK:
        raise InvalidInputError(
            f"The network would need {n_bytes / 2**30:.1f} GB of memory for its "
            f"parameters alone; at most {_LARGEST_NETWORK / 2**30:.0f} GB are allowed. "
            "Use smaller network_options."
        )


def _require_fitting_channels(data: ImageSet, network: DenoisingNetwork) -> None:
    shape, dtype = data.images.shape, data.images.dtype
    wanted = network.in_channels
    fits = len(shape) == 4 and (shape[-1] == wanted or (shape[-1], wanted) == (3, 1))
    if dtype != np.uint8 or not fits:
        raise DatasetError(
            f"The images must be bytes of shape (N, Y, X, {wanted}): "
            f"the network has {wanted} channels, got {dtype} {shape}."
        )


def _require_fitting_settings(
    config: TrainingConfig, network: DenoisingNetwork
) -> None:
    noise, size = config.noise_model, network.image_size
    additive = isinstance(noise, Gaussian) and not noise.clipped
    if network.takes_noise_level and not additive:
        raise InvalidInputError(
            f"The network {config.network!r} is told the noise level, so it trains on "
            "Gaussian noise that is not clipped, such as gaussian:0..0.3,unclipped; "
            f"got {config.noise}. Or switch its option noise_level off."
        )
    if size is not None and config.augmentation == "dead-leaves":
        raise InvalidInputError(
            f"The network {config.network!r} takes images of {size} x {size} pixels, "
            "and dead-leaves images are twice that size. Choose another augmentation, "
            "such as stripes."
        )


def _require_fitting_sides(
    data: ImageSet, name: str, network: DenoisingNetwork
) -> None:
    height, width = data.images.shape[1:3]
    size, stride = network.image_size, network.stride
    if size is not None and (height, width) != (size, size):
        raise DatasetError(
            f"The network {name!r} takes images of {size} x {size} pixels, "
            f"got {height} x {width}."
        )
    if height % stride or width % stride:
        raise DatasetError(
            f"The sides of the images must be multiples of {stride}, the network's "
            f"stride, got {height} x {width}."
        )
