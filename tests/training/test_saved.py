from __future__ import annotations

import errno
import math
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from killed_training import train_to
from PIL import Image
from saved_runs import RUN_CONFIG, begin, finish, read_history, resume
from synthetic import equal_weights

from napari_denoise_ae.errors import OutputError
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.training_state import load_training_state
from napari_denoise_ae.training.results import BatchResult, EpochResult
from napari_denoise_ae.training.run_files import RunFiles

KILLS, EPOCHS = 6, 60


@pytest.fixture
def files(tmp_path) -> RunFiles:
    return RunFiles(tmp_path / "model.pt")


def test_files_are_written_before_the_result_of_an_epoch_is_yielded(files):
    for result in begin(files, epochs=2).steps():
        if isinstance(result, BatchResult):
            continue
        record = load_checkpoint(files.checkpoint).record
        assert record.epochs_run == result.epoch
        assert len(load_training_state(files.state).history) == result.epoch
        assert len(read_history(files.history)) == result.epoch


def test_finished_run_has_five_files(files):
    run = finish(begin(files, epochs=3))
    assert len(list(files.checkpoint.parent.iterdir())) == 5
    assert files.run_config.read_text("utf-8") == RUN_CONFIG
    checkpoint = load_checkpoint(files.checkpoint)
    assert checkpoint.record.stop_reason == "all epochs are done"
    assert equal_weights(checkpoint.state_dict, run.trainer.checkpoint().state_dict)
    with Image.open(files.curves) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 300


def test_history_contains_every_epoch(files):
    run = finish(begin(files, epochs=3))
    rows = read_history(files.history)
    for row, result in zip(rows, run.trainer.history, strict=True):
        assert int(row["epoch"]) == result.epoch
        assert float(row["train_loss"]) == result.train_loss
        assert float(row["val_loss"]) == result.val_loss
        assert float(row["val_psnr"]) == result.val_psnr
        assert row["is_best"] == str(result.is_best)


def test_history_says_what_is_watched_and_omits_what_is_unknown(files):
    training = begin(files, epochs=2, smoothing=2)
    training.trainer.has_truth = training.trainer._source.has_truth = False
    finish(training)
    rows, history = read_history(files.history), training.trainer.history
    assert "val_psnr" not in rows[0]
    mean = (history[0].val_loss + history[1].val_loss) / 2
    watched = [float(row["watched_loss"]) for row in rows]
    assert watched == pytest.approx([history[0].val_loss, mean])
    assert math.isnan(load_checkpoint(files.checkpoint).record.val_psnr)
    assert len(resume(files, epochs=3).trainer.history) == 2


def test_full_disk_keeps_the_files_of_the_previous_epoch(files, monkeypatch):
    steps = begin(files, epochs=3).steps()
    next(result for result in steps if isinstance(result, EpochResult))

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            list(steps)
    assert load_checkpoint(files.checkpoint).record.epochs_run == 1
    assert len(load_training_state(files.state).history) == 1
    assert len(finish(resume(files)).trainer.history) == 3


# --- SIGKILL ---------------------------------------------------------------


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """Return the folder of a run that was killed and resumed several times."""
    folder = tmp_path_factory.mktemp("killed")
    script = Path(__file__).parents[1] / "killed_training.py"
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(EPOCHS), str(KILLS)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.xdist_group("killed")
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("number", range(KILLS))
def test_files_are_complete_after_sigkill(killed, number):
    files = RunFiles(killed / f"killed_{number}" / "model.pt")
    n_epochs = 0
    if files.state.exists():
        state = load_training_state(files.state)
        n_epochs = len(state.history)
        assert n_epochs == state.record.epochs_run
    assert n_epochs >= number
    # Files written after the state may be one epoch behind it.
    if files.checkpoint.exists():
        record = load_checkpoint(files.checkpoint).record
        assert record.epochs_run in (n_epochs - 1, n_epochs)
    if files.history.exists():
        rows = read_history(files.history)
        assert len(rows) in (n_epochs - 1, n_epochs)
        assert all(float(row["seconds"]) > 0 for row in rows)
    # In the order in which they are written.
    order = (files.run_config, files.state, files.checkpoint, files.history)
    written = [path.exists() for path in order]
    assert written == sorted(written, reverse=True)
    if files.run_config.exists():
        assert tomllib.loads(files.run_config.read_text("utf-8"))["settings"]


@pytest.mark.xdist_group("killed")
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_run_that_was_killed_repeatedly_equals_an_uninterrupted_one(killed, tmp_path):
    train_to(tmp_path / "model.pt", EPOCHS)
    whole, resumed = RunFiles(tmp_path / "model.pt"), RunFiles(killed / "run/model.pt")
    expected = load_training_state(whole.state)
    state = load_training_state(resumed.state)
    assert equal_weights(state.state_dict, expected.state_dict)
    assert equal_weights(
        load_checkpoint(resumed.checkpoint).state_dict,
        load_checkpoint(whole.checkpoint).state_dict,
    )
    histories = [
        [row | {"seconds": ""} for row in read_history(files.history)]
        for files in (resumed, whole)
    ]
    assert histories[0] == histories[1]
