from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from synthetic import CPU, small_config, smooth_photo

from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.sources.clean import CleanPatchSource
from napari_denoise_ae.training.trainer import Trainer

if TYPE_CHECKING:
    from napari_denoise_ae.models.config import TrainingConfig

#: Settings of a small network that takes the noise level.
LEVEL = {
    "network": "unet",
    "network_options": {"base_channels": 4, "in_channels": 1},
    "noise": "gaussian:0.1,unclipped",
    "learning_rate": 1e-3,
    "augmentation": "symmetries",
}


def config_of(**changes) -> TrainingConfig:
    return small_config(**({"patch_size": 16, "batches_per_epoch": 4} | changes))


def source_of(images, **changes) -> CleanPatchSource:
    return CleanPatchSource(open_images(images), config_of(**changes), CPU.device)


def photo(side: int = 64, *, highest: float = 1.0) -> np.ndarray:
    return smooth_photo(side, side, 1)[..., 0] * highest


def test_patches_have_the_size_and_number_of_the_settings():
    batches = list(source_of([photo()], **LEVEL, batch_size=3).batches(1))
    assert len(batches) == 4
    assert {tuple(batch.noisy.shape) for batch in batches} == {(3, 1, 16, 16)}
    assert {batch.n_images for batch in batches} == {3}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "int32"])
def test_every_dtype_is_mapped_to_0_to_1(dtype):
    highest = {"uint8": 255, "uint16": 3000, "int32": 10**6}.get(dtype, 7.5)
    image = np.clip(photo() * 1.25 - 0.125, 0, 1) * highest
    source = source_of([image.astype(dtype)], **LEVEL)
    clean = torch.cat([batch.target for batch in source.validation()])
    assert clean.dtype == torch.float32
    assert -0.3 < float(clean.min()) < float(clean.max()) < 1.3
    assert float(clean.std()) > 0.1


def test_same_settings_give_the_same_batches_and_epochs_differ():
    first, again = (source_of([photo()], **LEVEL) for _ in range(2))
    for epoch in (1, 2):
        for one, other in zip(first.batches(epoch), again.batches(epoch), strict=True):
            assert torch.equal(one.noisy, other.noisy)
    one, other = next(first.batches(1)), next(first.batches(2))
    assert not torch.equal(one.target, other.target)


def test_unknown_pixels_do_not_reach_the_network():
    image = photo()
    image[10:20, 10:50] = np.nan
    source = source_of([image], **LEVEL)
    for batch in [*source.batches(1), *source.validation()]:
        assert torch.isfinite(batch.noisy).all()
        assert torch.isfinite(batch.target).all()


def test_validation_does_not_depend_on_training_pixels():
    image = photo()
    changed = image.copy()
    changed[:, :40] = 0.5
    first, second = (
        torch.cat([batch.target for batch in source_of([each], **LEVEL).validation()])
        for each in ((image * 255).astype(np.uint8), (changed * 255).astype(np.uint8))
    )
    assert torch.equal(first, second)


@pytest.mark.parametrize("settings", [{}, LEVEL])
def test_training_lowers_the_validation_loss(settings):
    n_colors = 1 if settings else 3
    config = config_of(**({"epochs": 8, "batches_per_epoch": 12} | settings))
    image = (smooth_photo(96, 96, n_colors).squeeze() * 255).astype(np.uint8)
    source = CleanPatchSource(open_images([image]), config, CPU.device)
    trainer = Trainer(config, source, CPU)
    for _ in trainer.run():
        pass
    assert trainer.best_epoch.val_loss < 0.9 * trainer.history[0].val_loss
