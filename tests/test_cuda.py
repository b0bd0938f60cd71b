"""Training and denoising on a CUDA device; skipped if there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from synthetic import (
    equal_weights,
    image_set,
    image_trainer,
    random_checkpoint,
    small_config,
)

from napari_denoise_ae import denoise
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.models.training_state import (
    load_training_state,
    save_training_state,
)
from napari_denoise_ae.training.results import EpochResult

if TYPE_CHECKING:
    from napari_denoise_ae.training.trainer import Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def make_trainer(**changes) -> Trainer:
    return image_trainer(small_config(**changes), image_set(), choose_device("cuda"))


def run(trainer: Trainer, epochs: int = 10**9) -> Trainer:
    for result in trainer.run():
        if isinstance(result, EpochResult) and result.epoch >= epochs:
            break
    return trainer


@pytest.mark.parametrize("mixed_precision", [True, False])
def test_training_lowers_the_validation_loss(mixed_precision):
    settings = {"epochs": 40, "patience": 40, "noise": "gaussian:0.2"}
    trainer = run(make_trainer(mixed_precision=mixed_precision, **settings))
    assert trainer.best_epoch.val_loss < 0.6 * trainer.history[0].val_loss
    weights = trainer.checkpoint().state_dict.values()
    assert {(tensor.device.type, tensor.dtype) for tensor in weights} == {
        ("cpu", torch.float32)
    }
    assert all(tensor.is_contiguous() for tensor in weights)


def test_a_run_can_be_resumed_from_a_file(tmp_path):
    interrupted = run(make_trainer(epochs=4), epochs=2)
    save_training_state(interrupted.state(), tmp_path / "a.resume")
    state = load_training_state(tmp_path / "a.resume")
    config, device = small_config(epochs=4), choose_device("cuda")
    resumed = image_trainer(config, image_set(), device, state)
    assert equal_weights(resumed.state().state_dict, interrupted.state().state_dict)
    assert len(run(resumed).history) == 4


def test_denoising_gives_the_same_result_as_on_the_cpu():
    image = np.random.default_rng(0).random((70, 90, 3))
    model = random_checkpoint()
    on_cpu, on_cuda = (denoise(image, model=model, device=d) for d in ("cpu", "cuda"))
    np.testing.assert_allclose(on_cuda, on_cpu, atol=2e-3)
