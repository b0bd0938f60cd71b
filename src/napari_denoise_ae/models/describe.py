"""Describe a checkpoint in a table for users."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..io.cifar10 import CIFAR10
from .config import N_CIFAR10_TEST
from .networks.registry import is_network

if TYPE_CHECKING:
    from .config import TrainingConfig
    from .record import TrainingRecord
    from .summary import ModelSummary


# More images would make a line unreadable.
_MOST_IMAGES = 5


def describe_model(model: ModelSummary) -> list[str]:
    """Describe a model in lines for users.

    Parameters
    ----------
    model : ModelSummary
        The model.

    Returns
    -------
    list of str
        The network, its training, and its validation loss and PSNR. Each line
        is a name, padded to 18 characters, and a value.
    """
    channels = model.option("in_channels")
    colors = "RGB" if channels == 3 else f"{channels} channel"
    rows = {
        "model": model.name,
        "network": f"{model.network}, {model.n_parameters:,} parameters, {colors}",
        **_describe_options(model),
    }
    skips = model.option("skip_connections")
    if skips is not None:
        rows["skip connections"] = "yes" if skips else "no"
    if model.record is None:
        rows["training"] = "unknown: the file contains only weights"
    else:
        rows |= _describe_training(model.record)
    return [f"{name:<18}{value}" for name, value in rows.items()]


def _describe_options(model: ModelSummary) -> dict[str, str]:
    options = model.network_options
    if not is_network(model.network):  # facts about a model from another program
        return {key: value for key, value in options.items() if isinstance(value, str)}
    given = ", ".join(f"{key}={value}" for key, value in options.items())
    return {"options": given or "the network's defaults"}


def _describe_training(record: TrainingRecord) -> dict[str, str]:
    config = record.config
    low, typical, high = record.noise_estimate
    return {
        "preset": config.preset,
        "noise": record.noise or config.noise_model.description,
        "measured noise": f"{typical:.1%} of the range ({low:.1%} to {high:.1%}), "
        "estimated from the noisy validation images",
        "intensity": record.intensity,
        "data": f"{record.dataset}, sha256 {record.dataset_sha256}",
        **_describe_images(record),
        "split": _describe_split(record),
        "test set": _describe_test_set(record),
        "loss": _describe_loss(config),
        "optimizer": f"{config.optimizer}, learning rate {config.learning_rate:g}, "
        f"batches of {config.batch_size}",
        "augmentation": config.augmentation,
        "budget": f"{record.epochs_run} of {config.epochs} "
        f"epoch{'s' * (config.epochs != 1)}, {config.schedule} learning rate",
        "early stopping": _describe_stopping(config),
        "stopped": record.stop_reason or "not finished",
        "best epoch": _describe_best(record),
        "receptive field": f"radius {record.receptive_field_radius} pixels, stride "
        f"{record.stride}",
        "made with": f"napari-denoise-ae {record.package_version}, torch "
        f"{record.torch_version}, on {record.device}",
        "date": record.date,
    }


def _describe_images(record: TrainingRecord) -> dict[str, str]:
    # Without checksums, which the checkpoint has, too.
    shown = [line.partition(", SHA-256")[0] for line in record.images[:_MOST_IMAGES]]
    more = len(record.images) - len(shown)
    shown += [f"and {more} more"] if more else []
    rows = {"images": "; ".join(shown)} if shown else {}
    if record.started_from:
        rows["started from"] = f"the model {record.started_from}"
    return rows


def _describe_best(record: TrainingRecord) -> str:
    text = f"{record.best_epoch}: validation loss {record.val_loss:.6f}"
    # Without clean images the PSNR is unknown.
    known = not math.isnan(record.val_psnr)
    return f"{text}, PSNR {record.val_psnr:.2f} dB" if known else text


def _describe_split(record: TrainingRecord) -> str:
    config = record.config
    fraction = f"(val_fraction {config.val_fraction:g})"
    if not record.n_val:
        return (
            f"parts of the image{'s' * (record.n_train != 1)} for validation {fraction}"
        )
    images = f"image{'s' * (record.n_val != 1)}"
    return (
        f"{record.n_train} training and {record.n_val} validation {images}, drawn "
        f"with seed {config.seed} {fraction}"
    )


def _describe_test_set(record: TrainingRecord) -> str:
    if not record.dataset.startswith(CIFAR10):
        return "none: these images have no test set"
    n_test, n_all = record.config.n_test, N_CIFAR10_TEST
    if n_test == n_all:
        return f"all {n_all:,} images of CIFAR-10's test set"
    return f"the first {n_test:,} of the {n_all:,} images of CIFAR-10's test set"


def _describe_loss(config: TrainingConfig) -> str:
    if config.loss != "mse_ssim":
        return config.loss
    return f"{config.loss}, weight of 1 - SSIM {config.ssim_weight:g}"


def _describe_stopping(config: TrainingConfig) -> str:
    if config.patience >= config.epochs:
        return f"none (patience {config.patience})"
    return f"patience {config.patience}, min_delta {config.min_delta:g}"
