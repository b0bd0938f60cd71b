"""Curves of saved runs are read from their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_denoise_ae._napari.train.curve import Curve, Quantity, read_curve
from napari_denoise_ae.errors import CheckpointError, InvalidInputError
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.training.api import train


def test_long_names_are_shortened():
    curve = Curve(Path("a/a_very_long_name_1.pt"), Quantity(), (1.0,))
    assert curve.name == "a_very_l…ame_1.pt"


def test_the_smoothed_losses_of_noisy_images_are_read(tmp_path):
    noisy = np.random.default_rng(0).normal(100, 9, (64, 64))
    settings = {"epochs": 2, "batches_per_epoch": 1, "patch_size": 16, "smoothing": 2}
    result = train(
        noise2void=noisy, output=tmp_path / "model.pt", progress=False, **settings
    )
    curve = read_curve(tmp_path / "model.pt")
    first, second = (epoch.val_loss for epoch in result.history)
    assert curve.losses == pytest.approx((first, (first + second) / 2))
    assert curve.quantity.loss == "mse with noise, mean of 2 epochs"
    record = result.checkpoint.record
    assert curve.quantity == Quantity.of(
        record.config,
        noise=record.noise,
        sha256=record.dataset_sha256,
        has_truth=False,
    )
    assert curve.name == "model.pt"
    table = result.files.history
    for text in ("", "epoch\n1\n", "epoch,val_loss\n1,low\n", "epoch,val_loss\n"):
        table.write_text(text)
        with pytest.raises(InvalidInputError, match=r"model\.history\.csv"):
            read_curve(tmp_path / "model.pt")
    table.unlink()
    with pytest.raises(InvalidInputError, match=r"Cannot read .*history\.csv"):
        read_curve(tmp_path / "model.pt")
    with pytest.raises(CheckpointError):
        read_curve(tmp_path / "none.pt")


def quantity(noise="white", sha256="1", **settings):
    config = TrainingConfig(**settings)
    return Quantity.of(config, noise=noise, sha256=sha256, has_truth=True)


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (quantity(), ""),
        # Settings without effect on what the loss measures.
        (quantity(epochs=3, learning_rate=0.1, ssim_weight=0.5), ""),
        (quantity(loss="mse_ssim"), "mse_ssim (SSIM weight 0.1)"),
        (quantity(smoothing=3), "mse, mean of 3 epochs"),
        (quantity(sha256="2"), "other validation images"),
        (quantity(val_fraction=0.2), "other validation images"),
        (quantity(seed=1), "other validation images"),
        (quantity(noise="pink"), "other noise"),
    ],
)
def test_losses_are_comparable_if_they_measure_the_same(other, difference):
    assert other.difference_from(quantity()) == difference
    assert (other == quantity()) == (not difference)


def test_the_weight_of_the_ssim_matters():
    heavy, light = (quantity(loss="mse_ssim", ssim_weight=w) for w in (0.5, 0.1))
    assert heavy.difference_from(light) == "mse_ssim (SSIM weight 0.5)"
