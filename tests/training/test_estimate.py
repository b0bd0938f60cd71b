from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from synthetic import CPU, image_set, small_config

from napari_denoise_ae.training import estimate as estimate_module
from napari_denoise_ae.training.estimate import (
    RunEstimate,
    estimate_run,
)
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.results import TrainingStart, describe_duration
from napari_denoise_ae.training.run import TrainingRun
from napari_denoise_ae.training.step import TrainingStep
from napari_denoise_ae.training.workload import Workload

WORKLOAD = Workload(
    n_train=9,
    n_val=1,
    n_images=8,
    shape=(16, 16),
    n_batches=30,
    n_val_pixels=30 * 16 * 16,
    n_bytes=1000,
)


@pytest.fixture
def one_second_steps(monkeypatch):
    """Let every image take a second, and record the sizes of the batches."""
    n_images = []

    def time_steps(step, batch):
        n_images.append(batch.n_images)
        assert torch.isfinite(step.train(batch))
        return [batch.n_images * 1.0]

    monkeypatch.setattr(estimate_module, "_time_steps", time_steps)
    return n_images


def test_time_is_that_of_all_batches_and_of_validation(one_second_steps):
    found = estimate_run(small_config(epochs=2), WORKLOAD, CPU.device)
    # 30 images for validation, which take a third.
    assert found.seconds == pytest.approx(2 * (30 * 8 + 30 / 3))
    assert one_second_steps == [8]


def test_large_batches_are_timed_in_part(one_second_steps):
    large = replace(WORKLOAD, n_images=64, shape=(128, 128), n_val_pixels=0)
    found = estimate_run(small_config(epochs=1), large, CPU.device)
    assert one_second_steps == [4]
    assert found.seconds == pytest.approx(30 * 64)


def test_finished_epochs_are_not_counted(one_second_steps):
    config = small_config(epochs=4)
    whole = estimate_run(config, WORKLOAD, CPU.device).seconds
    assert estimate_run(config, WORKLOAD, CPU.device, 3).seconds == whole / 4
    assert estimate_run(config, WORKLOAD, CPU.device, 4).seconds == 0


@pytest.mark.parametrize(
    ("network", "options"),
    [("unet", {"base_channels": 4}), ("residual", {}), ("conv", {"base_channels": 4})],
)
def test_steps_of_every_network_are_timed(network, options):
    config = small_config(network=network, network_options=options)
    workload = replace(WORKLOAD, shape=(32, 32), n_images=2)
    assert 0 < estimate_run(config, workload, CPU.device).seconds < math.inf


def test_memory_grows_with_the_batch_the_network_and_the_images(one_second_steps):
    def n_bytes(workload=WORKLOAD, **changes):
        return estimate_run(small_config(**changes), workload, CPU.device).n_bytes

    smallest = n_bytes()
    assert n_bytes(replace(WORKLOAD, n_bytes=51_000)) == smallest + 50_000
    assert n_bytes(replace(WORKLOAD, n_images=16)) > smallest
    assert n_bytes(network_options={"base_channels": 8}) > smallest


def test_random_numbers_of_the_run_are_not_used():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    estimate_run(small_config(), WORKLOAD, CPU.device)
    assert torch.rand(1) == expected


def test_device_without_memory_for_a_step_is_said(monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(TrainingStep, "train", fail)
    found = estimate_run(small_config(), WORKLOAD, CPU.device)
    assert str(found) == "more memory than the device has"


def test_other_errors_are_raised(monkeypatch):
    def fail(*_):
        raise RuntimeError("unexpected")

    monkeypatch.setattr(TrainingStep, "train", fail)
    with pytest.raises(RuntimeError, match="unexpected"):
        estimate_run(small_config(), WORKLOAD, CPU.device)


def test_estimate_is_a_sentence():
    assert str(RunEstimate(250.0, 1_460_000_000)) == (
        "about 4 min and 1.5 GB of memory"
    )
    assert str(RunEstimate(12.3, 350_400_000)) == "about 12 s and 350 MB of memory"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (7200, "2.0 h")],
)
def test_durations_have_fitting_units(seconds, expected):
    assert describe_duration(seconds) == expected


def test_run_estimates_the_epochs_that_are_left(tmp_path, one_second_steps):
    def run(**options) -> TrainingRun:
        settings = {"network_options": {"base_channels": 4}, "batch_size": 8}
        job = TrainingJob(
            data=image_set(), output=tmp_path / "m.pt", settings=settings, **options
        )
        return TrainingRun(replace(job, settings=settings | {"epochs": epochs}))

    epochs = 2
    first = run()
    assert first.estimate() is None
    for step in first.steps():
        if isinstance(step, TrainingStart):
            whole = first.estimate()
    assert whole.seconds == pytest.approx(2 * (5 * 8 + 4 / 3))
    assert first.estimate().seconds == 0
    epochs = 3
    resumed = run(resume=True)
    next(resumed.steps())
    assert resumed.estimate().seconds == pytest.approx(whole.seconds / 2)
