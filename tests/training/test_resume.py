from __future__ import annotations

from dataclasses import replace

import pytest
from saved_runs import begin, finish, read_history, resume
from synthetic import equal_weights

from napari_denoise_ae.errors import DatasetError, InvalidInputError
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.training.results import EpochResult
from napari_denoise_ae.training.resume import how_to_train_longer
from napari_denoise_ae.training.run_files import RunFiles


@pytest.fixture
def files(tmp_path) -> RunFiles:
    return RunFiles(tmp_path / "model.pt")


def test_resumed_run_equals_an_uninterrupted_one(files, tmp_path):
    whole = finish(begin(RunFiles(tmp_path / "whole.pt"), epochs=4))
    for result in begin(files, epochs=4).steps():
        if isinstance(result, EpochResult) and result.epoch == 2:
            break
    resumed = finish(resume(files))
    assert equal_weights(
        resumed.trainer.state().state_dict, whole.trainer.state().state_dict
    )
    without_time = [
        [replace(result, seconds=0) for result in run.trainer.history]
        for run in (resumed, whole)
    ]
    assert without_time[0] == without_time[1]


def test_complete_run_continues_with_more_epochs(files):
    finish(begin(files, epochs=2, patience=9))
    resumed = finish(resume(files, epochs=4))
    assert len(resumed.trainer.history) == 4
    assert load_checkpoint(files.checkpoint).record.config.epochs == 4
    assert len(read_history(files.history)) == 4


def test_complete_run_has_nothing_left_to_train(files):
    finish(begin(files, epochs=2))
    resumed = resume(files)
    assert list(resumed.steps()) == []
    assert resumed.trainer.stop_reason == "all epochs are done"
    assert how_to_train_longer(resumed.trainer) == "increase epochs"


def test_fewer_epochs_than_are_finished_are_rejected(files):
    finish(begin(files, epochs=3))
    with pytest.raises(InvalidInputError, match="at least 3, the number of finished"):
        resume(files, epochs=2)


def test_other_images_are_rejected(files):
    finish(begin(files, epochs=1))
    with pytest.raises(DatasetError, match=r"trained on squares .*checksum"):
        resume(files, images=1, epochs=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noise", "gaussian:0.1"),
        ("seed", 1),
        ("batch_size", 16),
        ("learning_rate", 0.1),
    ],
)
def test_changes_of_other_settings_are_rejected(files, name, value):
    finish(begin(files, epochs=1))
    with pytest.raises(InvalidInputError, match=rf"{name} was .*epochs and patience"):
        resume(files, epochs=2, **{name: value})


def test_cosine_schedule_rejects_a_change_of_epochs(files):
    finish(begin(files, epochs=3, patience=1, schedule="cosine"))
    with pytest.raises(InvalidInputError, match=r"epochs was 3 .*only patience"):
        resume(files, epochs=5)


def test_how_to_train_a_complete_cosine_schedule_longer(files):
    finish(begin(files, epochs=2, patience=9, schedule="cosine"))
    advice = how_to_train_longer(resume(files, patience=20).trainer)
    assert advice == "start a new run, since the cosine schedule has ended"


@pytest.mark.parametrize(
    ("epochs", "expected"), [(9, "patience"), (3, "epochs and patience")]
)
def test_how_to_train_longer_when_patience_is_used_up(files, epochs, expected):
    # Nothing counts as an improvement, so the first epoch is the best.
    finish(begin(files, epochs=epochs, patience=2, min_delta=1e6))
    assert how_to_train_longer(resume(files).trainer) == f"increase {expected}"


def test_equal_settings_in_another_notation_are_accepted(files):
    finish(begin(files, epochs=1, noise="gaussian:0.5"))
    changes = {"epochs": 2, "noise": "gaussian:0.50"}
    assert resume(files, **changes).trainer.config.epochs == 2


def test_invalid_changes_are_rejected(files):
    finish(begin(files, epochs=1))
    with pytest.raises(InvalidInputError, match="epochs"):
        resume(files, epochs=0)
