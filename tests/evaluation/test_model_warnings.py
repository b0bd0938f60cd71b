from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from noisy_images import real_pair
from synthetic import (
    CPU,
    make_record,
    random_checkpoint,
    small_config,
    smooth_images,
)

from napari_denoise_ae.denoising.compatibility import relative_noise
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.evaluation.model_warnings import find_misfits
from napari_denoise_ae.evaluation.pairs import (
    noisy_pairs,
)
from napari_denoise_ae.evaluation.tasks import ImagePair, Task
from napari_denoise_ae.noise.setting import NoiseSetting

if TYPE_CHECKING:
    from napari_denoise_ae.models.checkpoint import TrainingRecord


def misfits(noise: str, record: TrainingRecord | None) -> list[str]:
    models = {"mine": Denoiser(random_checkpoint(record=record), CPU)}
    images = list(smooth_images(20, side=32))
    pairs = noisy_pairs(images, noise, seed=0)
    return find_misfits(Task(pairs, noise, "", NoiseSetting()), models)


def record_for(noise: str) -> TrainingRecord:
    """A record whose estimate of noise is that of real images with such noise."""
    pairs = noisy_pairs(list(smooth_images(50, side=32, seed=1)), noise, seed=100)
    estimates = [relative_noise(pair.noisy, pair.input_range) for pair in pairs]
    low, middle, high = map(float, np.percentile(estimates, (5, 50, 95)))
    config = small_config(noise=noise)
    return make_record(config=config, noise_estimate=(low, middle, high))


FITTING = [
    "gaussian:0.1",
    "gaussian:0..0.3",
    "gaussian:0.1+salt-pepper:0.05",
    "salt-pepper:0.3",
    "poisson:20..50",
]


@pytest.mark.parametrize("noise", FITTING)
def test_the_noise_of_training_fits(noise):
    assert misfits(noise, record_for(noise)) == []


@pytest.mark.parametrize(
    ("noise", "trained_for", "words"),
    [
        ("gaussian:0.1", "gaussian:0.5", "These images look much less noisy"),
        ("gaussian:0.5", "gaussian:0.1", "These images look much more noisy"),
        ("gaussian:0.3", "gaussian:0..0.05", "much more noisy"),
        ("gaussian:0..0.3", "gaussian:0.1", "noisy"),
        ("gaussian:0.1+gaussian:0.3", "gaussian:0.1", "much more noisy"),
        ("gaussian:0.1+salt-pepper:0.02", "gaussian:0.1", "another kind of noise"),
        ("speckle:0.25", "gaussian:0.1", "noise"),
    ],
)
def test_other_noise_does_not_fit(noise, trained_for, words):
    (message,) = misfits(noise, record_for(trained_for))
    assert words in message
    assert "'mine'" in message
    assert trained_for in message


def test_part_of_a_composed_noise_is_no_other_kind():
    record = record_for("gaussian:0.1+salt-pepper:0.01")
    assert misfits("gaussian:0.1", record) == []


def test_nothing_is_said_of_a_model_without_a_record():
    assert misfits("gaussian:0.1", None) == []


def test_real_images_may_not_fit_either(denoiser):
    record = record_for("gaussian:0.5")
    models = {"mine": Denoiser(random_checkpoint(record=record), CPU)}
    (message,) = find_misfits(ImagePair(*real_pair()).make_task(models), models)
    assert "much less noisy" in message
