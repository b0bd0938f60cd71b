"""The network that a run begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..models.networks.registry import build_network
from .seeds import Seeds, Stream

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig
    from ..models.networks.base import DenoisingNetwork


def build_initial_network(
    config: TrainingConfig, device: torch.device, start_from: Checkpoint | None = None
) -> DenoisingNetwork:
    """Build the network of a run on its device.

    Parameters
    ----------
    config : TrainingConfig
        The settings. Their seed determines random weights.
    device : torch.device
        Training device.
    start_from : Checkpoint, optional
        Trained network of the same kind, whose weights are copied. None means random
        weights.
    """
    # Initialization uses torch's global generator; fork_rng restores it.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(Seeds(config.seed, device).derive(Stream.WEIGHTS))
        network = build_network(config.network, config.network_options)
    if start_from is not None:
        # Copies the weights, which other networks may share.
        network.load_state_dict(start_from.state_dict)
    network.to(device)
    if device.type == "cuda":
        network.to(memory_format=torch.channels_last)
    return network


def copy_state_dict(network: DenoisingNetwork) -> dict[str, Tensor]:
    """Return a copy of the weights of a network, on the CPU."""
    return {
        key: tensor.detach().to("cpu", memory_format=torch.contiguous_format, copy=True)
        for key, tensor in network.state_dict().items()
    }
