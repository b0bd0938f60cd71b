from __future__ import annotations

import pytest
import torch
from synthetic import CPU, smooth_images

from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.training.augmentation import add_stripes
from napari_denoise_ae.training.seeds import Seeds, Stream
from napari_denoise_ae.training.sources.synthetic_noise import SyntheticNoise

SEEDS = Seeds(0, CPU.device)


def clean_images(n_images: int = 8) -> torch.Tensor:
    """Return images of 16 x 16 pixels, (N, 3, 16, 16), in [0, 1]."""
    return torch.from_numpy(smooth_images(n_images)).permute(0, 3, 1, 2) / 255


def make_noise(*, is_told: bool = False, **changes) -> SyntheticNoise:
    return SyntheticNoise(TrainingConfig(**changes), is_told)


def test_epochs_have_different_noise_that_can_be_repeated():
    noise = make_noise()
    first, again, other = (
        noise.train(clean_images(), 1, SEEDS.epoch_generators(epoch)).noisy
        for epoch in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_validation_images_are_neither_augmented_nor_changed():
    noise = make_noise(augmentation="stripes", noise="gaussian:0.01,unclipped")
    batch = noise.validate(clean_images(), SEEDS.generator(Stream.VALIDATION))
    assert torch.equal(batch.target, clean_images())
    assert float((batch.noisy - batch.target).std()) == pytest.approx(0.01, rel=0.05)


def test_told_noise_level_is_that_of_the_noise():
    noise = make_noise(is_told=True, noise="gaussian:0.05..0.2,unclipped")
    clean = torch.full((8, 1, 64, 64), 0.5)
    batch = noise.train(clean, 1, SEEDS.epoch_generators(1))
    found = (batch.noisy - batch.target).std(dim=(1, 2, 3))
    torch.testing.assert_close(batch.told[:, 0], found, rtol=0.05, atol=0)


def test_networks_that_take_no_noise_level_are_told_nothing():
    batch = make_noise(noise="gaussian:0.1").train(
        clean_images(), 1, SEEDS.epoch_generators(1)
    )
    assert batch.told is None


@pytest.mark.parametrize(
    ("kind", "sides"), [("stripes", [16]), ("dead-leaves", [16, 32])]
)
def test_stripes_are_added_to_images_and_to_dead_leaves(monkeypatch, kind, sides):
    striped = []

    def record(images, generator):
        striped.append(images.shape[-1])
        return add_stripes(images, generator)

    monkeypatch.setattr("napari_denoise_ae.training.augmentation.add_stripes", record)
    noise = make_noise(augmentation=kind)
    for number in (1, 2):
        noise.train(clean_images(), number, SEEDS.epoch_generators(1))
    assert striped == sides
