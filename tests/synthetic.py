"""Small images, configs, records and checkpoints for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_denoise_ae.io.cifar10 import ImageSet
from napari_denoise_ae.models.checkpoint import Checkpoint
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.models.devices import DeviceChoice
from napari_denoise_ae.models.networks.registry import build_network
from napari_denoise_ae.models.record import TrainingRecord
from napari_denoise_ae.training.sources.image_set import ImageSetSource
from napari_denoise_ae.training.trainer import Trainer

if TYPE_CHECKING:
    from napari_denoise_ae.models.training_state import TrainingState

CPU = DeviceChoice(torch.device("cpu"), "tests")

#: Options of a `conv` network that trains and runs in milliseconds.
SMALL = {"base_channels": 4}


def smooth_images(
    n_images: int, *, side: int = 16, channels: int = 3, seed: int = 0
) -> np.ndarray:
    """Return images of four flat squares, uint8 of shape (N, side, side, channels)."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (n_images, 2, 2, channels), dtype=np.uint8)
    return colors.repeat(side // 2, axis=1).repeat(side // 2, axis=2)


def smooth_photo(height: int = 64, width: int = 64, channels: int = 3) -> np.ndarray:
    """Return smooth waves, float64 of shape (height, width, channels), in [0, 1]."""
    y, x = np.mgrid[:height, :width]
    phases = np.arange(channels)
    waves = np.sin(x[..., np.newaxis] / 9 + phases) * np.cos(y[..., np.newaxis] / 7)
    return 0.5 + 0.4 * waves


def image_set(n_images: int = 40, *, seed: int = 0, **options: Any) -> ImageSet:
    """Return a data set of `smooth_images`."""
    return ImageSet("squares", smooth_images(n_images, seed=seed, **options))


def small_config(**changes: Any) -> TrainingConfig:
    """Return the config of a run that takes less than a second on `image_set`."""
    settings: dict[str, Any] = {
        "network_options": SMALL,
        "batch_size": 8,
        "epochs": 3,
        "learning_rate": 1e-2,
    }
    return TrainingConfig(**(settings | changes))


def image_trainer(
    config: TrainingConfig,
    data: ImageSet,
    device: DeviceChoice = CPU,
    state: TrainingState | None = None,
) -> Trainer:
    """Return a trainer on images in memory."""
    return Trainer(config, ImageSetSource(data, config, device.device), device, state)


def make_record(**changes: Any) -> TrainingRecord:
    """Return a plausible record of a network trained on clipped noise of sigma 0.5."""
    values: dict[str, Any] = {
        "config": small_config(),
        "dataset": "squares",
        "dataset_sha256": "0" * 64,
        "n_train": 36,
        "n_val": 4,
        "epochs_run": 3,
        "best_epoch": 2,
        "stop_reason": "all epochs are done",
        "val_loss": 0.0125,
        "val_psnr": 19.5,
        "noise_estimate": (0.31, 0.34, 0.37),
        "receptive_field_radius": 14,
        "stride": 8,
        "device": "cpu",
        "package_version": "0.1.0",
        "torch_version": "2.10.0",
        "date": "2026-01-01T00:00:00+00:00",
    }
    return TrainingRecord(**(values | changes))


def random_checkpoint(
    *,
    seed: int = 0,
    record: TrainingRecord | None = None,
    network: str = "conv",
    **options: Any,
) -> Checkpoint:
    """Return a checkpoint of a small network with random weights."""
    options = SMALL | options
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state_dict = dict(build_network(network, options).state_dict())
    return Checkpoint("random", network, options, state_dict, record)


def cifar10_checkpoint(
    name: str = "random", *, in_channels: int = 3, **settings: Any
) -> Checkpoint:
    """A model that claims to be trained on CIFAR-10, by default for noise of 0.5."""
    record = make_record(
        dataset="CIFAR-10 training set", config=small_config(**settings)
    )
    checkpoint = random_checkpoint(record=record, in_channels=in_channels)
    return replace(checkpoint, name=name)


def equal_weights(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Return whether two state_dicts are equal bit by bit."""
    return first.keys() == second.keys() and all(
        torch.equal(first[key], second[key]) for key in first
    )
