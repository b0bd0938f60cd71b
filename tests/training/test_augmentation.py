from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.models import config
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.training.augmentation import (
    AUGMENTATIONS,
    augment,
    magnify,
    random_flip,
    random_symmetry,
)
from napari_denoise_ae.training.seeds import Seeds


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n_images: int = 400, channels: int = 1, side: int = 32) -> torch.Tensor:
    return torch.rand((n_images, channels, side, side), generator=generator(1))


def test_random_flip_flips_about_half_of_the_images():
    clean = images()
    mirrored = random_flip(clean, generator())
    kept = (mirrored == clean).all(dim=(1, 2, 3))
    turned = (mirrored == clean.flip(-1)).all(dim=(1, 2, 3))
    assert (kept ^ turned).all()
    assert 0.4 < kept.double().mean() < 0.6


def test_each_of_the_eight_symmetries_is_equally_frequent():
    image = torch.arange(16.0).reshape(4, 4)
    turned, transposed = random_symmetry(image.expand(4000, 1, 4, 4), generator())
    upright = torch.where(transposed, turned.transpose(-1, -2), turned)
    variants = [image, image.flip(0), image.flip(1), image.flip(0, 1)]
    for variant in variants:
        share = (upright == variant).all(dim=(1, 2, 3)).double()
        assert 0.2 < share.mean() < 0.3
    assert 0.45 < transposed.double().mean() < 0.55


def test_images_that_are_not_square_keep_their_axes():
    images = torch.rand(64, 1, 4, 6)
    turned, transposed = random_symmetry(images, generator())
    assert turned.shape == images.shape
    assert not transposed.any()


@pytest.mark.parametrize("channels", [1, 3])
def test_magnify_keeps_shape_and_brightness(channels):
    clean = images(8, channels)
    larger = magnify(clean, 2.5, np.random.default_rng(0))
    assert larger.shape == clean.shape
    assert float(larger.mean()) == pytest.approx(float(clean.mean()), abs=0.05)


def test_magnify_makes_images_smoother():
    clean = images(8)
    factors = np.random.default_rng(0)

    def roughness(batch: torch.Tensor) -> float:
        return float(batch.diff(dim=-1).abs().mean())

    rougher = [roughness(magnify(clean, 1.0 + 1e-9, factors)) for _ in range(3)]
    assert rougher == pytest.approx([roughness(clean)] * 3, rel=1e-3)
    assert roughness(magnify(clean, 4.0, np.random.default_rng(3))) < rougher[0]


# --- augmentations by name -------------------------------------------------


def augmented(batch: int, **settings) -> torch.Tensor:
    generators = Seeds(0, torch.device("cpu")).epoch_generators(1)
    return augment(images(8), batch, TrainingConfig(**settings), generators)


def test_every_augmentation_has_a_function():
    assert tuple(AUGMENTATIONS) == config.AUGMENTATIONS


def test_augmentation_none_changes_nothing():
    assert torch.equal(augmented(1), images(8))
    assert torch.equal(augmented(2), images(8))


@pytest.mark.parametrize("kind", ["none", "flip", "stripes"])
def test_every_other_batch_is_magnified(kind):
    plain, zoomed = ({"augmentation": kind, "zoom": zoom} for zoom in (1.0, 2.0))
    assert torch.equal(augmented(1, **plain), augmented(1, **zoomed))
    assert not torch.equal(augmented(2, **plain), augmented(2, **zoomed))


def test_stripes_are_added_to_batches_that_are_not_magnified():
    flipped = {"augmentation": "flip"}
    striped = {"augmentation": "stripes"}
    assert torch.equal(augmented(2, **striped), augmented(2, **flipped))
    assert not torch.equal(augmented(1, **striped), augmented(1, **flipped))


def test_dead_leaves_are_larger_and_not_magnified_again():
    settings = {"augmentation": "dead-leaves", "zoom": 3.0}
    assert augmented(1, **settings).shape == (8, 1, 32, 32)
    assert augmented(2, **settings).shape == (2, 1, 64, 64)
    assert torch.equal(
        augmented(2, **settings), augmented(2, **settings | {"zoom": 1.0})
    )
