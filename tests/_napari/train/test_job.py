"""Tests of the training worker's generator, without a window."""

from dataclasses import replace

import numpy as np
import pytest

from napari_denoise_ae import add_noise, load_checkpoint
from napari_denoise_ae._napari.train.job import Signals, _train
from napari_denoise_ae._napari.train.steps import ScoreProgress
from napari_denoise_ae.evaluation.test_set import score_test_set
from napari_denoise_ae.io.cifar10 import load_test_images
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.results import (
    EpochResult,
    FinalExamples,
    TrainingStart,
)

# Numbers of training and test images in the replacement for CIFAR-10.
N_TRAIN, N_TEST = 80, 24


@pytest.fixture
def job(cifar10, tmp_path):
    def make(**changes):
        small = {"epochs": 1, "batch_size": 40, "network_options": {"base_channels": 2}}
        values = {
            "data": cifar10,
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
    """Return the steps and the outcome of a job."""
    steps, worker = [], _train(job, Signals())
    while True:
        try:
            steps.append(next(worker))
        except StopIteration as end:
            return steps, end.value


def start_of(steps):
    return next(step for step in steps if isinstance(step, TrainingStart))


@pytest.mark.parametrize("n_test", [10, N_TEST])
def test_remaining_test_images_are_used_for_training(job, n_test):
    start = start_of(run(job(settings={"n_test": n_test}))[0])
    assert start.n_train + start.n_val == N_TRAIN + N_TEST - n_test


def test_the_test_scores_equal_those_of_evaluation(job, cifar10, tmp_path):
    steps, outcome = run(job(settings={"n_test": 10}))
    noisy, clean = steps[-2].examples[0], steps[-2].examples[2]
    assert isinstance(steps[-2], FinalExamples)
    images = load_test_images(cifar10, n_test=8).images
    np.testing.assert_allclose(clean, images / 255, atol=1e-6)
    expected = add_noise(images[0] / 255, "gaussian:0.5", intensity_range=(0, 1), rng=0)
    np.testing.assert_allclose(noisy[0], expected, atol=1e-6)
    assert (tmp_path / "model.gallery.png").is_file()
    assert isinstance(steps[-1], ScoreProgress)
    assert (steps[-1].done, steps[-1].total) == (10, 10)
    checkpoint = load_checkpoint(outcome.result.files.checkpoint)
    again = list(score_test_set(checkpoint, cifar10, choose_device("cpu")))[-2:]
    for score, other in zip(outcome.result.test_scores, again, strict=True):
        assert score.psnr_mean == pytest.approx(other.psnr_mean)
        assert score.ssim_mean == pytest.approx(other.ssim_mean)
    assert outcome.result.scoring_error == ""


def test_a_stopped_run_is_not_scored(job, tmp_path):
    signals, steps = Signals(), []
    worker = _train(job(settings={"epochs": 9}), signals)
    while True:
        try:
            steps.append(next(worker))
        except StopIteration as end:
            outcome = end.value
            break
        if isinstance(steps[-1], EpochResult):
            signals.stop.set()
    assert outcome.stop_reason == "interrupted after epoch 1"
    assert outcome.result.test_scores == ()
    assert not any(isinstance(step, ScoreProgress) for step in steps)
    assert (tmp_path / "model.gallery.png").is_file()


def test_a_resumed_run_keeps_its_split(job):
    first = start_of(run(job(settings={"n_test": 10, "val_fraction": 0.25}))[0])
    settings = {"epochs": 2, "patience": 3}
    steps, outcome = run(replace(job(preset=None, resume=True), settings=settings))
    assert not outcome.error
    assert start_of(steps).n_train == first.n_train
    assert load_checkpoint(outcome.result.files.checkpoint).record.epochs_run == 2


def test_a_resumed_run_with_a_cosine_schedule_keeps_its_epochs(job):
    signals = Signals()
    settings = {"schedule": "cosine", "epochs": 2, "patience": 9}
    worker = _train(job(settings=settings), signals)
    for step in worker:
        if isinstance(step, EpochResult):
            signals.stop.set()
    settings = {"epochs": 50, "patience": 9}
    _, outcome = run(replace(job(preset=None, resume=True), settings=settings))
    assert not outcome.error
    assert load_checkpoint(outcome.result.files.checkpoint).record.epochs_run == 2
