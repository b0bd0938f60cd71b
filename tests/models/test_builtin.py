"""Every built-in model is small, has a record, and removes the noise it is for."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import smooth_photo

from napari_denoise_ae import add_noise, denoise, psnr
from napari_denoise_ae.models.builtin import (
    builtin_file,
    builtin_models,
    suits_any_noise,
)
from napari_denoise_ae.models.describe import describe_model
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.summary import summarize


def noisy_photo(noise: str) -> tuple[np.ndarray, np.ndarray]:
    clean = np.rint(255 * smooth_photo(96, 112)).astype(np.uint8)
    return add_noise(clean, noise), clean


@pytest.mark.parametrize("name", builtin_models())
def test_builtin_checkpoint_is_small(name):
    with builtin_file(name) as file:
        assert file.stat().st_size < 2.5e6


@pytest.mark.parametrize("name", builtin_models())
def test_suits_any_noise_agrees_with_the_network(name):
    takes_noise_level = load_checkpoint(name).outline().takes_noise_level
    assert suits_any_noise(name) == takes_noise_level


@pytest.mark.parametrize("name", builtin_models())
def test_builtin_model_has_a_training_record(name):
    checkpoint = load_checkpoint(name)
    assert checkpoint.record is not None
    lines = "\n".join(describe_model(summarize(checkpoint)))
    assert checkpoint.record.config.noise_model.description in lines
    assert f"{checkpoint.record.epochs_run} of" in lines


@pytest.mark.parametrize("name", builtin_models())
def test_builtin_model_removes_the_noise_it_was_trained_on(name):
    noise = load_checkpoint(name).record.config.noise
    noisy, clean = noisy_photo(noise)
    before = psnr(clean, noisy, data_range=255)
    after = psnr(clean, denoise(noisy, model=name), data_range=255)
    assert after > before + 4


def test_residual_models_differ_only_in_their_skip_connections():
    with_skips, without = (
        load_checkpoint(name) for name in ("residual", "residual-no-skips")
    )
    assert with_skips.network_options["skip_connections"] is True
    assert without.network_options["skip_connections"] is False
    first, second = (
        checkpoint.record.config.as_dict() | {"network_options": {}}
        for checkpoint in (with_skips, without)
    )
    assert first == second
    assert with_skips.record.dataset_sha256 == without.record.dataset_sha256
    assert with_skips.record.epochs_run == without.record.epochs_run
