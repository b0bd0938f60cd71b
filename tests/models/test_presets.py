from __future__ import annotations

import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.presets import PRESETS, preset_config
from napari_denoise_ae.noise.synthetic import Gaussian


def test_residual_preset_is_that_of_the_second_teaching_project():
    config = PRESETS["residual"]
    assert (config.network, config.loss, config.optimizer) == (
        "residual",
        "mse",
        "adam",
    )
    assert config.noise_model == Gaussian(0.1, clipped=True)
    assert config.epochs == config.patience == 100
    # 80/10/10 of 60,000 images.
    n_val = round((60_000 - config.n_test) * config.val_fraction)
    assert (config.n_test, n_val) == (6_000, 6_000)


def test_preset_settings_can_be_overridden():
    config = preset_config("conv", epochs=5, noise="gaussian:0.1")
    assert (config.epochs, config.noise, config.preset) == (5, "gaussian:0.1", "conv")
    assert PRESETS["conv"].epochs == 50


@pytest.mark.parametrize("preset", ["dncnn9", "", "CONV"])
def test_unknown_preset_lists_the_presets(preset):
    with pytest.raises(InvalidInputError) as caught:
        preset_config(preset)
    assert repr(preset) in str(caught.value)
    assert all(name in str(caught.value) for name in PRESETS)


def test_unknown_setting_lists_the_settings():
    with pytest.raises(InvalidInputError, match=r"learn_rate.*learning_rate"):
        preset_config("conv", learn_rate=0.1)


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_has_its_own_name(preset):
    assert PRESETS[preset].preset == preset
