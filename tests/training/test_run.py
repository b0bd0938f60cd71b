from __future__ import annotations

import csv
import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from killed_training import train_to
from PIL import Image
from synthetic import CPU, equal_weights, image_set, small_config

from napari_denoise_ae.errors import (
    CheckpointError,
    DatasetError,
    InvalidInputError,
    OutputError,
)
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.training_state import load_training_state
from napari_denoise_ae.training.results import BatchResult, EpochResult
from napari_denoise_ae.training.run import TrainingRun, resume_run
from napari_denoise_ae.training.run_files import RunFiles
from napari_denoise_ae.training.trainer import Trainer

KILLS, EPOCHS = 6, 60


@pytest.fixture
def files(tmp_path) -> RunFiles:
    return RunFiles(tmp_path / "model.pt")


def make_run(files: RunFiles, **changes) -> TrainingRun:
    return TrainingRun(Trainer(small_config(**changes), image_set(), CPU), files)


def finish(run: TrainingRun) -> TrainingRun:
    for _ in run.steps():
        pass
    run.write_end()
    return run


def read_history(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_files_lie_beside_the_checkpoint(files):
    names = [files.checkpoint, files.state, files.history, files.curves]
    assert [path.name for path in names] == [
        "model.pt",
        "model.resume",
        "model.history.csv",
        "model.curves.png",
    ]


def test_files_are_written_before_an_epoch_is_told(files):
    for result in make_run(files, epochs=2).steps():
        if isinstance(result, BatchResult):
            continue
        record = load_checkpoint(files.checkpoint).record
        assert record.epochs_run == result.epoch
        assert len(load_training_state(files.state).history) == result.epoch
        assert len(read_history(files.history)) == result.epoch


def test_a_finished_run_leaves_four_files(files):
    run = finish(make_run(files, epochs=3))
    assert len(list(files.checkpoint.parent.iterdir())) == 4
    checkpoint = load_checkpoint(files.checkpoint)
    assert checkpoint.record.stop_reason == "all epochs are done"
    assert equal_weights(checkpoint.state_dict, run.trainer.checkpoint().state_dict)
    with Image.open(files.curves) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 300


def test_the_history_holds_every_epoch(files):
    run = finish(make_run(files, epochs=3))
    rows = read_history(files.history)
    for row, result in zip(rows, run.trainer.history, strict=True):
        assert int(row["epoch"]) == result.epoch
        assert float(row["train_loss"]) == result.train_loss
        assert float(row["val_loss"]) == result.val_loss
        assert float(row["val_psnr"]) == result.val_psnr
        assert row["is_best"] == str(result.is_best)


def test_a_run_is_resumed_from_its_files(files, tmp_path):
    whole = finish(make_run(RunFiles(tmp_path / "whole.pt"), epochs=4))
    for result in make_run(files, epochs=4).steps():
        if isinstance(result, EpochResult) and result.epoch == 2:
            break
    resumed = finish(resume_run(files, image_set(), CPU, {}))
    assert equal_weights(
        resumed.trainer.state().state_dict, whole.trainer.state().state_dict
    )
    without_time = [
        [replace(result, seconds=0) for result in run.trainer.history]
        for run in (resumed, whole)
    ]
    assert without_time[0] == without_time[1]


def test_a_run_goes_on_with_more_epochs(files):
    finish(make_run(files, epochs=2, patience=9))
    resumed = finish(resume_run(files, image_set(), CPU, {"epochs": 4}))
    assert len(resumed.trainer.history) == 4
    assert load_checkpoint(files.checkpoint).record.config.epochs == 4
    assert len(read_history(files.history)) == 4


def test_a_run_that_is_over_says_so_and_keeps_its_files(files):
    finish(make_run(files, epochs=2))
    before = {path: path.read_bytes() for path in files.checkpoint.parent.iterdir()}
    with pytest.raises(
        InvalidInputError, match=r"over: all epochs are done.*more epochs"
    ):
        resume_run(files, image_set(), CPU, {})
    assert before == {p: p.read_bytes() for p in files.checkpoint.parent.iterdir()}


def test_other_images_are_refused(files):
    finish(make_run(files, epochs=1))
    with pytest.raises(DatasetError, match=r"trained on squares .*checksum"):
        resume_run(files, image_set(seed=1), CPU, {"epochs": 2})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noise", "gaussian:0.1"),
        ("seed", 1),
        ("batch_size", 16),
        ("learning_rate", 0.1),
    ],
)
def test_a_change_that_contradicts_the_run_is_refused(files, name, value):
    finish(make_run(files, epochs=1))
    with pytest.raises(InvalidInputError, match=rf"{name} was .*epochs and patience"):
        resume_run(files, image_set(), CPU, {"epochs": 2, name: value})


def test_a_cosine_schedule_keeps_its_epochs(files):
    finish(make_run(files, epochs=3, patience=1, schedule="cosine"))
    with pytest.raises(InvalidInputError, match=r"epochs was 3 .*only patience"):
        resume_run(files, image_set(), CPU, {"epochs": 5})


def test_a_cosine_schedule_that_is_done_says_that_nothing_more_will_come(files):
    finish(make_run(files, epochs=2, patience=9, schedule="cosine"))
    with pytest.raises(InvalidInputError, match=r"fallen to 0 .*start a new run"):
        resume_run(files, image_set(), CPU, {"patience": 20})


def test_the_same_setting_written_in_another_way_is_no_change(files):
    finish(make_run(files, epochs=1, noise="gaussian:0.5"))
    changes = {"epochs": 2, "noise": "gaussian:0.50"}
    assert resume_run(files, image_set(), CPU, changes).trainer.config.epochs == 2


def test_a_bad_change_is_refused(files):
    finish(make_run(files, epochs=1))
    with pytest.raises(InvalidInputError, match="epochs"):
        resume_run(files, image_set(), CPU, {"epochs": 0})


def test_a_disk_that_fills_up_leaves_the_epoch_before_whole(files, monkeypatch):
    steps = make_run(files, epochs=3).steps()
    next(result for result in steps if isinstance(result, EpochResult))

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            list(steps)
    assert load_checkpoint(files.checkpoint).record.epochs_run == 1
    assert len(load_training_state(files.state).history) == 1
    assert len(finish(resume_run(files, image_set(), CPU, {})).trainer.history) == 3


# --- before a run ----------------------------------------------------------


def test_a_new_run_needs_a_place_of_its_own(files):
    files.require_usable(resume=False, overwrite=False)
    files.checkpoint.write_text("another run")
    with pytest.raises(OutputError, match=r"is there already.*resume.*overwrite"):
        files.require_usable(resume=False, overwrite=False)
    files.require_usable(resume=False, overwrite=True)


def test_nothing_to_resume_is_an_error(files):
    with pytest.raises(CheckpointError, match=r"nothing to resume.*model\.resume"):
        files.require_usable(resume=True, overwrite=False)


def test_resume_and_overwrite_exclude_each_other(files):
    with pytest.raises(InvalidInputError, match="either resume or overwrite"):
        files.require_usable(resume=True, overwrite=True)


@pytest.mark.parametrize("name", ["model", "model.pth", "model.csv", ".pt", ""])
def test_a_checkpoint_must_end_in_pt(tmp_path, name):
    files = RunFiles(tmp_path / name)
    with pytest.raises(InvalidInputError, match=r"must end in \.pt"):
        files.require_usable(resume=False, overwrite=False)


def test_a_folder_that_does_not_exist_is_found_before_the_run(tmp_path):
    files = RunFiles(tmp_path / "missing" / "model.pt")
    with pytest.raises(OutputError, match="does not exist"):
        files.require_usable(resume=False, overwrite=False)


# --- killed ----------------------------------------------------------------


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """What a training left behind that was killed again and again."""
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
def test_after_sigkill_every_file_is_whole(killed, number):
    files = RunFiles(killed / f"killed_{number}" / "model.pt")
    n_epochs = 0
    if files.state.exists():
        state = load_training_state(files.state)
        n_epochs = len(state.history)
        assert n_epochs == state.record.epochs_run
    assert n_epochs >= number
    # What is written before the state may be one epoch ahead of it.
    if files.checkpoint.exists():
        record = load_checkpoint(files.checkpoint).record
        assert record.epochs_run in (n_epochs, n_epochs + 1)
    if files.history.exists():
        rows = read_history(files.history)
        assert len(rows) in (n_epochs, n_epochs + 1)
        assert all(float(row["seconds"]) > 0 for row in rows)
    assert files.checkpoint.exists() >= files.history.exists() >= files.state.exists()


@pytest.mark.xdist_group("killed")
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_run_killed_again_and_again_ends_like_one_that_never_was(killed, tmp_path):
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
