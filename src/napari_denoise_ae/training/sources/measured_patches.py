"""Base class of sources that train on patches of noisy images as they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...denoising.network_input import prepare_input
from ...errors import InvalidInputError
from ...models.networks.registry import outline_network
from ..augmentation import random_flip, random_symmetry
from ..batch import Batch
from ..images.layout import lay_out_patches
from ..images.patches import PatchReader
from ..images.prefetch import read_ahead
from ..scaling import CENTER
from ..seeds import Stream
from .measured import MeasuredImages
from .patches import VALIDATION_PIXELS, PatchPlan, PlannedSource
from .previews import choose_previews

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from ...models.checkpoint import Checkpoint
    from ...models.config import TrainingConfig
    from ...models.networks.base import DenoisingNetwork
    from ..images.collection import ImageCollection
    from ..images.layout import PatchLayout
    from ..images.positions import Position
    from .judgment import Judgment


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPatch:
    """A patch as it is trained on.

    Parameters
    ----------
    noisy : numpy.ndarray
        What the network sees, (Y, X, channels), float32.
    target : numpy.ndarray
        What it is compared with, same shape, in relative intensities, see
        `BatchScaling`.
    counted : numpy.ndarray
        Same shape, True for pixels that are compared.
    number : int
        Which scaling it has, see `MeasuredImages`.
    """

    noisy: NDArray[np.float32]
    target: NDArray[np.float32]
    counted: NDArray[np.bool_]
    number: int


class MeasuredPatchSource(PlannedSource, ABC):
    """Patches of noisy images of any size, normalized as `denoise` does.

    A subclass says what the patches are compared with.

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
    InvalidInputError
        If the augmentation needs clean images.
    """

    has_truth = False
    _planes_per_patch, _validation_pixels = 1, VALIDATION_PIXELS

    def __init__(
        self, images: ImageCollection, config: TrainingConfig, device: torch.device
    ) -> None:
        require_plain_augmentation(config)
        network = outline_network(config.network, config.network_options)
        self._config, self._device, self._network = config, device, network
        layout = self._lay_out(images, network)
        plan = PatchPlan(layout, config, device, self._planes_per_patch)
        self._measured = MeasuredImages(
            plan.images, device, takes_noise_level=network.takes_noise_level
        )
        super().__init__(plan, self._measured.description)
        self._reader = PatchReader(self._plan.images, no_data=self._measured.no_data)

    def batches(self, epoch: int) -> Generator[Batch]:
        """Yield random patches of the training images."""
        generators = self._plan.seeds.epoch_generators(epoch)
        for patches in read_ahead(self._read, self._plan.batches(epoch)):
            batch = self._hide(self._collect(patches), generators.noise)
            yield turn(batch, self._config.augmentation, generators.flip)

    def validation(self) -> Iterator[Batch]:
        """Yield the validation patches, always in the same way."""
        generator = self._plan.seeds.generator(Stream.VALIDATION)
        size = self._config.batch_size
        for start in range(0, len(self._validation), size):
            batch = self._collect(self._validation[start : start + size])
            yield self._hide(batch, generator)

    def examples(self, n_images: int) -> Batch:
        """Return validation patches that show something."""
        noisy = np.stack([patch.noisy for patch in self._validation])
        chosen = choose_previews(torch.from_numpy(noisy).permute(0, 3, 1, 2), n_images)
        return self._collect([self._validation[number] for number in chosen])

    def judge(self, checkpoint: Checkpoint) -> Judgment | None:
        """Return None: the validation loss says how good the model is."""
        del checkpoint
        return None

    @abstractmethod
    def _read_target(
        self, position: Position, noisy: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Read what a patch is compared with, in the units of the noisy image.

        Parameters
        ----------
        position : Position
            Where the patch is.
        noisy : numpy.ndarray
            The pixels there, (Y, X, channels).

        Returns
        -------
        target, known : numpy.ndarray
            (Y, X, channels), and which of its pixels are known.
        """

    def _lay_out(
        self, images: ImageCollection, network: DenoisingNetwork
    ) -> PatchLayout:
        """Choose where patches may lie."""
        return lay_out_patches(images, self._config, network, has_small_validation=True)

    def _hide(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Hide pixels from the network, if the source does so."""
        del generator
        return batch

    def _usable(self, position: Position) -> Position:
        """Return the position, or another if most of its pixels are unknown."""
        return self._reader.usable(position)

    def _read(self, position: Position) -> TrainingPatch:
        position = self._usable(position)
        pixels = self._reader.read(position)
        target, known = self._read_target(position, pixels)
        return self._prepare(position, pixels, target, known)

    def _prepare(
        self,
        position: Position,
        pixels: NDArray[Any],
        target: NDArray[np.float64],
        known: NDArray[np.bool_],
    ) -> TrainingPatch:
        """Normalize a patch; pixels that the network does not see do not count."""
        number = self._measured.number_of(position)
        scale = self._measured.scale_of(position)
        shown = prepare_input(pixels, scale)
        counted = known & shown.counted
        first, extent = self._measured.scaling.limits_of(number)
        relative = (target - first) / extent
        shift = CENTER if self._network.takes_noise_level else 0.0
        return TrainingPatch(
            noisy=(shown.unit + shift).astype(np.float32),
            target=np.where(counted, relative, 0.0).astype(np.float32),
            counted=counted,
            number=number,
        )

    def _collect(self, patches: Sequence[TrainingPatch]) -> Batch:
        noisy, target, counted = (
            torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).to(self._device)
            for arrays in zip(
                *((each.noisy, each.target, each.counted) for each in patches),
                strict=True,
            )
        )
        numbers = torch.tensor([each.number for each in patches], device=self._device)
        scaling = self._measured.scaling.select(numbers)
        return Batch(
            noisy=noisy,
            target=target,
            n_images=len(patches),
            told=scaling.told,
            center=CENTER,
            decode=scaling.decode,
            counted=counted,
        )

    @cached_property
    def _validation(self) -> list[TrainingPatch]:
        """The validation patches."""
        positions = self._plan.validation(self._validation_pixels)
        return [self._read(position) for position in positions]


def require_plain_augmentation(config: TrainingConfig) -> None:
    """Raise if an augmentation would change the noise of images.

    Raises
    ------
    InvalidInputError
        If images are magnified, or combined to new ones.
    """
    if config.augmentation not in ("none", "flip", "symmetries"):
        raise InvalidInputError(
            f"The augmentation {config.augmentation!r} needs clean images. Use "
            "symmetries, flip or none."
        )
    if config.zoom != 1.0:
        raise InvalidInputError(
            f"A zoom of {config.zoom:g} would change the noise of noisy images. Use 1."
        )


def turn(batch: Batch, augmentation: str, generator: torch.Generator) -> Batch:
    """Flip and rotate the images of a batch together with their targets.

    Parameters
    ----------
    batch : Batch
        The batch. Its `counted` must not be None.
    augmentation : str
        ``"none"``, ``"flip"`` or ``"symmetries"``.
    generator : torch.Generator
        Source of the random numbers, on the device of the batch.
    """
    if augmentation == "none" or batch.counted is None:
        return batch
    n_channels = batch.noisy.shape[1]
    counted = batch.counted.expand_as(batch.target).to(batch.noisy.dtype)
    merged = torch.cat([batch.noisy, batch.target, counted], dim=1)
    told = batch.told
    if augmentation == "flip":
        merged = random_flip(merged, generator)
    else:
        merged, transposed = random_symmetry(merged, generator)
        told = _exchange(told, transposed)
    noisy, target, counted = merged.split(n_channels, dim=1)
    return Batch(
        noisy=noisy.contiguous(),
        target=target.contiguous(),
        n_images=batch.n_images,
        told=told,
        center=batch.center,
        decode=batch.decode,
        counted=counted > 0,
    )


def _exchange(told: Tensor | None, transposed: Tensor) -> Tensor | None:
    """Exchange the correlations along X and Y of transposed images."""
    if told is None:
        return None
    return torch.where(transposed.reshape(-1, 1), told[:, [0, 2, 1]], told)
