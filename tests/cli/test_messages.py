"""What ``--quiet`` and ``--verbose`` print."""

from __future__ import annotations

import argparse
import json
import logging

import pytest
from command import run
from tqdm import tqdm

from napari_denoise_ae.cli.messages import LOGGER, show_warning, shown_messages

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


def test_quiet_prints_nothing_but_errors_and_what_is_asked_for(png, tmp_path, capsys):
    command = ["denoise", png, tmp_path / "out.png", "--model", "conv", "--quiet"]
    assert run(*command) == 0  # with a warning: the noise is much weaker
    assert capsys.readouterr() == ("", "")
    assert run(*command) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: Cannot write")
    assert run(*command, "--overwrite", "--json", "-") == 0
    shown = capsys.readouterr()
    assert "much weaker" in json.loads(shown.out)["images"][0]["warnings"][0]
    assert shown.err == ""


def test_quiet_keeps_what_a_command_exists_to_print(png, capsys):
    given = {
        "info": ["gray"],
        "completion": ["bash"],
        "evaluate": ["--pair", png, png, "--model", "conv", "--device", "cpu"],
    }
    for command, arguments in given.items():
        assert run(command, *arguments, "--quiet") == 0
        shown = capsys.readouterr()
        assert len(shown.out.splitlines()) > 4, command
        assert shown.err == ""


def test_verbose_prints_decisions_on_standard_error(png, tmp_path, capsys):
    command = ["denoise", png, tmp_path / "out.png", "--device", "cpu", "-v"]
    assert run(*command) == 0
    shown = capsys.readouterr()
    assert "info: " not in shown.out
    assert all(
        line.startswith(("info: ", "warning: ")) for line in shown.err.splitlines()
    )
    for part in ("with the model rgb", "in memory", "Noise: ", "computes in", "pixels"):
        assert part in shown.err
    # The logger is left as it was.
    assert (LOGGER.level, LOGGER.handlers) == (logging.NOTSET, [])


def test_quiet_training_draws_no_bars(cifar10, tmp_path, capsys):
    given = ["--data", cifar10, "--epochs", 1, "--output", tmp_path / "m.pt"]
    small = ["--n-test", 6, "--network-option", "base_channels=4", "--device", "cpu"]
    assert run("train", *given, *small, "-q") == 0
    assert capsys.readouterr() == ("", "")
    assert run("train", *given, *small, "-v", "--overwrite") == 0
    assert "info: The network is trained in float32." in capsys.readouterr().err


def test_quiet_and_verbose_exclude_each_other(capsys):
    with pytest.raises(SystemExit):
        run("info", "conv", "-q", "-v")
    assert "not allowed with" in capsys.readouterr().err


def test_messages_stand_above_progress_bars(capsys):
    arguments = argparse.Namespace(quiet=False, verbose=False)
    with shown_messages(arguments), tqdm(total=2) as bar:
        bar.update()
        show_warning("two\nlines")
    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert "warning: two lines" in [line.strip() for line in lines]
