"""Independent random streams for each purpose and epoch of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Generator


class Stream(IntEnum):
    """The purpose of random numbers. Changing a value changes the result of a seed."""

    WEIGHTS = 0
    ORDER = 1
    NOISE = 2
    VALIDATION = 3
    FLIP = 4
    ZOOM = 5
    BRIGHTNESS = 6
    STRIPES = 7
    DEAD_LEAVES = 8
    PATCHES = 9


@dataclass(frozen=True, slots=True)
class EpochGenerators:
    """The random number generators of one epoch.

    Parameters
    ----------
    noise, flip, brightness, stripes, dead_leaves : torch.Generator
        On the training device.
    zoom : numpy.random.Generator
        On the CPU, for sizes and positions.
    """

    noise: Generator
    flip: Generator
    brightness: Generator
    stripes: Generator
    dead_leaves: Generator
    zoom: np.random.Generator


@dataclass(frozen=True, slots=True)
class Seeds:
    """Derive the seed of each stream and epoch from the seed of a run.

    No generator state has to be saved to resume a run.

    Parameters
    ----------
    seed : int
        Seed of the run.
    device : torch.device
        Device of the generators.
    """

    seed: int
    device: torch.device

    def derive(self, stream: Stream, epoch: int = 0) -> int:
        """Return the seed of a stream in an epoch: an integer of 63 bits."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=(stream, epoch))
        return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))

    def generator(self, stream: Stream, epoch: int = 0) -> Generator:
        """Return a new generator for a stream in an epoch."""
        return torch.Generator(self.device).manual_seed(self.derive(stream, epoch))

    def shuffle(self, n_images: int, epoch: int) -> torch.Tensor:
        """Return the shuffled image indices of an epoch, on the device."""
        # Drawn on the CPU, so that the order is the same on all devices.
        generator = torch.Generator().manual_seed(self.derive(Stream.ORDER, epoch))
        return torch.randperm(n_images, generator=generator).to(self.device)

    def patch_rng(self, epoch: int) -> np.random.Generator:
        """Return a new generator for the positions of the patches of an epoch."""
        return np.random.default_rng(self.derive(Stream.PATCHES, epoch))

    def epoch_generators(self, epoch: int) -> EpochGenerators:
        """Return new generators for an epoch."""
        return EpochGenerators(
            noise=self.generator(Stream.NOISE, epoch),
            flip=self.generator(Stream.FLIP, epoch),
            brightness=self.generator(Stream.BRIGHTNESS, epoch),
            stripes=self.generator(Stream.STRIPES, epoch),
            dead_leaves=self.generator(Stream.DEAD_LEAVES, epoch),
            zoom=np.random.default_rng(self.derive(Stream.ZOOM, epoch)),
        )
