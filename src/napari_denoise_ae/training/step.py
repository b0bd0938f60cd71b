"""One training step: augmentation, noise, network, loss, and optimizer."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

from ..models.devices import has_fast_bfloat16
from ..noise.synthetic import Gaussian
from .augmentation import augment
from .losses import make_loss
from .optimizers import make_optimizer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Generator, Tensor

    from ..models.config import TrainingConfig
    from ..models.networks.base import DenoisingNetwork
    from .seeds import EpochGenerators

# A network that takes a noise level gets intensities relative to the mean of a whole
# image. A patch can be darker or brighter than its image, so subtract a random mean
# instead of its own.
_MEANS = (0.3, 0.7)


class TrainingStep:
    """Train and validate a network on batches of clean images.

    Images are uint8 tensors, (N, channels, Y, X), on the device of the network.

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
        self._noise = config.noise_model
        self._loss = make_loss(config.loss, ssim_weight=config.ssim_weight)

    def train(self, images: Tensor, batch: int, generators: EpochGenerators) -> Tensor:
        """Train on one batch and update the parameters.

        Parameters
        ----------
        images : torch.Tensor
            The clean images of the batch.
        batch : int
            Number of the batch in the epoch, from 1.
        generators : EpochGenerators
            The generators of the epoch.

        Returns
        -------
        torch.Tensor
            Mean loss of the batch, 0-dimensional, on the device.
        """
        clean = augment(_normalize(images), batch, self._config, generators)
        mean = clean.new_empty((len(clean), 1, 1, 1))
        mean.uniform_(*_MEANS, generator=generators.brightness)
        noisy, told = self._add_noise(clean, generators.noise)
        loss = self._loss(self._denoise(noisy, told, mean), clean)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def validate(self, images: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return the sums of the loss and of the PSNR over a batch.

        Parameters
        ----------
        images : torch.Tensor
            The clean images of the batch.
        generator : torch.Generator
            Generator of the noise.

        Returns
        -------
        loss, psnr : torch.Tensor
            0-dimensional, on the device; the PSNR in dB for a data range of 1.
        """
        clean = _normalize(images)
        denoised = self._denoise(*self._add_noise(clean, generator))
        loss = self._loss(denoised, clean) * len(images)
        squared_error = (denoised - clean).square().mean(dim=(1, 2, 3))
        return loss, -10.0 * squared_error.clamp_min(1e-12).log10().sum()

    def show(
        self, images: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the noisy, denoised, and clean images of a batch.

        Clean images are in [0, 1]; the others may exceed it if the noise is unclipped.
        """
        clean = _normalize(images)
        noisy, told = self._add_noise(clean, generator)
        return noisy, self._denoise(noisy, told), clean

    def follow_schedule(self, progress: float) -> None:
        """Set the learning rate for the fraction `progress` of a run, from 0 to 1."""
        if self._config.schedule == "constant":
            return
        factor = (1.0 + math.cos(math.pi * progress)) / 2.0
        for group in self.optimizer.param_groups:
            group["lr"] = self._config.learning_rate * factor

    def _add_noise(
        self, clean: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Return noisy images, and what the network is told of their noise, (N, 3)."""
        if isinstance(self._noise, Gaussian) and self.network.takes_noise_level:
            return self._noise.apply_with_inputs(clean, generator)
        return self._noise.apply(clean, generator), None

    def _denoise(
        self, noisy: Tensor, told: Tensor | None, mean: Tensor | float = 0.5
    ) -> Tensor:
        """Run the network; subtract `mean` from its input if it takes a noise level."""
        with self._autocast():
            if told is None:
                denoised: Tensor = self.network(noisy)
                return denoised.float()
            taken = told[:, : self.network.n_noise_inputs, None, None]
            maps = taken.expand(-1, -1, *noisy.shape[2:])
            centered: Tensor = self.network(torch.cat([noisy - mean, maps], dim=1))
        return centered.float() + mean

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


def _normalize(images: Tensor) -> Tensor:
    """Scale uint8 to float32 in [0, 1]."""
    return images.to(torch.float32).div_(255.0)
