"""Train on patches of users' clean images, with synthetic noise."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...models.networks.registry import outline_network
from ..images.layout import lay_out_patches
from ..images.patches import PatchReader
from ..images.ranges import unit_ranges
from ..seeds import Stream
from .patches import PatchPlan, PlannedSource
from .previews import choose_previews
from .synthetic_noise import SyntheticNoise

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from torch import Tensor

    from ...models.checkpoint import Checkpoint
    from ...models.config import TrainingConfig
    from ..batch import Batch
    from ..images.collection import ImageCollection
    from ..images.patches import Patches
    from .judgment import Judgment


class CleanPatchSource(PlannedSource):
    """Patches of clean images of any size, with synthetic noise.

    Parameters
    ----------
    images : ImageCollection
        The images, with as many colors as the network takes.
    config : TrainingConfig
        The settings.
    device : torch.device
        Training device. Images stay where they are; patches are copied there.

    Attributes
    ----------
    name, sha256, images, notes, noise, n_train, n_val, n_batches, has_truth
        See `TrainingSource`.

    Raises
    ------
    DatasetError
        If the images are too small, or one of them cannot be read.
    """

    has_truth = True

    def __init__(
        self, images: ImageCollection, config: TrainingConfig, device: torch.device
    ) -> None:
        network = outline_network(config.network, config.network_options)
        plan = PatchPlan(lay_out_patches(images, config, network), config, device)
        super().__init__(plan, config.noise_model.description)
        self._device, self._batch_size = device, config.batch_size
        self._ranges = [
            unit_ranges(image.planes, takes_noise_level=network.takes_noise_level)
            for image in plan.images.images
        ]
        self._reader = PatchReader(plan.images)
        self._noise = SyntheticNoise(config, network.takes_noise_level)

    def batches(self, epoch: int) -> Generator[Batch]:
        """Yield random patches of the training images, with new noise."""
        generators = self._plan.seeds.epoch_generators(epoch)
        patches = self._reader.prefetch(self._plan.batches(epoch))
        for number, each in enumerate(patches, start=1):
            yield self._noise.train(self._normalize(each), number, generators)

    def validation(self) -> Iterator[Batch]:
        """Yield the validation patches, always with the same noise."""
        generator = self._plan.seeds.generator(Stream.VALIDATION)
        for clean in self._validation.split(self._batch_size):
            yield self._noise.validate(clean, generator)

    def examples(self, n_images: int) -> Batch:
        """Return validation patches that show something, with the same noise always."""
        generator = self._plan.seeds.generator(Stream.VALIDATION)
        chosen = choose_previews(self._validation, n_images)
        return self._noise.validate(self._validation[chosen], generator)

    def judge(self, checkpoint: Checkpoint) -> Judgment | None:
        """Return None: clean images say how good the model is."""
        del checkpoint
        return None

    @cached_property
    def _validation(self) -> Tensor:
        """The clean validation patches, on the device."""
        return self._normalize(self._reader.read_batch(self._plan.validation()))

    def _normalize(self, patches: Patches) -> Tensor:
        """Map patches to [0, 1], (N, colors, Y, X); unknown pixels become the mean."""
        found = []
        for pixels, unknown, position in zip(
            patches.pixels, patches.unknown, patches.positions, strict=True
        ):
            scale = self._ranges[position.image].of(position.plane)
            unit = scale.normalize(pixels).astype(np.float32)
            if unknown.any():
                unit[unknown] = unit[~unknown].mean(axis=0)
            found.append(unit)
        batch = torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2)
        return batch.to(self._device, non_blocking=True)
