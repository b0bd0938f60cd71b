"""Train on images of equal size in memory, such as CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ...models.networks.registry import outline_network
from ..checks import require_fitting_images
from ..seeds import Seeds, Stream
from ..split import split_indices, to_device
from .synthetic_noise import SyntheticNoise

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from torch import Tensor

    from ...io.cifar10 import ImageSet
    from ...models.checkpoint import Checkpoint
    from ...models.config import TrainingConfig
    from ..batch import Batch
    from .judgment import Judgment


class ImageSetSource:
    """Clean images of equal size, whole, with synthetic noise.

    Parameters
    ----------
    data : ImageSet
        All images; `config` determines how they are split.
    config : TrainingConfig
        The settings.
    device : torch.device
        All images are copied there, as uint8.

    Attributes
    ----------
    name, sha256, images, notes, noise, n_train, n_val, n_batches, has_truth
        See `TrainingSource`.

    Raises
    ------
    DatasetError
        If the images do not fit the network, or are too few to split.
    """

    images: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    has_truth = True

    def __init__(
        self, data: ImageSet, config: TrainingConfig, device: torch.device
    ) -> None:
        network = outline_network(config.network, config.network_options)
        require_fitting_images(data, config.network, network)
        split = split_indices(len(data.images), config.val_fraction, config.seed)
        self.name, self.sha256 = data.name, data.sha256
        self.n_train, self.n_val = len(split.train), len(split.val)
        self.n_batches = -(-self.n_train // config.batch_size)
        self._train_images, self._val_images = (
            to_device(data.images[part], network.in_channels, device)
            for part in (split.train, split.val)
        )
        self._batch_size = config.batch_size
        self._seeds = Seeds(config.seed, device)
        self.noise = config.noise_model.description
        self._noise = SyntheticNoise(config, network.takes_noise_level)

    def batches(self, epoch: int) -> Generator[Batch]:
        """Yield all training images in random order, with new noise."""
        generators = self._seeds.epoch_generators(epoch)
        order = self._seeds.shuffle(self.n_train, epoch)
        for number, chosen in enumerate(order.split(self._batch_size), start=1):
            clean = _normalize(self._train_images[chosen])
            yield self._noise.train(clean, number, generators)

    def validation(self) -> Iterator[Batch]:
        """Yield all validation images, always with the same noise."""
        generator = self._seeds.generator(Stream.VALIDATION)
        for images in self._val_images.split(self._batch_size):
            yield self._noise.validate(_normalize(images), generator)

    def examples(self, n_images: int) -> Batch:
        """Return the first validation images, with the noise of `validation`."""
        generator = self._seeds.generator(Stream.VALIDATION)
        return self._noise.validate(_normalize(self._val_images[:n_images]), generator)

    def require_unchanged(self) -> None:
        """Do nothing: the images are in memory."""

    def judge(self, checkpoint: Checkpoint) -> Judgment | None:
        """Return None: clean images say how good the model is."""
        del checkpoint
        return None


def _normalize(images: Tensor) -> Tensor:
    """Scale uint8 to float32 in [0, 1]."""
    return images.to(torch.float32).div_(255.0)
