"""Checkpoints: the file that holds a trained network and explains itself.

A checkpoint is a file of `torch.save` that holds only tensors, numbers,
strings, lists and dicts. It is untrusted until it has been checked: it is
loaded with ``weights_only=True``, its tensors are compared with what its
network expects before the network is made, and nothing in it is ever run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from .networks.registry import build_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from .config import TrainingConfig
    from .networks.base import DenoisingNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """How a network was trained.

    Parameters
    ----------
    config : TrainingConfig
        Every setting of the run.
    dataset, dataset_sha256 : str
        Name and checksum of all images, before the split.
    n_train, n_val : int
        Images that trained and images that validated; the split follows from
        the config's `seed` and `val_fraction`.
    epochs_run, best_epoch : int
        Finished epochs, and the one whose weights these are; from 1.
    stop_reason : str
        Why training ended; empty while it goes on or if it was interrupted.
    val_loss, val_psnr : float
        Validation loss, and mean PSNR in dB, of the best epoch.
    noise_estimate : tuple of float
        5th, 50th and 95th percentile of `estimate_noise` on the noisy
        validation images, as fractions of the intensity range.
    intensity : str
        How intensities reach the network.
    receptive_field_radius, stride : int
        In pixels, see `DenoisingNetwork`.
    device, package_version, torch_version, date : str
        Where, with what and when (ISO 8601, UTC) it was trained.
    """

    config: TrainingConfig
    dataset: str
    dataset_sha256: str
    n_train: int
    n_val: int
    epochs_run: int
    best_epoch: int
    stop_reason: str
    val_loss: float
    val_psnr: float
    noise_estimate: tuple[float, float, float]
    receptive_field_radius: int
    stride: int
    device: str
    package_version: str
    torch_version: str
    date: str
    intensity: str = "intensity range mapped linearly to [0, 1]"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A trained network and what is known of it.

    Parameters
    ----------
    name : str
        Built-in name or file name, for a user to read.
    network : str
        A key of `napari_denoise_ae.models.networks.registry.NETWORKS`.
    network_options : mapping
        Arguments of the network's constructor.
    state_dict : mapping
        The weights, float32 on the CPU.
    record : TrainingRecord or None
        How it was trained; None if the file does not say.
    """

    name: str
    network: str
    network_options: Mapping[str, Any]
    state_dict: Mapping[str, Tensor]
    record: TrainingRecord | None

    def build(self, device: torch.device) -> DenoisingNetwork:
        """Make the network with these weights, for inference on `device`."""
        with torch.device("meta"):
            network = build_network(self.network, self.network_options)
        network.load_state_dict(self.state_dict, assign=True)
        return network.requires_grad_(False).eval().to(device)

    def outline(self) -> DenoisingNetwork:
        """Make the network without weights, to ask it for its stride and the like."""
        return _outline(self.network, tuple(sorted(self.network_options.items())))


# Made often, and each time slower than a small image is denoised.
@lru_cache(maxsize=32)
def _outline(network: str, options: tuple[tuple[str, Any], ...]) -> DenoisingNetwork:
    with torch.device("meta"):
        return build_network(network, dict(options)).eval()
