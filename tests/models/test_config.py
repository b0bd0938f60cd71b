from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.config import (
    AUGMENTATIONS,
    OPTIMIZERS,
    SCHEDULES,
    TRAINED_LAYERS,
    TrainingConfig,
)
from napari_denoise_ae.noise.synthetic import Gaussian
from napari_denoise_ae.training.losses import LOSSES

BAD_VALUES = {
    "network": ["", "unet9", None, 3, ["conv"]],
    "network_options": [5, "ab", None, ["base_channels"]],
    "noise": ["", "gaussian", "gaussian:-1", None, 0.5],
    "loss": ["", "MSE", None, []],
    "optimizer": ["sgd2", None, {}],
    "augmentation": ["rotate", None, True],
    "zoom": [0.99, 0, -2, 16, math.nan, math.inf, "2", None, True],
    "bfloat16_on_cpu": ["no", 2, None],
    "learning_rate": [0, 0.0, -1e-3, math.nan, math.inf, "0.1", None, True],
    "batch_size": [0, -1, 1.5, "8", None, True],
    "epochs": [0, -3, 2.0, "3", None, True],
    "patience": [0, -1, 1.5, None, math.inf],
    "min_delta": [-1e-9, math.nan, math.inf, "0", None, True],
    "val_fraction": [0, 0.0, 1, 1.0, -0.1, 1.5, math.nan, "0.1", None],
    "ssim_weight": [0, 0.0, 1, 1.0, -0.1, math.nan, "0.1", None],
    "schedule": ["", "linear", None, True],
    "trained_layers": ["", "fine", None, True],
    "n_test": [0, -1, 10_001, 1.5, "6000", None, True],
    "seed": [-1, 0.5, "0", None, True],
    "mixed_precision": ["no", 2, None],
    "preset": [None, 3],
    "warm_up": [-1, 0.5, "0", None, True],
    "patch_size": [7, 0, 64.0, "64", None, True],
    "batches_per_epoch": [-1, 0.5, "20", None, True],
    "smoothing": [0, -1, 1.5, "3", None, True],
}


def test_every_field_has_invalid_values_to_test():
    names = {field.name for field in dataclasses.fields(TrainingConfig)}
    assert set(BAD_VALUES) == names


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_VALUES.items() for value in values],
)
def test_invalid_value_is_rejected_and_its_field_named(name, value):
    with pytest.raises(InvalidInputError) as caught:
        TrainingConfig(**{name: value})
    assert name.replace("network_options", "network") in str(caught.value)


def test_error_states_the_allowed_and_the_given_value():
    with pytest.raises(
        InvalidInputError, match=r"val_fraction .*above 0.*below 1.*1.5"
    ):
        TrainingConfig(val_fraction=1.5)
    with pytest.raises(InvalidInputError, match=r"loss .*mse.*l1.*'l2'"):
        TrainingConfig(loss="l2")


@pytest.mark.parametrize(
    ("name", "value", "limits"),
    [
        ("min_delta", -1, "a finite number of at least 0"),
        ("min_delta", math.inf, "a finite number of at least 0"),
        ("zoom", 0.5, "a number of at least 1 and below 16"),
        ("zoom", 16, "a number of at least 1 and below 16"),
        ("learning_rate", 0, "a finite number above 0"),
        ("learning_rate", math.inf, "a finite number above 0"),
        ("val_fraction", 0, "a number above 0 and below 1"),
    ],
)
def test_the_error_names_the_limits_that_are_checked(name, value, limits):
    with pytest.raises(InvalidInputError) as caught:
        TrainingConfig(**{name: value})
    assert str(caught.value) == f"{name} must be {limits}, got {value!r}."


def test_defaults_are_those_of_the_first_teaching_project():
    config = TrainingConfig()
    assert (config.network, config.loss, config.optimizer) == ("conv", "mse", "adam")
    assert (config.learning_rate, config.batch_size) == (1e-3, 128)
    assert (config.epochs, config.patience, config.val_fraction) == (50, 3, 0.1)
    assert config.noise_model == Gaussian(0.5, clipped=True)


def test_patience_may_exceed_epochs():
    assert TrainingConfig(epochs=2, patience=5).patience == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_delta", 0),
        ("min_delta", 0.0),
        ("zoom", 1),
        ("learning_rate", 1),
        ("val_fraction", 0.999),
        ("seed", 0),
        ("epochs", 1),
        ("n_test", 1),
        ("n_test", 10_000),
        ("mixed_precision", False),
        *[("loss", loss) for loss in LOSSES],
        *[("schedule", schedule) for schedule in SCHEDULES],
        *[("trained_layers", layers) for layers in TRAINED_LAYERS],
        *[("optimizer", optimizer) for optimizer in OPTIMIZERS],
        *[("augmentation", augmentation) for augmentation in AUGMENTATIONS],
    ],
)
def test_limits_are_accepted(name, value):
    assert getattr(TrainingConfig(**{name: value}), name) == value


def test_config_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingConfig().epochs = 3


def test_config_copies_the_options_of_the_caller():
    options = {"base_channels": 4}
    config = TrainingConfig(network_options=options)
    options["base_channels"] = 8
    assert config.network_options == {"base_channels": 4}


def test_configs_with_equal_noise_are_equal():
    assert TrainingConfig(noise="gaussian:0.50") == TrainingConfig(noise="gaussian:0.5")


def test_as_dict_round_trips():
    config = TrainingConfig(noise="gaussian:0.1,unclipped", seed=7, loss="l1")
    assert TrainingConfig(**config.as_dict()) == config


@pytest.mark.parametrize("value", [np.int64(3), np.array(3)])
def test_numpy_integers_are_rejected(value):
    """A checkpoint can only contain plain numbers."""
    with pytest.raises(InvalidInputError, match="epochs"):
        TrainingConfig(epochs=value)
