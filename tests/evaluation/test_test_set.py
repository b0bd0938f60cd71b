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
    """Return a small `residual` network with trained batch normalization."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network("residual", RESIDUAL)
        network(torch.rand(16, 3, 32, 32))
    config = small_config(network="residual", network_options=RESIDUAL)
    record = make_record(dataset="CIFAR-10 training set", config=config)
    state_dict = dict(network.state_dict())
    return Checkpoint("residual", "residual", RESIDUAL, state_dict, record)


def test_test_set_size_of_a_model_trained_on_cifar10():
    assert count_test_images(cifar10_checkpoint(n_test=6000)) == 6000
    assert count_test_images(cifar10_checkpoint()) == 10_000


def test_test_set_size_of_a_model_trained_on_other_images():
    record = make_record(dataset="squares", config=small_config(n_test=5))
    assert count_test_images(random_checkpoint(record=record)) == 10_000
    assert count_test_images(random_checkpoint()) == 10_000


@pytest.mark.parametrize(
    "checkpoint",
    [cifar10_checkpoint(), cifar10_checkpoint(in_channels=1), residual()],
    ids=["color", "gray", "fixed size"],
)
@pytest.mark.parametrize("noise", ["gaussian:0.5", "gaussian:0..0.3,unclipped"])
def test_score_together_equals_evaluate(checkpoint, noise, cifar10, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring._BATCH_SIZE", 10)
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring.BASELINES", {})
    monkeypatch.setattr(
        "napari_denoise_ae.evaluation.run.find_task_incompatibilities", lambda *_: []
    )
    images = load_test_images(cifar10, n_test=24).images
    *_, noisy, denoised = score_together(images, Denoiser(checkpoint, CPU), noise)
    expected = evaluate(cifar10, model=checkpoint, noise=noise, device="cpu")
    for score, expected_score in zip((noisy, denoised), expected, strict=True):
        assert (score.method, score.noise, score.n, score.n_parameters) == (
            expected_score.method,
            expected_score.noise,
            expected_score.n,
            expected_score.n_parameters,
        )
        for field in ("psnr_mean", "psnr_std", "ssim_mean", "ssim_std"):
            assert getattr(score, field) == pytest.approx(
                getattr(expected_score, field), abs=1e-4
            )


def test_score_test_set_uses_the_noise_of_training(cifar10):
    checkpoint = cifar10_checkpoint(n_test=10, noise="gaussian:0.2")
    *progress, noisy, denoised = score_test_set(checkpoint, cifar10, CPU)
    assert progress == [ScoringProgress(10, 10)]
    assert (noisy.method, denoised.method) == ("noisy", "random")
    assert {(s.n, s.noise) for s in (noisy, denoised)} == {(10, "gaussian:0.2")}
    assert noisy.n_parameters is None
    assert denoised.n_parameters > 1000


def test_scoring_can_be_stopped(cifar10, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring._BATCH_SIZE", 8)
    stop = Event()
    results = []
    for result in score_test_set(cifar10_checkpoint(), cifar10, CPU, stop=stop):
        results.append(result)
        stop.set()
    assert results == [ScoringProgress(8, 24)]


def test_missing_data_raises(tmp_path):
    with pytest.raises(DatasetError, match="cifar-10-batches-py"):
        next(score_test_set(cifar10_checkpoint(), tmp_path, CPU))


@pytest.mark.parametrize("record", [None, make_record(dataset="squares")])
def test_model_trained_on_other_images_is_rejected(record, cifar10):
    with pytest.raises(InvalidInputError, match="not trained on CIFAR-10"):
        next(score_test_set(random_checkpoint(record=record), cifar10, CPU))


def test_scores_follow_the_progress(cifar10):
    kinds = [type(r) for r in score_test_set(cifar10_checkpoint(), cifar10, CPU)]
    assert kinds == [ScoringProgress, Score, Score]
