from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch
from synthetic import SMALL, image_set
from tqdm import tqdm

from napari_denoise_ae.evaluation.score import ScoringProgress
from napari_denoise_ae.io.download import DownloadProgress
from napari_denoise_ae.models.networks.conv import ConvAutoencoder
from napari_denoise_ae.training import progress_bars
from napari_denoise_ae.training.api import train
from napari_denoise_ae.training.progress_bars import describe_epoch
from napari_denoise_ae.training.results import EpochResult

SETTINGS = {"network_options": SMALL, "batch_size": 8, "epochs": 2, "device": "cpu"}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "model.pt"


def test_progress_shows_epochs_losses_and_time_left(output, capsys):
    train(image_set(), output=output, **SETTINGS)
    shown = capsys.readouterr().err
    assert "epoch   1/2" in shown
    assert "val_loss" in shown
    assert "left" in shown


def test_progress_bar_shows_batch_epoch_and_losses(output, capsys, monkeypatch):
    def draw_always(**options):
        return tqdm(**options | {"mininterval": 0, "miniters": 1})

    monkeypatch.setattr(progress_bars, "tqdm", draw_always)
    train(image_set(), output=output, **SETTINGS)
    shown = capsys.readouterr().err
    assert "epoch 1/2, batch 3/5" in shown
    assert "epoch 2/2, batch 5/5" in shown
    assert "loss 0." in shown
    assert "val_loss 0." in shown


def test_progress_bars_of_download_and_scoring(capsys, monkeypatch):
    def draw_always(**options):
        return tqdm(**options | {"mininterval": 0, "miniters": 1})

    monkeypatch.setattr(progress_bars, "tqdm", draw_always)
    bars = progress_bars.ProgressBars(visible=True)
    for step in (DownloadProgress(85 * 10**6, 170 * 10**6), ScoringProgress(5, 20)):
        bars.show(step)
        bars.close()
    shown = capsys.readouterr().err
    assert "CIFAR-10:  50%" in shown
    assert "85.0M/170M" in shown
    assert "test:  25%" in shown
    assert "5/20" in shown


# Runs as in a kernel of Jupyter, with or without ipywidgets.
KERNEL = """
import os, sys, types, warnings
os.environ.pop("QT_API", None)  # with it, tqdm takes the kernel for a console
warnings.simplefilter("error")
sys.modules["ipykernel.zmqshell"] = types.ModuleType("zmqshell")
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython"].get_ipython = object
sys.modules["IPython.display"] = types.ModuleType("display")
sys.modules["IPython.display"].display = print
widgets = None
if sys.argv[1] == "with":
    widgets = types.ModuleType("ipywidgets")
    widgets.HBox = widgets.HTML = widgets.FloatProgress = object
sys.modules["ipywidgets"] = widgets
from napari_denoise_ae.training.progress_bars import tqdm
print(tqdm.__mro__[1].__module__)
"""


@pytest.mark.parametrize(
    ("widgets", "module"), [("with", "tqdm.notebook"), ("without", "tqdm.std")]
)
def test_bars_are_widgets_in_notebooks_that_have_them(widgets, module):
    done = subprocess.run(
        [sys.executable, "-c", KERNEL, widgets],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{module}\n", "")


def test_progress_says_that_memory_ran_out(output, capsys, monkeypatch):
    forward = ConvAutoencoder.forward

    def limited(self, images):
        if len(images) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, images)

    monkeypatch.setattr(ConvAutoencoder, "forward", limited)
    train(image_set(), output=output, **SETTINGS)
    shown = capsys.readouterr().err
    assert shown.count("Memory ran out: each batch is computed in 2 parts") == 1


def test_without_progress_nothing_is_printed(output, capsys):
    train(image_set(), output=output, progress=False, **SETTINGS)
    assert capsys.readouterr() == ("", "")


def test_describe_epoch():
    result = EpochResult(7, 0.0123, 0.0234, 19.876, True, 12.3)
    line = describe_epoch(result, 50)
    for part in ("7/50", "0.01230", "0.02340", "19.88 dB", "12.3 s", "best"):
        assert part in line


def test_describe_epoch_without_clean_images():
    line = describe_epoch(EpochResult(7, 0.0123, 0.0234, math.nan, False, 12.3), 50)
    assert "val_loss 0.02340  12.3 s" in line
    assert "nan" not in line
