"""One training step: network, loss, and optimizer."""

from __future__ import annotations

import logging
import math
import sys
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from ..models.devices import has_fast_bfloat16, is_lack_of_memory
from ..models.networks.call import call_network
from .losses import make_loss
from .optimizers import make_optimizer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor

    from ..models.config import TrainingConfig
    from ..models.networks.base import DenoisingNetwork
    from .batch import Batch

_LOGGER = logging.getLogger(__name__)


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
        The optimizer of the parameters that are trained.
    max_images : int
        Most images that are passed through the network at once; lowered if memory runs
        out.
    """

    def __init__(
        self, network: DenoisingNetwork, config: TrainingConfig, device: torch.device
    ) -> None:
        self.network = network
        trained = network.trained_parameters(config.trained_layers)
        # No gradient is computed for the others.
        network.requires_grad_(False)
        for parameter in trained:
            parameter.requires_grad_()
        self.optimizer = make_optimizer(trained, config)
        self._config = config
        self._device = device
        self.max_images = sys.maxsize
        self._normalizes_batches = any(
            isinstance(module, torch.nn.BatchNorm2d) for module in network.modules()
        )
        self._loss = make_loss(config.loss, ssim_weight=config.ssim_weight)
        enabled = config.mixed_precision and (
            device.type != "cpu" or config.bfloat16_on_cpu
        )
        self._in_bfloat16 = enabled and has_fast_bfloat16(device)
        kind = "bfloat16" if self._in_bfloat16 else "float32"
        _LOGGER.info("The network is trained in %s.", kind)

    @property
    def out_of_memory_message(self) -> str:
        """What to do if memory runs out, although batches are computed in parts."""
        reason = ""
        if self._normalizes_batches:
            reason = (
                "This network normalizes each batch as a whole, so batches cannot be "
                "computed in parts. "
            )
        return (
            f"The device {self._device} ran out of memory with a batch_size of "
            f"{self._config.batch_size}. {reason}Use a smaller batch_size, patch_size "
            "or network."
        )

    @property
    def learning_rate(self) -> float:
        """Current learning rate."""
        return float(self.optimizer.param_groups[0]["lr"])

    def train(self, batch: Batch) -> Tensor:
        """Train on one batch and update the parameters.

        If memory runs out, the gradients are computed in 2, 4, 8, ... parts, with the
        same result up to rounding. Networks with batch normalization are excluded,
        since the statistics of a part are not those of the batch.

        Returns
        -------
        torch.Tensor
            Mean loss of the batch, 0-dimensional, on the device.
        """
        while True:
            self.optimizer.zero_grad()
            try:
                loss = self._backward(batch)
                break
            except (RuntimeError, MemoryError) as error:
                if self._normalizes_batches or not self._can_split(batch, error):
                    raise
            # Outside of the except block, which keeps the tensors of the failed pass.
            self._halve(batch)
        # Not repeated: it may have changed some parameters when it fails.
        self.optimizer.step()
        return loss

    def validate(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the sums of the loss and of the PSNR over a batch.

        Returns
        -------
        loss, psnr : torch.Tensor
            0-dimensional, on the device; the PSNR in dB for a data range of 1.
        """
        denoised, target = self._compare(self.denoise(batch), batch)
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
        return _decode(self._run_in_parts(batch, network or self.network), batch)

    def n_parts(self, batch: Batch) -> int:
        """Return the number of parts in which a batch is computed."""
        return -(-len(batch.noisy) // self.max_images)

    def follow_schedule(self, n_done: int, n_total: int) -> None:
        """Set the learning rate after `n_done` of the `n_total` batches of a run."""
        config, factor = self._config, 1.0
        if config.schedule == "cosine":
            factor = (1.0 + math.cos(math.pi * n_done / n_total)) / 2.0
        if n_done < config.warm_up:
            factor *= (n_done + 1) / (config.warm_up + 1)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * factor

    def _backward(self, batch: Batch) -> Tensor:
        """Compute the gradients of a batch, and return its loss."""
        if self.n_parts(batch) == 1:
            output = self._run_network(batch, self.network)
            loss = self._loss(*self._compare(_decode(output, batch), batch))
            loss.backward()
            return loss.detach()
        # The loss sees the whole batch, so any loss and any decoding is the same. Its
        # gradient with respect to the output is passed through the network in parts.
        with torch.no_grad():
            output = self._run_in_parts(batch, self.network)
        output.requires_grad_()
        loss = self._loss(*self._compare(_decode(output, batch), batch))
        (gradient,) = torch.autograd.grad(loss, output)
        parts = self._split(batch)
        gradients = gradient.split(len(parts[0].noisy))
        for part, part_gradient in zip(parts, gradients, strict=True):
            self._run_network(part, self.network).backward(part_gradient)
        return loss.detach()

    def _run_in_parts(self, batch: Batch, network: DenoisingNetwork) -> Tensor:
        """Run the network in as many parts as memory needs."""
        while True:
            parts = self._split(batch)
            try:
                return torch.cat([self._run_network(part, network) for part in parts])
            except (RuntimeError, MemoryError) as error:
                if not self._can_split(batch, error):
                    raise
            self._halve(batch)

    def _can_split(self, batch: Batch, error: Exception) -> bool:
        """Return whether an error means that smaller parts may help."""
        n_images = min(self.max_images, len(batch.noisy))
        return is_lack_of_memory(error) and n_images > 1

    def _halve(self, batch: Batch) -> None:
        self.max_images = -(-min(self.max_images, len(batch.noisy)) // 2)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _split(self, batch: Batch) -> list[Batch]:
        """Split the input of the network into parts of at most `max_images`."""
        n_parts = self.n_parts(batch)
        if n_parts == 1:
            return [batch]

        def slices(values: Any) -> list[Any]:
            is_split = isinstance(values, torch.Tensor) and values.dim() > 0
            return (
                list(values.split(self.max_images)) if is_split else [values] * n_parts
            )

        inputs = (batch.noisy, batch.target, batch.told, batch.center)
        return [
            replace(batch, noisy=noisy, target=target, told=told, center=center)
            for noisy, target, told, center in zip(*map(slices, inputs), strict=True)
        ]

    def _compare(self, denoised: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the denoised images and their targets."""
        target = batch.target
        if batch.counted is not None:
            # Other pixels agree with the output, so that every loss ignores them.
            target = torch.where(batch.counted, target, denoised.detach())
        return denoised, target

    def _run_network(self, batch: Batch, network: DenoisingNetwork) -> Tensor:
        noisy, told, center = batch.noisy, batch.told, batch.center
        with self._autocast():
            if told is None:
                return call_network(network, noisy).float()
            taken = told[:, : network.n_noise_inputs, None, None]
            maps = taken.expand(-1, -1, *noisy.shape[2:])
            centered = call_network(network, torch.cat([noisy - center, maps], dim=1))
        return centered.float() + center

    def _autocast(self) -> AbstractContextManager[Any]:
        # bfloat16 has the exponent range of float32, so it needs no loss scaling.
        return (
            torch.autocast(self._device.type, torch.bfloat16)
            if self._in_bfloat16
            else nullcontext()
        )


def _decode(output: Tensor, batch: Batch) -> Tensor:
    return output if batch.decode is None else batch.decode(output)
