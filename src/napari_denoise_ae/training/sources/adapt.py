"""Adapt a trained model to noisy images."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...denoising.denoiser import Denoiser
from ...denoising.network_input import prepare_input
from ...errors import DatasetError
from ...models.devices import DeviceChoice
from ...models.networks.registry import outline_network
from ...noise.draw import SHARE, draw_measured_noise, draw_split
from ..batch import Batch
from ..images.layout import lay_out_patches
from ..images.patches import PatchReader
from ..scaling import CENTER
from ..seeds import Stream
from .denoised import DenoisedWindow
from .judgment import judge_adapted
from .measured import MeasuredImages
from .measured_patches import require_plain_augmentation, turn
from .patches import FEW_VALIDATION_PIXELS, PatchPlan, PlannedSource
from .previews import choose_previews
from .windows import all_windows, choose_windows, kept_out_images

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from ...models.checkpoint import Checkpoint
    from ...models.config import TrainingConfig
    from ..images.collection import ImageCollection
    from ..images.positions import Position
    from ..scaling import BatchScaling
    from .judgment import Judgment

#: Most pixels that are denoised before training.
TRAINING_PIXELS = 2**22
# A patch is drawn again, up to so many times, if less of it is known.
_LEAST_KNOWN, _MOST_DRAWS = 0.5, 20


class AdaptSource(PlannedSource):
    """Noisy images, denoised by a model that learns to denoise them once more.

    The images are denoised, and the measured noise is added to the result again. The
    model learns to remove it. What it removes is known, so it specializes in the
    structures and the noise of these images. After each epoch, it is validated on
    other parts of the images, whose noise is split into two independent parts, see
    `compare_models`.

    Parameters
    ----------
    images : ImageCollection
        The images, with as many colors as the network takes.
    config : TrainingConfig
        The settings.
    device : torch.device
        Training device. At most 4 megapixels are trained on, and kept there.
    start_from : Checkpoint
        The model to adapt.

    Attributes
    ----------
    name, sha256, images, notes, noise, n_train, n_val, n_batches, has_truth
        See `TrainingSource`.

    Raises
    ------
    DatasetError
        If the images are too small, one of them cannot be read, or none has noise.
    InvalidInputError
        If the augmentation needs clean images.
    """

    has_truth = False

    def __init__(
        self,
        images: ImageCollection,
        config: TrainingConfig,
        device: torch.device,
        start_from: Checkpoint,
    ) -> None:
        require_plain_augmentation(config)
        network = outline_network(config.network, config.network_options)
        self._config, self._device, self._start_from = config, device, start_from
        layout = lay_out_patches(images, config, network, has_small_validation=True)
        plan = PatchPlan(layout, config, device)
        self._measured = MeasuredImages(
            plan.images, device, takes_noise_level=network.takes_noise_level
        )
        super().__init__(plan, self._measured.description)
        if not any(noise.is_detected for noise in self._measured.noises):
            raise DatasetError(
                f"No noise was detected in {self._plan.name}, so there is nothing to "
                "adapt a model to."
            )
        self._reader = PatchReader(self._plan.images, no_data=self._measured.no_data)
        self._shift = CENTER if network.takes_noise_level else 0.0
        self._denoiser = Denoiser(start_from, DeviceChoice(device, "training"))

    def batches(self, epoch: int) -> Generator[Batch]:
        """Yield random patches of the denoised images, with new noise."""
        generators = self._plan.seeds.epoch_generators(epoch)
        rng = self._plan.seeds.patch_rng(epoch)
        for _ in range(self.n_batches):
            patches = [self._draw_patch(rng) for _ in range(self._config.batch_size)]
            batch = self._with_new_noise(patches, generators.noise)
            yield turn(batch, self._config.augmentation, generators.flip)

    def validation(self) -> Iterator[Batch]:
        """Yield the validation patches, always split in the same way."""
        generator = self._plan.seeds.generator(Stream.VALIDATION)
        for patches in _chunks(self._validation, self._config.batch_size):
            yield self._split(patches, generator)

    def examples(self, n_images: int) -> Batch:
        """Return validation patches that show something, as they are."""
        noisy = torch.stack([each.noisy for each in self._validation])
        scaling = self._scaling_of(self._validation, self._measured.scaling)
        chosen = choose_previews(scaling.normalize(noisy), n_images)
        patches, noisy = [self._validation[number] for number in chosen], noisy[chosen]
        scaling = self._scaling_of(patches, self._measured.scaling)
        return self._batch(patches, noisy, scaling, scaling.to_relative(noisy))

    def judge(self, checkpoint: Checkpoint) -> Judgment:
        """Compare the adapted model with the one it started from."""
        device = DeviceChoice(self._device, "training")
        images = kept_out_images(self._plan, self._measured, self._reader)
        return judge_adapted(self._start_from, checkpoint, device, images)

    @cached_property
    def _training(self) -> list[DenoisedWindow]:
        """The windows to train on."""
        images = self._plan.images
        windows = all_windows(images, self._plan.train, self._plan.side)
        rng = np.random.default_rng(self._plan.seeds.derive(Stream.ORDER))
        chosen = choose_windows(images, windows, TRAINING_PIXELS, rng)
        return self._denoise_all(chosen)

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """The share of each window in the pixels that are trained on."""
        n_pixels = np.array([window.noisy.numel() for window in self._training])
        shares: NDArray[np.float64] = n_pixels / n_pixels.sum()
        return shares

    @cached_property
    def _validation(self) -> list[DenoisedWindow]:
        """The validation patches."""
        return self._denoise_all(self._plan.validation(FEW_VALIDATION_PIXELS))

    @cached_property
    def _louder(self) -> BatchScaling:
        """The scalings of one of the two parts into which noisy images are split."""
        return self._measured.louder(math.sqrt(1.0 + SHARE))

    def _denoise_all(self, positions: Sequence[Position]) -> list[DenoisedWindow]:
        found = [
            self._denoise(position)
            for position in positions
            if self._measured.noise_of(position).is_detected
        ]
        usable = [window for window in found if bool(window.counted.any())]
        if not usable:
            raise DatasetError(
                f"{self._plan.name} has no known pixels with noise in one of the parts "
                "for training and validation."
            )
        return usable

    def _denoise(self, position: Position) -> DenoisedWindow:
        pixels = self._reader.read(position)
        scale = self._measured.scale_of(position)
        shown = prepare_input(pixels, scale)
        output = self._denoiser.apply_network(shown.unit, scale.noise_inputs)
        counted = shown.counted
        clean = scale.denormalize(output)
        noisy = np.where(counted, pixels, clean)
        return DenoisedWindow(
            noisy=self._as_tensor(noisy.astype(np.float32)),
            clean=self._as_tensor(clean.astype(np.float32)),
            mean=self._as_tensor((output + self._shift).astype(np.float32)),
            counted=self._as_tensor(counted),
            position=position,
        )

    def _as_tensor(self, image: NDArray[Any]) -> Tensor:
        return torch.from_numpy(image).permute(2, 0, 1).to(self._device)

    def _draw_patch(self, rng: np.random.Generator) -> DenoisedWindow:
        """Draw a patch, again if most of it is unknown."""
        side = self._plan.side
        for _ in range(_MOST_DRAWS):
            window = self._training[rng.choice(len(self._training), p=self._shares)]
            top, left = (rng.integers(n - side + 1) for n in window.noisy.shape[-2:])
            patch = window.cut(int(top), int(left), side)
            if float(patch.counted.float().mean()) >= _LEAST_KNOWN:
                break
        return patch

    def _with_new_noise(
        self, patches: Sequence[DenoisedWindow], generator: torch.Generator
    ) -> Batch:
        """Return denoised patches with new noise, compared with themselves."""
        noisy = [
            draw_measured_noise(
                each.clean[None], self._measured.noise_of(each.position), generator
            )
            for each in patches
        ]
        scaling = self._scaling_of(patches, self._measured.scaling)
        target = scaling.decode(torch.stack([each.mean for each in patches]))
        return self._batch(patches, torch.cat(noisy), scaling, target)

    def _split(
        self, patches: Sequence[DenoisedWindow], generator: torch.Generator
    ) -> Batch:
        """Return one part of noisy patches, compared with the other part."""
        added = [
            draw_split(
                each.clean[None], self._measured.noise_of(each.position), generator
            )
            for each in patches
        ]
        noisy, change = torch.stack([each.noisy for each in patches]), torch.cat(added)
        scaling = self._scaling_of(patches, self._louder)
        target = scaling.to_relative(noisy - change / SHARE)
        return self._batch(patches, noisy + change, scaling, target)

    def _scaling_of(
        self, patches: Sequence[DenoisedWindow], scaling: BatchScaling
    ) -> BatchScaling:
        numbers = [self._measured.number_of(each.position) for each in patches]
        return scaling.select(torch.tensor(numbers, device=self._device))

    def _batch(
        self,
        patches: Sequence[DenoisedWindow],
        noisy: Tensor,
        scaling: BatchScaling,
        target: Tensor,
    ) -> Batch:
        low, high = self._measured.scale_of(patches[0].position).limits
        unit = scaling.normalize(noisy).clamp(low + self._shift, high + self._shift)
        return Batch(
            noisy=unit,
            target=target,
            n_images=len(patches),
            told=scaling.told,
            center=CENTER,
            decode=scaling.decode,
            counted=torch.stack([each.counted for each in patches]),
        )


def _chunks(
    patches: Sequence[DenoisedWindow], size: int
) -> Iterator[Sequence[DenoisedWindow]]:
    for start in range(0, len(patches), size):
        yield patches[start : start + size]
