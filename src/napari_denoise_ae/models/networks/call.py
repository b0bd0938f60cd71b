"""Run networks, and name the one of another package that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ... import plugins
from ...errors import DenoiseAEError
from ..devices import is_lack_of_memory

if TYPE_CHECKING:
    from torch import Tensor

    from .base import DenoisingNetwork


def call_network(network: DenoisingNetwork, batch: Tensor) -> Tensor:
    """Run a network on a batch of images.

    Parameters
    ----------
    network : DenoisingNetwork
        The network.
    batch : torch.Tensor
        Images of a size that it takes, and their noise inputs, see `DenoisingNetwork`.

    Returns
    -------
    torch.Tensor
        The denoised images, (N, in_channels, Y, X).

    Raises
    ------
    InvalidInputError
        If the network is of another package, and raises an error or returns
        something else.
    """
    if plugins.is_own(network):
        output: Tensor = network(batch)
        return output
    try:
        output = network(batch)
    # Another package may raise anything.
    except Exception as error:
        if isinstance(error, DenoiseAEError) or is_lack_of_memory(error):
            raise
        raise plugins.failure("network", network, error) from error
    expected = (len(batch), network.in_channels, *batch.shape[2:])
    if (found := _shape(output)) != expected:
        wrong = f"it returned {found} instead of a tensor of shape {expected}"
        raise plugins.failure("network", network, wrong)
    return output


def _shape(output: Any) -> tuple[int, ...] | str:
    if isinstance(output, torch.Tensor):
        return tuple(output.shape)
    return f"an object of type {type(output).__name__}"
