from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from napari_denoise_ae.errors import OutputError
from napari_denoise_ae.evaluation import figures
from napari_denoise_ae.training import curves
from napari_denoise_ae.training.curves import save_loss_curves
from napari_denoise_ae.training.results import EpochResult

HISTORY = [
    EpochResult(1, 0.5, 0.4, 4.0, True, 1.0),
    EpochResult(2, 0.4, 0.3, 5.0, True, 1.0),
    EpochResult(3, 0.3, 0.35, 4.5, False, 1.0),
]


def read(path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


@pytest.fixture
def saved_figures(monkeypatch) -> list:
    """Collect the figures that are saved, so that tests can inspect them."""
    saved = []
    original = figures.save_figure

    def save(figure, path) -> None:
        saved.append(figure)
        original(figure, path)

    monkeypatch.setattr(curves, "save_figure", save)
    return saved


def test_loss_curves_show_both_losses_and_mark_the_best_epoch(tmp_path, saved_figures):
    save_loss_curves(HISTORY, tmp_path / "a.png")
    assert read(tmp_path / "a.png").std() > 5
    axes = saved_figures[0].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "mean loss per image")
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["training"].get_ydata(), [0.5, 0.4, 0.3])
    np.testing.assert_array_equal(lines["validation"].get_ydata(), [0.4, 0.3, 0.35])
    np.testing.assert_array_equal(lines["training"].get_xdata(), [1, 2, 3])
    best = lines["best epoch: 2 (5.00 dB)"]
    assert (best.get_xdata(), best.get_ydata()) == ([2], [0.3])
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    assert labels == {"training", "validation", "best epoch: 2 (5.00 dB)"}


def test_loss_curves_show_the_average_that_is_watched(tmp_path, saved_figures):
    history = [replace(result, val_psnr=math.nan) for result in HISTORY]
    save_loss_curves(history, tmp_path / "a.png", smoothing=2, has_truth=False)
    # The losses cannot be compared, so each has its own axes.
    above, below = saved_figures[0].axes
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["training"]
    lines = {line.get_label(): line for line in below.get_lines()}
    watched = lines["validation, mean of 2 epochs (watched)"].get_ydata()
    np.testing.assert_allclose(watched, [0.4, 0.35, 0.325])
    # Without clean images the PSNR is unknown.
    np.testing.assert_allclose(lines["best epoch: 2"].get_ydata(), [0.35])


def test_loss_curves_of_a_single_epoch(tmp_path):
    save_loss_curves(HISTORY[:1], tmp_path / "a.png")
    assert read(tmp_path / "a.png").std() > 3


def test_missing_folder_raises(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        save_loss_curves(HISTORY, tmp_path / "missing" / "a.png")
