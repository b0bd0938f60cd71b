"""Sources of noisy images for tests, with small networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from skimage.data import camera
from synthetic import CPU, random_checkpoint, small_config

from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.sources.adapt import AdaptSource
from napari_denoise_ae.training.sources.noise2void import BlindSpotSource
from napari_denoise_ae.training.sources.pairs import PairSource
from napari_denoise_ae.training.sources.repeats import RepeatSource
from napari_denoise_ae.training.trainer import Trainer

if TYPE_CHECKING:
    from napari_denoise_ae.models.checkpoint import Checkpoint
    from napari_denoise_ae.models.config import TrainingConfig
    from napari_denoise_ae.training.sources.base import TrainingSource

KINDS = ("repeats", "pairs", "noise2void", "adapt")
SIGMA = 20.0
OPTIONS = {"base_channels": 4, "in_channels": 1}


def clean_image(height: int = 96, width: int = 128) -> np.ndarray:
    """Return a photograph, float64, in 0 to 255."""
    return camera()[100 : 100 + height, 100 : 100 + width].astype(np.float64)


def noisy_image(seed: int = 0, **shape: int) -> np.ndarray:
    """Return a photograph with Gaussian noise, float32."""
    clean = clean_image(**shape)
    noise = SIGMA * np.random.default_rng(seed).standard_normal(clean.shape)
    return (clean + noise).astype(np.float32)


def config_of(**changes: Any) -> TrainingConfig:
    """Return the config of a small network that takes the noise level."""
    settings: dict[str, Any] = {
        "network": "unet",
        "network_options": OPTIONS,
        "noise": "gaussian:0.1,unclipped",
        "learning_rate": 1e-3,
        "augmentation": "symmetries",
        "patch_size": 32,
        "batch_size": 2,
        "batches_per_epoch": 4,
        "val_fraction": 0.25,
    }
    return small_config(**(settings | changes))


def start_model(**options: Any) -> Checkpoint:
    """Return an untrained model of the network of `config_of`."""
    return random_checkpoint(network="unet", **(OPTIONS | options))


def make_source(
    kind: str, images: Any = None, *, axes: str | None = None, **changes: Any
) -> TrainingSource:
    """Return a source of a kind, by default of the images of `noisy_image`."""
    config, device = config_of(**changes), CPU.device
    if kind == "repeats":
        stack = np.stack([noisy_image(seed) for seed in range(3)])
        given = stack if images is None else images
        return RepeatSource(open_images(given, axes="TYX"), config, device)
    if kind == "pairs":
        noisy, clean = (noisy_image(), clean_image()) if images is None else images
        return PairSource([open_images(noisy), open_images(clean)], config, device)
    opened = open_images([noisy_image()] if images is None else images, axes=axes)
    if kind == "noise2void":
        return BlindSpotSource(opened, config, device)
    model = random_checkpoint(network=config.network, **config.network_options)
    return AdaptSource(opened, config, device, model)


def trainer_of(kind: str, state: Any = None, **changes: Any) -> Trainer:
    """Return a trainer on a source of a kind."""
    source = make_source(kind, **changes)
    return Trainer(config_of(**changes), source, CPU, state)
