"""Random streams of a training run, one for each purpose and epoch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Generator


class Stream(IntEnum):
    """What random numbers are for. The values are part of what a seed means."""

    WEIGHTS = 0
    ORDER = 1
    NOISE = 2
    VALIDATION = 3
    FLIP = 4
    ZOOM = 5
    BRIGHTNESS = 6
    STRIPES = 7
    DEAD_LEAVES = 8


@dataclass(frozen=True, slots=True)
class EpochGenerators:
    """The generators that one epoch of training draws from.

    Parameters
    ----------
    noise, flip, brightness, stripes, dead_leaves : torch.Generator
        On the training device.
    zoom : numpy.random.Generator
        For sizes and positions, which the CPU needs.
    """

    noise: Generator
    flip: Generator
    brightness: Generator
    stripes: Generator
    dead_leaves: Generator
    zoom: np.random.Generator


@dataclass(frozen=True, slots=True)
class Seeds:
    """Derive a seed for each stream and epoch from the seed of a run.

    Resuming a run therefore needs no generator's state.

    Parameters
    ----------
    seed : int
        Seed of the run.
    device : torch.device
        Where its generators draw.
    """

    seed: int
    device: torch.device

    def derive(self, stream: Stream, epoch: int = 0) -> int:
        """Return the seed of a stream in an epoch."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=(stream, epoch))
        return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))

    def generator(self, stream: Stream, epoch: int = 0) -> Generator:
        """Return a generator at the beginning of a stream."""
        return torch.Generator(self.device).manual_seed(self.derive(stream, epoch))

    def shuffle(self, n_images: int, epoch: int) -> torch.Tensor:
        """Return the order in which an epoch takes its images, on the device."""
        # On the CPU, so that all devices take them in the same order.
        generator = torch.Generator().manual_seed(self.derive(Stream.ORDER, epoch))
        return torch.randperm(n_images, generator=generator).to(self.device)

    def epoch_generators(self, epoch: int) -> EpochGenerators:
        """Return the generators of an epoch, at the beginning of their streams."""
        return EpochGenerators(
            noise=self.generator(Stream.NOISE, epoch),
            flip=self.generator(Stream.FLIP, epoch),
            brightness=self.generator(Stream.BRIGHTNESS, epoch),
            stripes=self.generator(Stream.STRIPES, epoch),
            dead_leaves=self.generator(Stream.DEAD_LEAVES, epoch),
            zoom=np.random.default_rng(self.derive(Stream.ZOOM, epoch)),
        )
