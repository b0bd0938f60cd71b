from __future__ import annotations

import pytest
from synthetic import (
    cifar10_checkpoint,
    random_checkpoint,
)

from napari_denoise_ae import compare_models, evaluate
from napari_denoise_ae.errors import (
    InvalidInputError,
)


def test_default_noise_is_that_of_training(cifar10, no_baselines):
    model = cifar10_checkpoint(noise="gaussian:0.45")
    given = {"model": model, "limit": 2, "device": "cpu"}
    assert evaluate(cifar10, **given)[0].noise == "gaussian:0.45"
    assert evaluate(cifar10, noise="gaussian:0.50", **given)[0].noise == "gaussian:0.5"


def test_only_images_that_the_model_was_not_trained_on_are_used(cifar10, no_baselines):
    model = cifar10_checkpoint(n_test=10)
    assert {score.n for score in evaluate(cifar10, model=model)} == {10}
    assert {score.n for score in evaluate(cifar10, model=model, limit=9)} == {9}
    with pytest.raises(InvalidInputError, match=r"at most 10.*'random' was trained"):
        evaluate(cifar10, model=model, limit=11)
    with pytest.raises(InvalidInputError, match=r"at most 24.*no more test images"):
        evaluate(cifar10, model=cifar10_checkpoint(), limit=25)


def test_comparing_models_for_different_noise_requires_noise(cifar10, no_baselines):
    models = [
        cifar10_checkpoint("a"),
        cifar10_checkpoint("b", noise="gaussian:0.4"),
        random_checkpoint(),
    ]
    with pytest.raises(InvalidInputError, match=r"a: gaussian:0\.5, b: gaussian:0\.4"):
        compare_models(models, cifar10)
    scores = compare_models(models, cifar10, noise="gaussian:0.45", limit=2)
    assert {score.noise for score in scores} == {"gaussian:0.45"}


def test_smallest_test_set_limits_a_comparison(cifar10):
    models = [cifar10_checkpoint("a"), cifar10_checkpoint("b", n_test=6)]
    with pytest.raises(InvalidInputError, match=r"at most 6.*'b' was trained"):
        compare_models(models, cifar10, limit=7)


def test_all_test_images_are_used_without_a_limit(cifar10, checkpoint, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring.BASELINES", {})
    scores = evaluate(cifar10, model=checkpoint, device="cpu")
    assert {score.n for score in scores} == {24}


def test_default_number_of_images_of_a_comparison(cifar10, no_baselines, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.api.COMPARED_IMAGES", 7)
    assert compare_models([cifar10_checkpoint()], cifar10)[0].n == 7
    assert compare_models([cifar10_checkpoint(n_test=5)], cifar10)[0].n == 5
    assert compare_models([cifar10_checkpoint()], cifar10, limit=9)[0].n == 9


def test_seed_determines_the_noise(cifar10, checkpoint, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring.BASELINES", {})
    given = {"model": checkpoint, "limit": 2, "device": "cpu"}
    first, again, other = (
        evaluate(cifar10, seed=seed, **given)[0].psnr_mean for seed in (0, 0, 5)
    )
    assert first == again != other
