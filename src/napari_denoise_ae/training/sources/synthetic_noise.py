"""Make batches from clean images: augment them, and add synthetic noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...noise.call import apply_noise, apply_noise_with_inputs
from ..augmentation import augment
from ..batch import Batch

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from ...models.config import TrainingConfig
    from ..seeds import EpochGenerators

# A network that takes a noise level gets intensities relative to the mean of a whole
# image. A patch can be darker or brighter than its image, so subtract a random mean
# instead of its own.
_MEANS = (0.3, 0.7)


@dataclass(frozen=True, slots=True)
class SyntheticNoise:
    """Adds the noise of a config to clean images, (N, channels, Y, X) in [0, 1].

    Parameters
    ----------
    config : TrainingConfig
        Its noise and augmentation are used.
    is_told : bool
        Whether the network takes a noise level.
    """

    config: TrainingConfig
    is_told: bool

    def train(self, clean: Tensor, number: int, generators: EpochGenerators) -> Batch:
        """Augment clean images and add new noise.

        Parameters
        ----------
        clean : torch.Tensor
            The clean images.
        number : int
            Number of the batch in the epoch, from 1.
        generators : EpochGenerators
            The generators of the epoch.
        """
        n_images = len(clean)
        clean = augment(clean, number, self.config, generators)
        center = clean.new_empty((len(clean), 1, 1, 1))
        center.uniform_(*_MEANS, generator=generators.brightness)
        noisy, told = self._add_noise(clean, generators.noise)
        return Batch(
            noisy=noisy, target=clean, n_images=n_images, told=told, center=center
        )

    def validate(self, clean: Tensor, generator: Generator) -> Batch:
        """Add noise to clean images without augmentation."""
        noisy, told = self._add_noise(clean, generator)
        return Batch(noisy=noisy, target=clean, n_images=len(clean), told=told)

    def _add_noise(
        self, clean: Tensor, generator: Generator
    ) -> tuple[Tensor, Tensor | None]:
        noise = self.config.noise_model
        if self.is_told:
            return apply_noise_with_inputs(noise, clean, generator)
        return apply_noise(noise, clean, generator), None
