"""Curves of saved runs are read from their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_denoise_ae._napari.train.curve import Curve, describe_quantity, read_curve
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.training.api import train


def test_long_names_are_shortened():
    curve = Curve(Path("a/a_very_long_name_1.pt"), "mse", (1.0,))
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
    assert curve.quantity == "mse with noise, mean of 2 epochs"
    assert curve.quantity == describe_quantity("mse", 2, has_truth=False)
    assert curve.name == "model.pt"
    table = result.files.history
    for text in ("", "epoch\n1\n", "epoch,val_loss\n1,low\n", "epoch,val_loss\n"):
        table.write_text(text)
        with pytest.raises(InvalidInputError, match=r"model\.history\.csv"):
            read_curve(tmp_path / "model.pt")
    table.unlink()
    with pytest.raises(InvalidInputError, match=r"Cannot read .*history\.csv"):
        read_curve(tmp_path / "model.pt")
