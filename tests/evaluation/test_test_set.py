from __future__ import annotations

from threading import Event

import pytest
import torch
from synthetic import (
    CPU,
    cifar10_checkpoint,
    make_record,
    random_checkpoint,
    small_config,
)

from napari_denoise_ae import evaluate
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.errors import DatasetError, InvalidInputError
from napari_denoise_ae.evaluation.score import Score, ScoringProgress
from napari_denoise_ae.evaluation.scoring import score_together
from napari_denoise_ae.evaluation.test_set import count_test_images, score_test_set
from napari_denoise_ae.io.cifar10 import load_test_images
from napari_denoise_ae.models.checkpoint import Checkpoint
from napari_denoise_ae.models.networks.registry import build_network

RESIDUAL = {"base_channels": 2, "latent_dim": 4}


def residual() -> Checkpoint:
    """A small `residual` network whose batch normalization has seen images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network("residual", RESIDUAL)
        network(torch.rand(16, 3, 32, 32))
    config = small_config(network="residual", network_options=RESIDUAL)
    record = make_record(dataset="CIFAR-10 training set", config=config)
    state_dict = dict(network.state_dict())
    return Checkpoint("residual", "residual", RESIDUAL, state_dict, record)


def test_the_first_test_images_are_held_out():
    assert count_test_images(cifar10_checkpoint(n_test=6000)) == 6000
    assert count_test_images(cifar10_checkpoint()) == 10_000


def test_all_are_held_out_for_a_model_of_other_images():
    record = make_record(dataset="squares", config=small_config(n_test=5))
    assert count_test_images(random_checkpoint(record=record)) == 10_000
    assert count_test_images(random_checkpoint()) == 10_000


@pytest.mark.parametrize(
    "checkpoint",
    [cifar10_checkpoint(), cifar10_checkpoint(in_channels=1), residual()],
    ids=["color", "gray", "one size"],
)
@pytest.mark.parametrize("noise", ["gaussian:0.5", "gaussian:0..0.3,unclipped"])
def test_the_figures_are_those_of_evaluate(checkpoint, noise, cifar10, monkeypatch):
    """Together they are quicker, over more than one batch, and give the same."""
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring._BATCH_SIZE", 10)
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring.BASELINES", {})
    monkeypatch.setattr("napari_denoise_ae.evaluation.run.find_misfits", lambda *_: [])
    images = load_test_images(cifar10, n_test=24).images
    *_, noisy, denoised = score_together(images, Denoiser(checkpoint, CPU), noise)
    expected = evaluate(cifar10, model=checkpoint, noise=noise, device="cpu")
    for score, one_by_one in zip((noisy, denoised), expected, strict=True):
        assert (score.method, score.noise, score.n, score.n_parameters) == (
            one_by_one.method,
            one_by_one.noise,
            one_by_one.n,
            one_by_one.n_parameters,
        )
        for figure in ("psnr_mean", "psnr_std", "ssim_mean", "ssim_std"):
            assert getattr(score, figure) == pytest.approx(
                getattr(one_by_one, figure), abs=1e-4
            )


def test_the_test_set_is_scored_with_the_noise_of_training(cifar10):
    checkpoint = cifar10_checkpoint(n_test=10, noise="gaussian:0.2")
    *progress, noisy, denoised = score_test_set(checkpoint, cifar10, CPU)
    assert progress == [ScoringProgress(10, 10)]
    assert (noisy.method, denoised.method) == ("noisy", "random")
    assert {(s.n, s.noise) for s in (noisy, denoised)} == {(10, "gaussian:0.2")}
    assert noisy.n_parameters is None
    assert denoised.n_parameters > 1000


def test_it_can_be_stopped(cifar10, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring._BATCH_SIZE", 8)
    stop = Event()
    results = []
    for result in score_test_set(cifar10_checkpoint(), cifar10, CPU, stop=stop):
        results.append(result)
        stop.set()
    assert results == [ScoringProgress(8, 24)]


def test_without_the_data_there_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="cifar-10-batches-py"):
        next(score_test_set(cifar10_checkpoint(), tmp_path, CPU))


@pytest.mark.parametrize("record", [None, make_record(dataset="squares")])
def test_a_model_of_other_images_has_no_test_set(record, cifar10):
    with pytest.raises(InvalidInputError, match="not trained on CIFAR-10"):
        next(score_test_set(random_checkpoint(record=record), cifar10, CPU))


def test_a_score_can_be_told_from_progress(cifar10):
    kinds = [type(r) for r in score_test_set(cifar10_checkpoint(), cifar10, CPU)]
    assert kinds == [ScoringProgress, Score, Score]
