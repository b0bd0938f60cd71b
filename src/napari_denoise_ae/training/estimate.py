"""Estimate how long a training run takes, and how much memory, before it starts."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ..denoising.memory import bytes_per_pixel
from ..models.devices import is_lack_of_memory
from ..models.networks.registry import build_network, outline_network
from .batch import Batch
from .results import describe_duration
from .step import TrainingStep

if TYPE_CHECKING:
    from ..models.config import TrainingConfig
    from .workload import Workload

# A CPU is timed with batches of at most so many pixels: its time grows in proportion.
# A GPU is not fully used by small batches.
_TIMED_PIXELS = 2**16
# Steps are timed until so many seconds have passed; the fastest one counts.
_TIMED_SECONDS, _MOST_STEPS = 0.3, 5
# Validation has no backward pass, which takes twice as long as the forward pass.
_VALIDATION_TIME = 1 / 3
# Besides tensors: what torch and its libraries work with.
_WORKSPACE = 200_000_000  # bytes
# float32: the weights, their gradients, two averages of the optimizer, the copies of
# the first and of the best epoch.
_PARAMETER_BYTES = 4 * 6


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """How long a run takes, and how much memory.

    Parameters
    ----------
    seconds : float
        Time of all epochs if training does not stop early, without what comes before
        the first and after the last one, and without waiting for files. Infinite if
        the memory does not suffice for a step.
    n_bytes : int
        Memory of the network, of a batch on its way through it, and, on a CPU, of the
        images that are kept. What Python takes after importing torch is not included.
    """

    seconds: float
    n_bytes: int

    def __str__(self) -> str:
        if math.isinf(self.seconds):
            return "more memory than the device has"
        memory = f"{self.n_bytes / 1e9:.1f} GB"
        if self.n_bytes < 1e9:
            memory = f"{self.n_bytes / 1e6:.0f} MB"
        return f"about {describe_duration(self.seconds)} and {memory} of memory"


def estimate_run(
    config: TrainingConfig, workload: Workload, device: torch.device, n_done: int = 0
) -> RunEstimate:
    """Estimate how long a training run takes, and how much memory.

    A few steps of the network are timed, for less than a second on most machines.

    Parameters
    ----------
    config : TrainingConfig
        The settings.
    workload : Workload
        How much there is to compute.
    device : torch.device
        Training device.
    n_done : int
        Number of finished epochs of a run that is resumed.

    Returns
    -------
    RunEstimate
        The time and the memory. The time is that of an idle machine if it is idle now.
    """
    n_epochs = max(config.epochs - n_done, 0)
    n_val_batches = workload.n_val_pixels / workload.n_batch_pixels
    n_steps = workload.n_batches + n_val_batches * _VALIDATION_TIME
    seconds = n_epochs * n_steps * _time_step(config, workload, device)
    return RunEstimate(seconds, _needed_bytes(config, workload, device))


def _time_step(
    config: TrainingConfig, workload: Workload, device: torch.device
) -> float:
    """Return the seconds of a step with a whole batch."""
    n_images = workload.n_images
    if device.type == "cpu":
        fitting = _TIMED_PIXELS // math.prod(workload.shape)
        n_images = min(n_images, max(fitting, 1))
    with torch.random.fork_rng(devices=[]):
        network = build_network(config.network, config.network_options).to(device)
        values = torch.rand(n_images, network.in_channels, *workload.shape).to(device)
    told = None
    if network.takes_noise_level:
        told = torch.full((n_images, 3), 0.1, device=device)
    batch = Batch(noisy=values, target=values, n_images=n_images, told=told)
    step = TrainingStep(network, config, device)
    try:
        fastest = min(_time_steps(step, batch))
    except (RuntimeError, MemoryError) as error:
        if is_lack_of_memory(error):
            return math.inf
        raise
    return fastest * workload.n_images / n_images


def _time_steps(step: TrainingStep, batch: Batch) -> list[float]:
    """Return the seconds of a few steps, but of the first, which prepares memory."""
    durations: list[float] = []
    float(step.train(batch))
    while sum(durations) < _TIMED_SECONDS and len(durations) < _MOST_STEPS:
        start = time.perf_counter()
        # Reading the loss waits for the device.
        float(step.train(batch))
        durations.append(time.perf_counter() - start)
    return durations


def _needed_bytes(
    config: TrainingConfig, workload: Workload, device: torch.device
) -> int:
    outline = outline_network(config.network, config.network_options)
    n_parameters = sum(parameter.numel() for parameter in outline.parameters())
    outputs = bytes_per_pixel(config.network, config.network_options)
    kept = workload.n_bytes if device.type == "cpu" else 0
    return round(
        n_parameters * _PARAMETER_BYTES
        # The outputs of all layers are kept for the backward pass.
        + workload.n_batch_pixels * outputs
        + kept
        + _WORKSPACE
    )
