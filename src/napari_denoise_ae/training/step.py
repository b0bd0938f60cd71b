"""One training step: network, loss, and optimizer."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

from ..models.devices import has_fast_bfloat16
from .losses import make_loss
from .optimizers import make_optimizer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor

    from ..models.config import TrainingConfig
    from ..models.networks.base import DenoisingNetwork
    from .batch import Batch


class TrainingStep:
    """Train and validate a network on batches.

    Parameters
    ----------
    network : DenoisingNetwork
        The network, on `device`.
    config : TrainingConfig
        The settings.
    device : torch.device
        The device of the network.

    Attributes
    ----------
    network : DenoisingNetwork
        The network.
    optimizer : torch.optim.Optimizer
        The optimizer of the network's parameters.
    """

    def __init__(
        self, network: DenoisingNetwork, config: TrainingConfig, device: torch.device
    ) -> None:
        self.network = network
        self.optimizer = make_optimizer(network.parameters(), config)
        self._config = config
        self._device = device
        self._loss = make_loss(config.loss, ssim_weight=config.ssim_weight)

    def train(self, batch: Batch) -> Tensor:
        """Train on one batch and update the parameters.

        Returns
        -------
        torch.Tensor
            Mean loss of the batch, 0-dimensional, on the device.
        """
        loss = self._loss(*self._compared(batch))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def validate(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the sums of the loss and of the PSNR over a batch.

        Returns
        -------
        loss, psnr : torch.Tensor
            0-dimensional, on the device; the PSNR in dB for a data range of 1.
        """
        denoised, target = self._compared(batch)
        loss = self._loss(denoised, target) * batch.n_images
        squared_error = (denoised - target).square().mean(dim=(1, 2, 3))
        return loss, -10.0 * squared_error.clamp_min(1e-12).log10().sum()

    def denoise(self, batch: Batch, network: DenoisingNetwork | None = None) -> Tensor:
        """Return the denoised images in the units of the target, (N, C, Y, X).

        Parameters
        ----------
        batch : Batch
            The batch.
        network : DenoisingNetwork, optional
            Use this network instead, on the same device.
        """
        denoised = self._run_network(batch, network or self.network)
        return denoised if batch.decode is None else batch.decode(denoised)

    def follow_schedule(self, n_done: int, n_total: int) -> None:
        """Set the learning rate after `n_done` of the `n_total` batches of a run."""
        config, factor = self._config, 1.0
        if config.schedule == "cosine":
            factor = (1.0 + math.cos(math.pi * n_done / n_total)) / 2.0
        if n_done < config.warm_up:
            factor *= (n_done + 1) / (config.warm_up + 1)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * factor

    def _compared(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the denoised images and their targets."""
        denoised, target = self.denoise(batch), batch.target
        if batch.counted is not None:
            # Other pixels agree with the output, so that every loss ignores them.
            target = torch.where(batch.counted, target, denoised.detach())
        return denoised, target

    def _run_network(self, batch: Batch, network: DenoisingNetwork) -> Tensor:
        noisy, told, center = batch.noisy, batch.told, batch.center
        with self._autocast():
            if told is None:
                denoised: Tensor = network(noisy)
                return denoised.float()
            taken = told[:, : network.n_noise_inputs, None, None]
            maps = taken.expand(-1, -1, *noisy.shape[2:])
            centered: Tensor = network(torch.cat([noisy - center, maps], dim=1))
        return centered.float() + center

    def _autocast(self) -> AbstractContextManager[Any]:
        kind, config = self._device.type, self._config
        if kind == "cuda":
            enabled = config.mixed_precision
            is_fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            enabled = config.mixed_precision and config.bfloat16_on_cpu
            is_fast = kind == "cpu" and has_fast_bfloat16()
        # bfloat16 has the exponent range of float32, so it needs no loss scaling.
        return (
            torch.autocast(kind, torch.bfloat16)
            if enabled and is_fast
            else nullcontext()
        )
