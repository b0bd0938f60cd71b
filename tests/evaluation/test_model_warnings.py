"""Models that were trained for other noise cause a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from noisy_images import real_pair
from synthetic import CPU, make_record, random_checkpoint, small_config, smooth_images

from napari_denoise_ae.denoising.compatibility import noise_level
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.evaluation.model_warnings import find_task_incompatibilities
from napari_denoise_ae.evaluation.pairs import noisy_pairs
from napari_denoise_ae.evaluation.tasks import ImagePair, Task
from napari_denoise_ae.image.intensity import share_range
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.noise.setting import NoiseSetting

if TYPE_CHECKING:
    from napari_denoise_ae.models.record import TrainingRecord


def incompatibilities(noise: str, record: TrainingRecord | None) -> list[str]:
    models = {"mine": Denoiser(random_checkpoint(record=record), CPU)}
    images = list(smooth_images(20, side=32))
    pairs = noisy_pairs(images, noise, seed=0)
    return find_task_incompatibilities(Task(pairs, noise, "", NoiseSetting()), models)


def record_for(noise: str) -> TrainingRecord:
    """Return a record whose noise estimate was measured on images with this noise."""
    pairs = noisy_pairs(list(smooth_images(50, side=32, seed=1)), noise, seed=100)
    estimates = [
        noise_level(ArrayPlanes(pair.noisy, "YX"), share_range("YX", pair.input_range))
        for pair in pairs
    ]
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
def test_images_with_the_noise_of_training_cause_no_warning(noise):
    assert incompatibilities(noise, record_for(noise)) == []


@pytest.mark.parametrize(
    ("noise", "trained_for", "words"),
    [
        ("gaussian:0.1", "gaussian:0.5", "The noise in these images is much weaker"),
        ("gaussian:0.5", "gaussian:0.1", "The noise in these images is much stronger"),
        ("gaussian:0.3", "gaussian:0..0.05", "much stronger"),
        ("gaussian:0..0.3", "gaussian:0.1", "The noise in these images"),
        ("gaussian:0.1+gaussian:0.3", "gaussian:0.1", "much stronger"),
        ("gaussian:0.1+salt-pepper:0.02", "gaussian:0.1", "another kind of noise"),
        ("gaussian:0.1,blur=0.4", "gaussian:0.1", "another kind of noise"),
        ("speckle:0.25", "gaussian:0.1", "noise"),
    ],
)
def test_images_with_other_noise_cause_a_warning(noise, trained_for, words):
    (message,) = incompatibilities(noise, record_for(trained_for))
    assert words in message
    assert "'mine'" in message
    assert trained_for in message


def test_one_component_of_the_noise_of_training_causes_no_warning():
    record = record_for("gaussian:0.1+salt-pepper:0.01")
    assert incompatibilities("gaussian:0.1", record) == []


def test_a_model_without_a_record_causes_no_warning():
    assert incompatibilities("gaussian:0.1", None) == []


def test_real_images_with_other_noise_cause_a_warning(denoiser):
    record = record_for("gaussian:0.5")
    models = {"mine": Denoiser(random_checkpoint(record=record), CPU)}
    task = ImagePair(*real_pair()).make_task(models)
    (message,) = find_task_incompatibilities(task, models)
    assert "much weaker" in message
