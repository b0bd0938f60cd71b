"""Train on single noisy images, from nothing: Noise2Void."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...denoising.denoiser import Denoiser
from ...models.builtin import DEFAULT_MODEL
from ...models.devices import DeviceChoice
from ...models.load import load_fitting
from ..blind_spot import BlindSpots, extent_of_correlation
from ..guard import compare_models
from .judgment import Judgment
from .measured import most_correlated
from .measured_patches import MeasuredPatchSource
from .windows import kept_out_images

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ...models.checkpoint import Checkpoint
    from ...models.config import TrainingConfig
    from ..batch import Batch
    from ..images.collection import ImageCollection
    from ..images.positions import Position

# Each square of this side has one blind spot. Fewer would need more batches, more
# would hide too much of what a prediction needs.
_SPACING = 3


class BlindSpotSource(MeasuredPatchSource):
    """Noisy images with blind spots, which the network predicts from around them.

    Where neighboring pixels share noise, they are hidden, too. See `BlindSpots` for
    the papers.

    Parameters
    ----------
    images, config, device
        See `MeasuredPatchSource`.
    """

    def __init__(
        self, images: ImageCollection, config: TrainingConfig, device: torch.device
    ) -> None:
        super().__init__(images, config, device)
        extent = extent_of_correlation(most_correlated(self._measured.noises))
        # Hidden pixels take up the same fraction of the image.
        self._spots = BlindSpots(_SPACING * (1 + max(extent)), extent)

    def judge(self, checkpoint: Checkpoint) -> Judgment | None:
        """Compare the model with the built-in one on the validation part."""
        builtin = load_fitting(DEFAULT_MODEL, self._network.in_channels)
        device = DeviceChoice(self._device, "training")
        images = kept_out_images(self._plan, self._measured, self._reader)
        verdict = compare_models(
            Denoiser(checkpoint, device), Denoiser(builtin, device), images
        )
        if not verdict.is_clear:
            return None
        return Judgment(
            f"the built-in model {builtin.name} is better on these images ({verdict})"
        )

    def _read_target(
        self, position: Position, noisy: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        unknown = self._reader.find_unknown(position, noisy)
        known = np.broadcast_to(~unknown[..., np.newaxis], noisy.shape)
        return noisy.astype(np.float64), known

    def _hide(self, batch: Batch, generator: torch.Generator) -> Batch:
        hidden, spots = self._spots.hide(batch.noisy, generator)
        counted = spots if batch.counted is None else batch.counted & spots
        return replace(batch, noisy=hidden, counted=counted)
