"""The command itself: version, usage, exit status."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from command import run

from napari_denoise_ae import __version__
from napari_denoise_ae.cli import other
from napari_denoise_ae.cli.main import main

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


def test_version_is_printed(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["paint"],
        ["denoise", "a.png"],
        [
            "denoise",
            "a.png",
            "b.png",
            "--add-noise",
            "gaussian:1",
            "--reference",
            "c.png",
        ],
        ["denoise", "a.png", "b.png", "--intensity-range", "5"],
        ["denoise", "a.png", "b.png", "--intensity-range", "1,2,3"],
        ["denoise", "a.png", "b.png", "--tile-size", "big"],
        ["train", "--pairs", "noisy"],
        ["train", "--data", "d", "--loss", "l3"],
        ["train", "--data", "d", "--epochs", "many"],
        ["train", "--data", "d", "--network-option", "base_channels"],
        ["train", "--data", "d", "--network-option", "base_channels=wide"],
        ["train", "--data", "d", "--network-option", "base_channels=[1]"],
        ["evaluate"],
        ["evaluate", "--data", "d", "--images", "i"],
        ["evaluate", "--pair", "a.tif"],
        ["evaluate", "--data", "d", "--limit", "few"],
        ["compare", "--data", "d"],
        ["compare", "conv"],
        ["compare", "conv", "--data", "d", "--images", "i"],
        ["info"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_exit_with_status_2_and_usage(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main(command)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_interrupted_command_exits_with_status_130(monkeypatch, capsys):
    def interrupt(_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(other, "_info", interrupt)
    assert run("info", "conv") == 130
    # Which results are kept depends on the command, so nothing is said about them.
    assert capsys.readouterr().err == "interrupted\n"


def test_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "napari_denoise_ae", "info", "conv"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "186,371" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="a pipe of POSIX")
def test_closed_pipe_causes_no_traceback():
    """As with ``napari-denoise-ae info conv | head -1``."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "napari_denoise_ae", "info", "conv"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert "Traceback" not in done.stderr
    assert "BrokenPipeError" not in done.stderr
