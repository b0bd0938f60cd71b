"""The subcommand ``train``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command import run
from PIL import Image
from synthetic import smooth_photo

from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.training_state import load_training_state
from napari_denoise_ae.training import saved
from napari_denoise_ae.training.results import BatchResult
from napari_denoise_ae.training.trainer import Trainer

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)

SMALL_RUN = ["--network-option", "base_channels=4", "--batch-size", "16"]
RUNNER = [sys.executable, str(Path(__file__).parents[1] / "fake_cifar10.py")]


def train(cifar10: Path, output: Path, *more: object) -> int:
    return run("train", "--data", cifar10, "--output", output, *SMALL_RUN, *more)


def test_train_writes_its_files_and_prints_their_names(cifar10, tmp_path, capsys):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 2, "--device", "cpu") == 0
    printed = capsys.readouterr()
    for part in (
        "cpu (requested)",
        "72 images to train, 8 to validate",
        "sigma 0.5",
        "MB of memory, 2 epochs of 5 batches",
        "all epochs are done",
        "model.pt",
        "model.history.csv",
        "model.curves.png",
        "model.gallery.png",
        "mean of 24 test images",
    ):
        assert part in printed.out
    assert "epoch   2/2" in printed.err
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {
        "model.pt",
        "model.resume",
        "model.run.toml",
        "model.history.csv",
        "model.curves.png",
        "model.gallery.png",
    }


def test_options_override_settings_of_the_preset(cifar10, tmp_path):
    output = tmp_path / "model.pt"
    given = {
        "preset": "conv",
        "noise": "gaussian:0.2,unclipped",
        "loss": "l1",
        "optimizer": "adamw",
        "learning_rate": 0.005,
        "epochs": 2,
        "patience": 7,
        "min_delta": 0.001,
        "val_fraction": 0.25,
        "augmentation": "flip",
        "seed": 3,
    }
    options = [
        part
        for name, value in given.items()
        for part in (f"--{name.replace('_', '-')}", value)
    ]
    assert train(cifar10, output, *options, "--no-mixed-precision") == 0
    config = load_checkpoint(output).record.config
    assert {name: getattr(config, name) for name in given} == given
    assert (config.batch_size, config.mixed_precision) == (16, False)
    assert config.network_options == {"base_channels": 4}


def test_run_is_repeated_from_its_settings(cifar10, tmp_path, capsys):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1, "--preset", "conv") == 0
    config = output.with_suffix(".run.toml")
    assert f"settings    {config}" in capsys.readouterr().out
    assert run("train", "--config", config) == 2
    assert "already exists" in capsys.readouterr().err
    again = tmp_path / "again.pt"
    assert run("train", "--config", config, "--output", again, "--epochs", 2) == 0
    first, second = load_checkpoint(output).record, load_checkpoint(again).record
    assert replace(first.config, epochs=2) == second.config
    assert run("train", "--config", config, "--resume", "--epochs", 2) == 0
    assert load_checkpoint(output).record.val_loss == second.val_loss


def test_training_on_images_of_ones_own(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    for number in range(4):
        photo = np.rint(255 * smooth_photo(48, 40 + number)).astype(np.uint8)
        Image.fromarray(photo).save(tmp_path / "photos" / f"{number}.png")
    output = tmp_path / "model.pt"
    options = ["--patch-size", 16, "--batches-per-epoch", 2, "--preset", "conv"]
    images = ["--images", tmp_path / "photos", "--noise", "gaussian:0.1"]
    given = [*images, *options, "--epochs", 1, "--output", output]
    assert run("train", *given, *SMALL_RUN) == 0
    config = load_checkpoint(output).record.config
    assert (config.patch_size, config.batches_per_epoch) == (16, 2)


def test_patience_above_epochs_is_allowed_and_reported(cifar10, tmp_path, capsys):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1, "--patience", 5) == 0
    printed = capsys.readouterr()
    assert "patience" in printed.out + printed.err


def test_existing_run_is_replaced_only_with_overwrite(cifar10, tmp_path, capsys):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1) == 0
    before = output.read_bytes()
    assert train(cifar10, output, "--epochs", 1) == 2
    assert "already exists" in capsys.readouterr().err
    assert output.read_bytes() == before
    assert train(cifar10, output, "--epochs", 2, "--overwrite") == 0
    assert load_checkpoint(output).record.epochs_run == 2


def test_finished_run_is_trained_further_only_with_more_epochs(
    cifar10, tmp_path, capsys
):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1) == 0
    given = ["train", "--data", cifar10, "--output", output, "--resume"]
    output.with_suffix(".gallery.png").unlink()
    assert run(*given) == 0
    printed = capsys.readouterr().out
    assert "nothing was left to train; to train longer, increase epochs" in printed
    assert "model.gallery.png" in printed
    assert run(*given, "--epochs", 3, "--patience", 9) == 0
    assert load_checkpoint(output).record.epochs_run == 3


@pytest.mark.parametrize(
    ("epochs", "kept", "reason"),
    [
        (0, 1, "interrupted in epoch 1, after 1 of 5"),
        (2, 2, "interrupted after epoch 2"),
    ],
)
def test_ctrl_c_keeps_finished_epochs_or_the_first(
    cifar10, tmp_path, capsys, monkeypatch, epochs, kept, reason
):
    original = Trainer.run

    def interrupted(self, stop=None):
        for result in original(self):
            if isinstance(result, BatchResult) and result.epoch > epochs:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(Trainer, "run", interrupted)
    output = tmp_path / "model.pt"
    assert train(cifar10, output) == 0
    printed = capsys.readouterr()
    assert reason in printed.out
    assert str(output) in printed.out
    assert load_checkpoint(output).record.epochs_run == kept


def test_ctrl_c_before_the_first_batch_saves_nothing(
    cifar10, tmp_path, capsys, monkeypatch
):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "run", interrupted)
    assert train(cifar10, tmp_path / "model.pt") == 130
    assert "interrupted: nothing was trained" in capsys.readouterr().err
    assert not (tmp_path / "model.pt").exists()


def test_ctrl_c_while_plotting_reports_the_saved_checkpoint(
    cifar10, tmp_path, capsys, monkeypatch
):
    """The checkpoint is written before the curves are drawn."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saved, "save_loss_curves", interrupted)
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1) == 0
    printed = capsys.readouterr()
    assert f"checkpoint  {output}" in printed.out
    assert "curves" not in printed.out
    assert load_checkpoint(output).record.epochs_run == 1


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_sigint_keeps_the_best_epoch_and_prints_its_file(cifar10, tmp_path):
    output = tmp_path / "model.pt"
    arguments = ["train", "--data", cifar10, "--output", output, *SMALL_RUN]
    more = ["--epochs", "100000", "--patience", "100000", "--device", "cpu"]
    process = subprocess.Popen(
        [*RUNNER, str(cifar10), *map(str, arguments), *more],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not output.with_suffix(".resume").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert "interrupted after epoch" in printed
    assert f"checkpoint  {output}" in printed
    assert "Traceback" not in errors
    state = load_training_state(output.with_suffix(".resume"))
    # If interrupted between the two files of an epoch, the state is one epoch behind.
    epochs_run = load_checkpoint(output).record.epochs_run
    assert epochs_run - len(state.history) in (0, 1)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
