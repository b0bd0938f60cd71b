"""Check a config and its images before training starts, and its losses after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import DatasetError, InvalidInputError, TrainingError
from ..models.networks.registry import outline_network

if TYPE_CHECKING:
    from ..io.cifar10 import ImageSet
    from ..models.config import TrainingConfig
    from ..models.networks.base import DenoisingNetwork

# In bytes of parameters. Training needs four times as much memory.
_MAX_NETWORK_BYTES = 2**30


def require_trainable(config: TrainingConfig) -> None:
    """Raise if a config cannot be trained; no memory is allocated for the network.

    Parameters
    ----------
    config : TrainingConfig
        The settings.

    Raises
    ------
    InvalidInputError
        If the network is too large, or the settings are incompatible.
    """
    network = outline_network(config.network, config.network_options)
    _require_small(network)
    _require_fitting_settings(config, network)


def require_fitting_images(
    data: ImageSet, name: str, network: DenoisingNetwork
) -> None:
    """Raise if images in memory do not fit a network.

    Parameters
    ----------
    data : ImageSet
        The images.
    name : str
        Name of the network.
    network : DenoisingNetwork
        The network.

    Raises
    ------
    DatasetError
        If their dtype, channels or sides do not fit.
    """
    _require_fitting_channels(data, network)
    _require_fitting_sides(data, name, network)


def require_finite(
    epoch: int, train_loss: float, val_loss: float, config: TrainingConfig
) -> None:
    """Raise `TrainingError` unless the losses of an epoch are finite."""
    if not np.isfinite([train_loss, val_loss]).all():
        raise TrainingError(
            f"The loss is no longer finite in epoch {epoch} (training {train_loss}, "
            f"validation {val_loss}). Use a lower learning_rate than "
            f"{config.learning_rate:g}."
        )


def _require_small(network: DenoisingNetwork) -> None:
    n_bytes = sum(4 * parameter.numel() for parameter in network.parameters())
    if n_bytes > _MAX_NETWORK_BYTES:
        raise InvalidInputError(
            f"The network is too large: its parameters need {n_bytes / 2**30:.1f} GB "
            f"of memory, and at most {_MAX_NETWORK_BYTES / 2**30:.0f} GB is allowed. "
            "Use smaller network_options."
        )


def _require_fitting_channels(data: ImageSet, network: DenoisingNetwork) -> None:
    shape, dtype = data.images.shape, data.images.dtype
    expected = network.in_channels
    # A network with one channel is trained on the luma of RGB images.
    fits = len(shape) == 4 and (
        shape[-1] == expected or (shape[-1], expected) == (3, 1)
    )
    if dtype != np.uint8 or not fits:
        raise DatasetError(
            f"The images must be uint8 of shape (N, Y, X, {expected}), since the "
            f"network takes {expected} channels; got {dtype} of shape {shape}."
        )


def _require_fitting_settings(
    config: TrainingConfig, network: DenoisingNetwork
) -> None:
    noise, size = config.noise_model, network.image_size
    if network.takes_noise_level and not noise.can_be_told:
        raise InvalidInputError(
            f"The network {config.network!r} takes the noise level as an input, so it "
            "needs unclipped Gaussian noise, such as gaussian:0..0.3,unclipped; got "
            f"{config.noise}. Change the noise, or set the network option noise_level "
            "to False."
        )
    is_told = network.takes_noise_level and not network.takes_correlation
    if is_told and not noise.is_white:
        raise InvalidInputError(
            f"The noise {config.noise} is shared by neighboring pixels, but the "
            "network does not take its correlation. Set the network option "
            "correlation to True, or omit blur from the noise."
        )
    if size is not None and config.augmentation == "dead-leaves":
        raise InvalidInputError(
            f"The network {config.network!r} takes images of {size} x {size} pixels, "
            "but dead-leaves images are twice that size. Choose another augmentation, "
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
            f"The height and width of the images must be multiples of {stride}, the "
            f"network's stride; got {height} x {width}."
        )
