"""The subcommands ``demo`` and ``info``."""

from __future__ import annotations

import sys

import pytest
from command import read, run
from synthetic import random_checkpoint

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


def test_demo_prints_scores_and_writes_only_its_figure(tmp_path, capsys):
    assert run("demo", "--output", tmp_path) == 0
    printed = capsys.readouterr()
    for part in ("astronaut", "PSNR / dB", "rgb", "demo.png", "sigma 0.1"):
        assert part in printed.out
    assert printed.err == ""
    assert read(tmp_path / "demo.png").shape[1] > 3 * 300
    assert [path.name for path in tmp_path.iterdir()] == ["demo.png"]


def test_demo_adds_the_noise_that_the_model_was_trained_for(
    model_file, tmp_path, capsys
):
    assert run("demo", "--output", tmp_path, "--model", model_file) == 0
    assert "sigma 0.5" in capsys.readouterr().out


@pytest.mark.filterwarnings("default")
def test_demo_rejects_a_model_without_training_record(tmp_path, capsys):
    import torch

    weights = dict(random_checkpoint(base_channels=32).state_dict)
    torch.save(weights, tmp_path / "plain.pth")
    assert run("demo", "--output", tmp_path, "--model", tmp_path / "plain.pth") == 2
    assert "has no training record" in capsys.readouterr().err
    assert not (tmp_path / "demo.png").exists()


def test_demo_rejects_viewer_without_display(tmp_path, capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert run("demo", "--output", tmp_path, "--viewer") == 2
    assert "The viewer needs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_info_describes_checkpoint_file_and_built_in_model(model_file, capsys):
    assert run("info", model_file) == 0
    assert "base_channels=4" in capsys.readouterr().out
    assert run("info", "conv") == 0
    assert "186,371 parameters" in capsys.readouterr().out
