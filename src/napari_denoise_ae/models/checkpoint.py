"""A trained network together with a record of its training.

A checkpoint file has the safetensors format or that of `torch.save`, and contains only
tensors, numbers, strings, lists and dicts. It is not trusted: nothing in it is run, the
sizes that it claims are checked, and its tensors are compared with those that its
network expects before the network is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from .networks.registry import build_network, outline_network

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
        All settings of the run.
    dataset, dataset_sha256 : str
        Name and checksum of the images before the split.
    n_train, n_val : int
        Number of training and validation images; 1 and 0 if parts of a single image
        were for validation. The config's `seed` and `val_fraction` determine the split.
    epochs_run, best_epoch : int
        Number of finished epochs, and number of the epoch whose weights the
        checkpoint contains, counted from 1.
    stop_reason : str
        Why training ended; empty if it is still running or was interrupted.
    val_loss, val_psnr : float
        Validation loss and mean validation PSNR, in dB, of the best epoch.
    noise_estimate : tuple of float
        5th, 50th and 95th percentile of `wavelet_sigma` on the noisy
        validation images, as fractions of the intensity range.
    receptive_field_radius, stride : int
        In pixels, see `DenoisingNetwork`.
    device, package_version, torch_version : str
        Device and software that trained the network.
    date : str
        Date and time of the checkpoint, ISO 8601, UTC.
    intensity : str
        How intensities are mapped to the network's input.
    images : tuple of str
        One line for each image of the user's own: name, shape, dtype, checksum and
        use. Empty for CIFAR-10 and images in memory.
    noise : str
        Description of the noise; empty in older records, whose config names it.
    started_from : str
        Name of the model whose weights the run began with; empty for random weights.
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
    images: tuple[str, ...] = ()
    noise: str = ""
    started_from: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A trained network and how it was trained.

    Parameters
    ----------
    name : str
        Name of the built-in model or of the file, for display.
    network : str
        A key of `napari_denoise_ae.models.networks.registry.NETWORKS`.
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
        with torch.device("meta"):
            network = build_network(self.network, self.network_options)
        network.load_state_dict(self.state_dict, assign=True)
        return network.requires_grad_(False).eval().to(device)

    def outline(self) -> DenoisingNetwork:
        """Build the network without weights, see `outline_network`."""
        return _outline(self.network, tuple(sorted(self.network_options.items())))


# Needed often, and building it takes longer than denoising a small image.
@lru_cache(maxsize=32)
def _outline(network: str, options: tuple[tuple[str, Any], ...]) -> DenoisingNetwork:
    return outline_network(network, dict(options))
