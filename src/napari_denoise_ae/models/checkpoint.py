"""A trained network together with a record of its training.

A checkpoint file has the safetensors format or that of `torch.save`, and contains only
tensors, numbers, strings, lists and dicts. It is not trusted: nothing in it is run, the
sizes that it claims are checked, and its tensors are compared with those that its
network expects before the network is built.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .networks.registry import build_network, outline_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import Tensor

    from .devices import DeviceChoice
    from .networks.base import DenoisingNetwork
    from .record import TrainingRecord


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A trained network and how it was trained.

    Parameters
    ----------
    name : str
        Name of the built-in model or of the file, for display.
    network : str
        One of `napari_denoise_ae.models.networks.registry.network_names`.
    network_options : mapping
        Arguments of the network's constructor.
    state_dict : mapping
        The network's `state_dict`, float32 on the CPU.
    record : TrainingRecord or None
        How the network was trained; None if unknown.
    """

    name: str
    network: str
    network_options: Mapping[str, Any]
    state_dict: Mapping[str, Tensor]
    record: TrainingRecord | None

    def build(self, device: torch.device) -> DenoisingNetwork:
        """Build the network with its weights, for inference on `device`."""
        import torch

        with torch.device("meta"):
            network = build_network(self.network, self.network_options)
        network.load_state_dict(self.state_dict, assign=True)
        return network.requires_grad_(False).eval().to(device)

    @property
    def identity(self) -> str:
        """A text that, with the weights, identifies the model."""
        options = json.dumps(dict(self.network_options), sort_keys=True)
        return f"{self.network} {options}"

    def usable_device(self, device: DeviceChoice) -> DeviceChoice:
        """Return the device that computes if another one is chosen."""
        return device

    def outline(self) -> DenoisingNetwork:
        """Build the network without weights, see `outline_network`."""
        return _outline(self.network, tuple(sorted(self.network_options.items())))


# Needed often, and building it takes longer than denoising a small image.
@lru_cache(maxsize=32)
def _outline(network: str, options: tuple[tuple[str, Any], ...]) -> DenoisingNetwork:
    return outline_network(network, dict(options))
