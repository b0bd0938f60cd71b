from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from itertools import groupby
from threading import Event

import numpy as np
import pytest
import tifffile
from PIL import Image
from synthetic import (
    SMALL,
    equal_weights,
    image_set,
    random_checkpoint,
    smooth_images,
)

from napari_denoise_ae.errors import (
    CheckpointError,
    DatasetError,
    DeviceError,
    InvalidInputError,
    OutputError,
)
from napari_denoise_ae.evaluation.score import ScoringProgress
from napari_denoise_ae.io import download
from napari_denoise_ae.io import source as source_module
from napari_denoise_ae.io.download import DownloadProgress
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.training_state import load_training_state
from napari_denoise_ae.training import run as run_module
from napari_denoise_ae.training import saved
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.results import (
    BatchResult,
    EpochResult,
    FinalExamples,
    TrainingStart,
    ValidationExamples,
)
from napari_denoise_ae.training.run import TrainingRun

SETTINGS = {"network_options": SMALL, "batch_size": 8, "epochs": 2}


@pytest.fixture
def make_run(tmp_path):
    """Make a small run, by default on images in memory."""

    def make(data=None, *, stop=None, settings=None, **options) -> TrainingRun:
        job = TrainingJob(
            data=image_set() if data is None else data,
            output=tmp_path / "model.pt",
            settings=SETTINGS | (settings or {}),
            device="cpu",
            **options,
        )
        return TrainingRun(job, stop)

    return make


def kinds_of(steps) -> list[type]:
    """Return the types of steps, with consecutive duplicates removed."""
    return [kind for kind, _ in groupby(map(type, steps))]


EPOCH = [BatchResult, EpochResult, ValidationExamples]


@pytest.mark.parametrize(
    ("n_images", "expected"),
    [
        (1, "1 image to train, parts of it to validate"),
        (2, "1 image to train, 1 to validate"),
        (4, "3 images to train, 1 to validate"),
    ],
)
def test_start_says_how_many_images_there_are(n_images, expected, tmp_path):
    images = list(smooth_images(n_images, side=32))
    job = TrainingJob(
        images=images,
        preset="conv",
        output=tmp_path / "m.pt",
        settings=SETTINGS | {"patch_size": 8},
    )
    assert next(TrainingRun(job).steps()).images == expected


def test_files_are_closed_after_training(tmp_path):
    for number in range(2):
        pixels = smooth_images(1, side=32, channels=1, seed=number)[0, ..., 0]
        tifffile.imwrite(tmp_path / f"{number}.tif", pixels, compression="zlib")
    job = TrainingJob(
        images=tmp_path,
        preset="conv",
        output=tmp_path / "m.pt",
        settings=SETTINGS | {"network_options": SMALL | {"in_channels": 1}},
    )
    for _ in TrainingRun(job).steps():
        pass
    assert source_module._opened.cache_info().currsize == 0


def test_the_steps_of_a_run_on_cifar10(make_run, cifar10):
    run = make_run(cifar10, settings={"n_test": 20})
    steps = list(run.steps())
    assert kinds_of(steps) == [
        TrainingStart,
        ValidationExamples,
        *EPOCH,
        *EPOCH,
        FinalExamples,
        ScoringProgress,
    ]
    start = steps[0]
    assert (start.n_train + start.n_val, start.n_batches, start.epochs) == (84, 10, 2)
    assert steps[-1] == ScoringProgress(20, 20)
    result = run.result
    assert result.history == tuple(s for s in steps if isinstance(s, EpochResult))
    assert result.stop_reason == "all epochs are done"
    assert [score.n for score in result.test_scores] == [20, 20]
    assert result.scoring_error == ""
    assert all(path.exists() for path in run.files.paths)


def test_images_in_memory_have_no_test_set(make_run):
    run = make_run()
    assert kinds_of(run.steps())[-1] == FinalExamples
    assert run.result.test_scores == ()
    assert run.result.scoring_error == ""


def test_gray_network_is_scored_on_color_images(make_run, cifar10):
    """It is trained on their luma, and denoises each channel separately."""
    run = make_run(cifar10, settings={"network_options": SMALL | {"in_channels": 1}})
    list(run.steps())
    assert run.result.scoring_error == ""
    noisy, denoised = run.result.test_scores
    assert denoised.psnr_mean != noisy.psnr_mean
    with Image.open(run.files.gallery) as picture:
        assert picture.format == "PNG"


def test_missing_data_is_downloaded_on_request(make_run, cifar10, monkeypatch):
    asked = []

    def fetch(folder, stop):
        asked.append(folder)
        yield DownloadProgress(1, 2)
        hidden.rename(cifar10)

    hidden = cifar10.rename(cifar10.with_name("hidden"))
    monkeypatch.setattr(download, "fetch_cifar10", fetch)
    data = cifar10 / "cifar-10-batches-py"
    with pytest.raises(DatasetError, match="--download"):
        list(make_run(data).steps())
    kinds = kinds_of(make_run(data, download=True).steps())
    assert kinds[:2] == [DownloadProgress, TrainingStart]
    assert asked == [cifar10]


# --- stopping --------------------------------------------------------------


def stop_at(run: TrainingRun, kind: type, *, epoch: int = 1) -> list[type]:
    """Set the stop event at a step, and return the types of the steps after it."""
    steps = run.steps()
    for step in steps:
        if isinstance(step, kind) and getattr(step, "epoch", epoch) == epoch:
            break
    run.stop.set()
    return kinds_of(steps)


def test_a_second_run_into_the_same_files_is_refused(make_run, tmp_path):
    first = make_run()
    steps = first.steps()
    next(step for step in steps if isinstance(step, BatchResult))
    with pytest.raises(OutputError, match="another run is writing it"):
        list(make_run(overwrite=True).steps())
    list(steps)
    assert load_checkpoint(first.files.checkpoint).record.epochs_run == 2
    list(make_run(overwrite=True).steps())
    assert not list(tmp_path.glob(".*"))


def test_run_stopped_before_it_starts_has_no_result(make_run):
    stop = Event()
    stop.set()
    run = make_run(stop=stop)
    assert list(run.steps()) == []
    assert run.result is None
    assert run.stop_reason == "interrupted before training began"
    assert not any(path.exists() for path in run.files.paths)


def test_run_stopped_before_its_first_batch_has_no_result(make_run):
    run = make_run()
    assert stop_at(run, TrainingStart) == [ValidationExamples]
    assert run.result is None
    assert run.stop_reason == "interrupted before the first batch was trained"
    assert not any(path.exists() for path in run.files.paths)


def test_run_stopped_in_the_first_epoch_keeps_it(make_run):
    run = make_run()
    assert stop_at(run, BatchResult) == [EpochResult, ValidationExamples, FinalExamples]
    assert run.result.stop_reason == "interrupted in epoch 1, after 1 of 5 batches"
    assert len(run.result.history) == 1
    assert all(path.exists() for path in run.files.paths)
    assert load_checkpoint(run.files.checkpoint).record.epochs_run == 1
    # Resuming repeats the epoch.
    resumed, whole = make_run(resume=True), make_run(overwrite=True)
    assert kinds_of(resumed.steps()).count(EpochResult) == 2
    list(whole.steps())
    losses = [[epoch.val_loss for epoch in r.result.history] for r in (resumed, whole)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(("kind", "epoch"), [(EpochResult, 1), (BatchResult, 2)])
def test_run_stopped_later_writes_all_files_but_no_scores(
    make_run, cifar10, kind, epoch
):
    run = make_run(cifar10)
    assert stop_at(run, kind, epoch=epoch)[-1] == FinalExamples
    assert run.result.stop_reason == "interrupted after epoch 1"
    assert len(run.result.history) == 1
    assert run.result.test_scores == ()
    assert all(path.exists() for path in run.files.paths)


def test_run_stopped_during_scoring_has_no_scores(make_run, cifar10, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring._BATCH_SIZE", 8)
    run = make_run(cifar10)
    assert stop_at(run, ScoringProgress) == []
    assert run.result.stop_reason == "all epochs are done"
    assert run.result.test_scores == ()


def test_stopped_run_can_be_resumed(make_run, cifar10):
    stop_at(make_run(cifar10, settings={"n_test": 20}), EpochResult)
    run = make_run(cifar10, resume=True, settings={"network_options": SMALL})
    steps = list(run.steps())
    assert [epoch.epoch for epoch in steps[0].history] == [1]
    # n_test is that of the run, not of the settings.
    assert steps[0].n_train + steps[0].n_val == 84
    assert len(run.result.history) == 2


def test_resumed_run_keeps_the_model_that_it_started_from(make_run, tmp_path):
    start = random_checkpoint()
    options = {"settings": {"epochs": 3}, "start_from": start}
    stop_at(make_run(**options), EpochResult)
    whole = load_training_state(tmp_path / "model.resume")
    assert whole.record.started_from == "random"
    stop_at(make_run(resume=True), EpochResult, epoch=2)
    state = load_training_state(tmp_path / "model.resume")
    assert state.record.started_from == "random"
    other = replace(start, name="other")
    with pytest.raises(InvalidInputError, match="started from random, not from other"):
        list(make_run(resume=True, start_from=other).steps())
    list(make_run(resume=True, start_from=start).steps())


@pytest.mark.parametrize("moment", [BatchResult, EpochResult])
def test_run_on_images_of_ones_own_is_resumed_exactly(tmp_path, moment):
    images = list(smooth_images(3, side=40))
    settings = {"patch_size": 16, "batches_per_epoch": 3, "augmentation": "symmetries"}

    def run_on(images, name, **options) -> TrainingRun:
        return TrainingRun(
            TrainingJob(
                images=images,
                output=tmp_path / name,
                preset="conv",
                settings=SETTINGS | settings,
                device="cpu",
                **options,
            )
        )

    whole = run_on(images, "whole.pt")
    list(whole.steps())
    stop_at(run_on(images, "stopped.pt"), moment)
    with pytest.raises(DatasetError, match="checksum"):
        list(run_on(images[::-1], "stopped.pt", resume=True).steps())
    resumed = run_on(images, "stopped.pt", resume=True)
    list(resumed.steps())
    found, expected = resumed.result.checkpoint, whole.result.checkpoint
    assert equal_weights(found.state_dict, expected.state_dict)
    assert found.record.images == expected.record.images
    assert len(found.record.images) == 3


@pytest.mark.parametrize(
    ("kind", "happens"),
    [
        *(("images", "vanishes"), ("images", "changes"), ("pairs", "changes")),
        *(("repeats", "changes"), ("adapt", "changes"), ("noise2void", "changes")),
    ],
)
def test_an_epoch_on_an_image_that_changes_is_not_kept(kind, happens, tmp_path):
    names = [tmp_path / f"{number}.tif" for number in range(2)]
    for number, path in enumerate(names):
        frames = smooth_images(1, side=48, channels=1, seed=number)[..., 0]
        rng = np.random.default_rng(number)
        noisy = frames.repeat(2, axis=0) + rng.integers(0, 30, (2, 48, 48))
        tifffile.imwrite(path, noisy.astype(np.uint16), metadata={"axes": "TYX"})
    settings = {"patch_size": 16, "batches_per_epoch": 2, "augmentation": "none"}
    start = None
    if kind == "adapt":
        start = random_checkpoint(in_channels=1)
        settings["network_options"] = start.network_options
    run = TrainingRun(
        TrainingJob(
            **{kind: tuple(names) if kind == "pairs" else names[1]},
            output=tmp_path / "model.pt",
            settings=SETTINGS | settings,
            start_from=start,
            device="cpu",
        )
    )
    steps = run.steps()
    while not isinstance(step := next(steps), BatchResult) or step.epoch < 2:
        pass
    if happens == "changes":
        with names[1].open("ab") as file:
            file.write(b"0")
    else:
        names[1].unlink()
    with pytest.raises(DatasetError, match=r"1\.tif .*earlier epochs are kept"):
        list(steps)
    assert len(run.result.history) == 1
    assert len(load_training_state(tmp_path / "model.resume").history) == 1
    assert load_checkpoint(tmp_path / "model.pt").record.epochs_run == 1


@pytest.mark.parametrize("left", [set(), {"model.history.csv", "model.pt"}])
def test_resuming_completes_a_run_killed_after_its_last_epoch(make_run, cifar10, left):
    """The curves, the gallery and the scores are missing then, and maybe more."""
    run = make_run(cifar10)
    for step in run.steps():
        if isinstance(step, EpochResult) and step.epoch == 2:
            break
    for name in left:
        run.files.checkpoint.with_name(name).unlink()
    assert not run.files.curves.exists()
    resumed = make_run(cifar10, resume=True, settings={"network_options": SMALL})
    kinds = kinds_of(resumed.steps())
    assert kinds == [TrainingStart, ValidationExamples, FinalExamples, ScoringProgress]
    assert all(path.exists() for path in run.files.paths)
    record = load_checkpoint(run.files.checkpoint).record
    assert (record.epochs_run, record.stop_reason) == (2, "all epochs are done")
    assert len(resumed.result.test_scores) == 2
    assert resumed.result.stop_reason == (
        "all epochs are done, so nothing was left to train; to train longer, increase "
        "epochs"
    )


@pytest.mark.parametrize("moment", ["batch", "curves", "gallery", "scores"])
def test_remaining_files_can_be_written_after_an_interrupt(
    make_run, cifar10, monkeypatch, moment
):
    """Iterating again writes the remaining files, wherever the interrupt came."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run = make_run(cifar10)
    with monkeypatch.context() as patch:
        if moment == "batch":
            original = run_module.SavedTraining.steps

            def steps(self, stop):
                for step in original(self, stop):
                    if step.epoch == 2:
                        raise KeyboardInterrupt
                    yield step

            patch.setattr(run_module.SavedTraining, "steps", steps)
        elif moment == "curves":
            patch.setattr(saved, "save_loss_curves", interrupted)
        elif moment == "gallery":
            patch.setattr(run_module, "save_gallery", interrupted)
        else:
            patch.setattr(run_module, "score_test_set", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(run.steps())
    n_epochs = 1 if moment == "batch" else 2
    assert len(run.result.history) == n_epochs
    run.stop.set()
    left = kinds_of(run.steps())
    assert left == ([] if moment == "scores" else [FinalExamples])
    assert all(path.exists() for path in run.files.paths)
    assert load_checkpoint(run.files.checkpoint).record.epochs_run == n_epochs
    assert run.result.test_scores == ()


# --- canceling -------------------------------------------------------------


def cancel_at(run: TrainingRun, kind: type) -> None:
    """Cancel a run at a step."""
    steps = run.steps()
    next(step for step in steps if isinstance(step, kind))
    run.cancel.set()
    run.stop.set()
    assert kinds_of(steps) in ([], [ValidationExamples])
    assert run.result is None
    assert run.stop_reason == "canceled"


def contents(folder) -> dict:
    return {p: p.read_bytes() for p in folder.iterdir() if p.is_file()}


MOMENTS = [BatchResult, EpochResult, FinalExamples, ScoringProgress]


@pytest.mark.parametrize("moment", MOMENTS)
def test_canceled_run_leaves_no_file(make_run, cifar10, tmp_path, monkeypatch, moment):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring._BATCH_SIZE", 8)
    cancel_at(make_run(cifar10), moment)
    assert list(tmp_path.iterdir()) == [cifar10]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("option", ["overwrite", "resume"])
def test_canceled_run_restores_the_files_that_it_replaced(
    make_run, cifar10, tmp_path, monkeypatch, option, moment
):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring._BATCH_SIZE", 8)
    list(make_run(cifar10).steps())
    (tmp_path / "model.gallery.png").unlink()
    before = contents(tmp_path)
    cancel_at(make_run(cifar10, settings={"epochs": 3}, **{option: True}), moment)
    assert contents(tmp_path) == before
    assert sorted(tmp_path.iterdir()) == sorted([cifar10, *before])


@pytest.mark.parametrize("option", ["overwrite", "resume"])
def test_copies_are_removed_at_the_end_and_after_a_kill(make_run, tmp_path, option):
    list(make_run().steps())
    before = contents(tmp_path)
    killed = make_run(**{option: True}, settings={"epochs": 3}).steps()
    next(step for step in killed if isinstance(step, EpochResult))
    # As if killed: what it replaced is in the hidden folder.
    assert contents(tmp_path / ".model.backup").keys() == {
        tmp_path / ".model.backup" / path.name for path in before
    }
    shutil.copytree(tmp_path / ".model.backup", tmp_path / "left")
    killed.close()
    assert not (tmp_path / ".model.backup").exists()
    (tmp_path / "left").rename(tmp_path / ".model.backup")
    list(make_run(resume=True, settings={"epochs": 3}).steps())
    assert not (tmp_path / ".model.backup").exists()


def test_files_that_cannot_be_copied_are_not_replaced(make_run, tmp_path, monkeypatch):
    list(make_run().steps())
    before = contents(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(OutputError, match=r"model\.pt.*\.model\.backup.*No space left"):
        list(make_run(overwrite=True).steps())
    assert contents(tmp_path) == before


# --- errors ----------------------------------------------------------------


@pytest.mark.parametrize(
    "where", ["denoise_examples", "save_gallery", "score_test_set"]
)
@pytest.mark.parametrize("error", [DatasetError("gone"), RuntimeError("shapes differ")])
def test_model_is_kept_if_the_gallery_or_the_scoring_fails(
    make_run, cifar10, monkeypatch, where, error
):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(run_module, where, fail)
    run = make_run(cifar10)
    list(run.steps())
    assert run.result.scoring_error == str(error)
    assert run.result.test_scores == ()
    assert run.files.checkpoint.exists()


def test_overwriting_removes_the_old_gallery_and_curves(make_run, monkeypatch):
    run = make_run()
    list(run.steps())
    again = make_run(overwrite=True)
    for step in again.steps():
        if isinstance(step, EpochResult):
            break
    assert run.files.checkpoint.exists()
    assert not run.files.gallery.exists()
    assert not run.files.curves.exists()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"preset": "unet9"}, InvalidInputError),
        ({"settings": {"epochs": 0}}, InvalidInputError),
        ({"settings": {"sigma": 0.5}}, InvalidInputError),
        ({"resume": True}, CheckpointError),
        ({"resume": True, "overwrite": True}, InvalidInputError),
    ],
    ids=str,
)
def test_invalid_options_are_rejected_before_the_data_is_read(make_run, options, error):
    with pytest.raises(error):
        make_run("nowhere", **options)


def test_unavailable_device_and_existing_run_are_rejected(make_run, tmp_path):
    job = TrainingJob(data="nowhere", output=tmp_path / "model.pt", device="tpu")
    with pytest.raises(DeviceError):
        TrainingRun(job)
    (tmp_path / "model.pt").write_text("another run")
    with pytest.raises(OutputError, match="already exists"):
        make_run()
