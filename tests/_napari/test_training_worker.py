"""Training without a window: the worker's generator, run to its end."""

from dataclasses import replace
from threading import Event

import pytest

from napari_denoise_ae import load_checkpoint
from napari_denoise_ae._napari.training_worker import (
    EpochProgress,
    TrainingJob,
    TrainingStart,
    _train_to_the_end,
)

# The stand-in for CIFAR-10 has 80 images to train and 24 to test.
N_TRAIN, N_TEST = 80, 24


@pytest.fixture
def job(cifar10, tmp_path):
    def make(**changes):
        small = {"epochs": 1, "batch_size": 40, "network_options": {"base_channels": 2}}
        values = {
            "data": cifar10,
            "download": False,
            "output": tmp_path / "model.pt",
            "preset": "conv",
            "settings": small | changes.pop("settings", {}),
            "device": "cpu",
            "resume": False,
            "overwrite": False,
        }
        return TrainingJob(**(values | changes))

    return make


def run(job):
    """Return the steps of a job, and its outcome."""
    steps, worker = [], _train_to_the_end(job, Event())
    while True:
        try:
            steps.append(next(worker))
        except StopIteration as end:
            return steps, end.value


def start_of(steps):
    return next(step for step in steps if isinstance(step, TrainingStart))


@pytest.mark.parametrize("n_test", [10, N_TEST])
def test_test_images_that_are_not_kept_apart_train_too(job, n_test):
    start = start_of(run(job(settings={"n_test": n_test}))[0])
    assert start.n_train + start.n_val == N_TRAIN + N_TEST - n_test


def test_the_run_that_is_resumed_decides_which_images_train(job):
    first = start_of(run(job(settings={"n_test": 10, "val_fraction": 0.25}))[0])
    settings = {"epochs": 2, "patience": 3}
    steps, outcome = run(replace(job(preset=None, resume=True), settings=settings))
    assert not outcome.error
    assert start_of(steps).n_train == first.n_train
    assert load_checkpoint(outcome.checkpoint).record.epochs_run == 2


def test_a_run_whose_schedule_needs_its_epochs_keeps_them(job):
    stop = Event()
    settings = {"schedule": "cosine", "epochs": 2, "patience": 9}
    worker = _train_to_the_end(job(settings=settings), stop)
    for step in worker:
        if isinstance(step, EpochProgress):
            stop.set()
    settings = {"epochs": 50, "patience": 9}
    _, outcome = run(replace(job(preset=None, resume=True), settings=settings))
    assert not outcome.error
    assert load_checkpoint(outcome.checkpoint).record.epochs_run == 2
