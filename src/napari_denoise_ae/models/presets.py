"""Presets of training runs, and their settings for each kind of data."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from ..errors import InvalidInputError
from .config import TrainingConfig

_RGB = TrainingConfig(
    preset="rgb",
    network="unet",
    network_options={"in_channels": 3},
    noise="gaussian:0..0.25,unclipped",
    loss="psnr",
    learning_rate=5e-4,
    schedule="cosine",
    batch_size=32,
    epochs=160,
    patience=160,
    augmentation="dead-leaves",
    bfloat16_on_cpu=True,
)
_GRAY = replace(_RGB, preset="gray", network_options={"in_channels": 1})
#: Noise for networks that take its correlation.
CORRELATED_NOISE = (
    "0.6*gaussian:0..0.3,unclipped|0.4*gaussian:0..0.3,blur=0..1.6,unclipped"
)
#: Kinds of the user's own data to train on, by the names of the arguments of `train`.
DATA_KINDS = ("images", "pairs", "repeats", "adapt", "noise2void")
# Settings that depend on the kind of data more than on the network: they replace those
# of `gray` and `rgb`.
_PATCHES: dict[str, Any] = {"augmentation": "symmetries", "batch_size": 16}
# Small patches leave more of a small image to train on. With noisy targets, only
# squared errors are lowest for the clean image.
_FEW: dict[str, Any] = {
    "augmentation": "symmetries",
    "batch_size": 8,
    "patch_size": 64,
    "loss": "mse",
}
_DATA_DEFAULTS: dict[str, dict[str, Any]] = {
    "images": _PATCHES,
    "pairs": _FEW | {"batch_size": 16},
    "repeats": _FEW,
    "adapt": _FEW | {"val_fraction": 0.15},
    "noise2void": _FEW
    | {
        "batch_size": 4,
        "learning_rate": 1.5e-3,
        "warm_up": 100,
        "batches_per_epoch": 125,
        "epochs": 20,
        "patience": 20,
        "smoothing": 3,
    },
}
# Settings for a network that is trained already.
_FINE_TUNING = {"learning_rate": 2e-4, "warm_up": 50, "epochs": 20, "patience": 20}
# A few seconds on a CPU: more batches learn the noise of small images, too. The coarse
# layers learn a scene; the fine ones would learn the noise of its repeats as well.
_FINE_TUNING_OF: dict[str, dict[str, Any]] = {
    "repeats": {
        "patch_size": 128,
        "batch_size": 2,
        "trained_layers": "coarse",
        "learning_rate": 8e-4,
        "warm_up": 5,
        "batches_per_epoch": 44,
        "epochs": 4,
        "patience": 4,
        # The last epoch counts unless it is worse than the first.
        "smoothing": 3,
    },
    "adapt": {
        "learning_rate": 2e-4,
        "warm_up": 5,
        "batches_per_epoch": 40,
        "epochs": 5,
        "patience": 5,
        # The losses of few pixels vary more by chance than from epoch to epoch.
        "smoothing": 5,
    },
}
#: Presets by name.
PRESETS: dict[str, TrainingConfig] = {
    "conv": TrainingConfig(preset="conv"),
    "residual": TrainingConfig(
        preset="residual",
        network="residual",
        noise="gaussian:0.1",
        learning_rate=2e-3,
        schedule="cosine",
        batch_size=32,
        epochs=100,
        patience=100,
        # Of the 60,000 images, 6,000 are for validation and 6,000 for testing.
        val_fraction=1 / 9,
        n_test=6_000,
    ),
    "gray": _GRAY,
    "rgb": _RGB,
}


def preset_config(preset: str, **changes: Any) -> TrainingConfig:
    """Make the config of a preset, with some fields changed.

    Parameters
    ----------
    preset : str
        A key of `PRESETS`.
    **changes
        Fields of `TrainingConfig` that override the preset.

    Returns
    -------
    TrainingConfig
        The validated config.

    Raises
    ------
    InvalidInputError
        If the preset or a field is unknown, or a value is invalid.

    Examples
    --------
    >>> preset_config("conv", noise="gaussian:0.1").noise
    'gaussian:0.1'
    """
    if preset not in PRESETS:
        raise InvalidInputError(
            f"Unknown preset {preset!r}. Known presets: {', '.join(PRESETS)}."
        )
    known = [f.name for f in fields(TrainingConfig)]
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise InvalidInputError(
            f"Unknown setting {', '.join(unknown)}. Known settings: {', '.join(known)}."
        )
    return replace(PRESETS[preset], **changes)


def data_config(
    kind: str, preset: str, *, is_trained: bool = False, **changes: Any
) -> TrainingConfig:
    """Make the config of a preset for the user's own data, with some fields changed.

    Parameters
    ----------
    kind : str
        One of `DATA_KINDS`.
    preset, changes
        See `preset_config`.
    is_trained : bool
        Whether the run starts from a trained network.

    Returns
    -------
    TrainingConfig
        The validated config.

    Raises
    ------
    InvalidInputError
        See `preset_config`.
    """
    defaults: dict[str, Any] = {}
    if preset in ("gray", "rgb"):
        defaults = _DATA_DEFAULTS[kind]
        if is_trained:
            defaults = defaults | _FINE_TUNING_OF.get(kind, _FINE_TUNING)
    return preset_config(preset, **(defaults | changes))
