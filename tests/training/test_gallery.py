from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from synthetic import image_set, image_trainer, small_config

from napari_denoise_ae import add_noise
from napari_denoise_ae.io.cifar10 import load_test_images, load_training_images
from napari_denoise_ae.noise.setting import NoiseSetting
from napari_denoise_ae.training import gallery
from napari_denoise_ae.training.gallery import (
    denoise_examples,
    gallery_title,
    save_gallery,
)

if TYPE_CHECKING:
    from napari_denoise_ae.training.trainer import Trainer

#: Settings of a small network that takes the noise level.
LEVEL = {"network": "unet", "network_options": {"base_channels": 4}}


def trained(data, **changes) -> Trainer:
    trainer = image_trainer(small_config(epochs=1, **changes), data)
    for _ in trainer.run():
        pass
    return trainer


def test_examples_are_the_first_test_images_with_the_noise_of_training(cifar10):
    trainer = trained(load_training_images(cifar10, n_test=24))
    noisy, denoised, clean = denoise_examples(trainer, cifar10)
    images = load_test_images(cifar10, n_test=8).images
    np.testing.assert_allclose(clean, images / 255, atol=1e-6)
    expected = add_noise(images[0] / 255, "gaussian:0.5", intensity_range=(0, 1), rng=0)
    np.testing.assert_allclose(noisy[0], expected, atol=1e-6)
    assert denoised.shape == clean.shape


@pytest.mark.parametrize(
    ("noise", "sigma"),
    [("gaussian:0.1,unclipped", 0.1), ("gaussian:0.1..0.2,unclipped", None)],
)
def test_known_noise_level_is_passed_to_the_model(cifar10, monkeypatch, noise, sigma):
    """The scores of the test set do the same, so that both agree."""
    settings = []

    def denoise(images, denoiser, setting=None):
        settings.append(setting)
        return images

    monkeypatch.setattr(gallery, "denoise_together", denoise)
    trainer = trained(load_training_images(cifar10, n_test=24), noise=noise, **LEVEL)
    denoise_examples(trainer, cifar10)
    assert settings == [NoiseSetting(sigma=sigma)]


def test_validation_images_in_memory_are_denoised_by_the_best_epoch():
    trainer = trained(image_set())
    last = trainer.example_images(4)
    for tensor in trainer.checkpoint().state_dict.values():
        tensor.zero_()
    examples = denoise_examples(trainer, None)
    np.testing.assert_array_equal(examples.noisy[:4], last.noisy)
    np.testing.assert_array_equal(examples.clean[:4], last.clean)
    # The output of a network of zeros.
    np.testing.assert_array_equal(examples.denoised, 0.5)


def test_gallery_without_clean_images_has_two_rows(tmp_path):
    examples = denoise_examples(trained(image_set(160)), None)._replace(clean=None)
    save_gallery(examples, tmp_path / "gallery.png")
    with Image.open(tmp_path / "gallery.png") as picture:
        assert 3.5 < picture.width / picture.height < 4.5


def test_title_says_which_images_are_shown_and_how_the_epoch_was_chosen():
    trainer = trained(image_set(), loss="l1")
    assert gallery_title(trainer, is_test=False) == (
        "Validation images of squares\nepoch 1, the best by validation loss (l1)"
    )
    smoothed = trained(image_set(), smoothing=3)
    assert gallery_title(smoothed, is_test=True) == (
        "Test images of CIFAR-10\n"
        "epoch 1, the best by validation loss (mse, mean of 3 epochs)"
    )


def test_title_is_drawn_above_the_pictures(tmp_path):
    examples = denoise_examples(trained(image_set(160)), None)
    heights = []
    for title in ("", "Validation images\nepoch 1"):
        save_gallery(examples, tmp_path / "gallery.png", title)
        with Image.open(tmp_path / "gallery.png") as picture:
            heights.append(picture.height)
    assert heights[1] > heights[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_gallery_has_eight_columns_and_three_rows(channels, tmp_path):
    options = {"base_channels": 4, "in_channels": channels}
    trainer = trained(image_set(160, channels=channels), network_options=options)
    examples = denoise_examples(trainer, None)
    save_gallery(examples, tmp_path / "gallery.png")
    with Image.open(tmp_path / "gallery.png") as picture:
        assert 2 < picture.width / picture.height < 3
