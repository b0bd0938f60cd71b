from __future__ import annotations

import pytest
from PIL import Image
from synthetic import (
    cifar10_checkpoint,
    random_checkpoint,
)

from napari_denoise_ae import compare_models, evaluate
from napari_denoise_ae.errors import (
    CheckpointError,
    DatasetError,
    DenoiseAEError,
    DenoiseAEWarning,
    DeviceError,
    InvalidInputError,
    OutputError,
)
from napari_denoise_ae.evaluation.baselines import BASELINES


def test_evaluate_scores_cifar10_test_images(cifar10, checkpoint):
    scores = evaluate(cifar10, model=checkpoint, limit=3, device="cpu")
    assert [score.method for score in scores] == ["noisy", "random", *BASELINES]
    assert {score.n for score in scores} == {3}
    assert {score.noise for score in scores} == {"gaussian:0.5"}
    noisy = scores[0]
    # For clipped noise of 0.5 on uniform squares of random color.
    assert 7 < noisy.psnr_mean < 12
    assert all(score.seconds_per_image >= 0 for score in scores)


def test_scores_contain_the_number_of_parameters(cifar10, checkpoint):
    noisy, model, *baselines = evaluate(cifar10, model=checkpoint, limit=2)
    weights = checkpoint.state_dict.values()
    assert model.n_parameters == sum(tensor.numel() for tensor in weights)
    assert {score.n_parameters for score in (noisy, *baselines)} == {None}


def test_evaluate_warns_of_a_model_for_different_noise(cifar10, no_baselines):
    with pytest.warns(DenoiseAEWarning, match="much weaker"):
        evaluate(cifar10, model=cifar10_checkpoint(), noise="gaussian:0.05", limit=5)


def test_compare_models_scores_models_and_baselines(cifar10, tmp_path):
    figure = tmp_path / "figure.png"
    models = [cifar10_checkpoint("first"), cifar10_checkpoint("second", n_test=12)]
    scores = compare_models(models, cifar10, device="cpu", figure=figure)
    names = ["noisy", "first", "second", *BASELINES]
    assert [score.method for score in scores] == names
    assert {(score.n, score.noise) for score in scores} == {(12, "gaussian:0.5")}
    with Image.open(figure) as picture:
        # Four columns, five rows.
        assert 1.1 < picture.height / picture.width < 1.6


def test_compare_models_gives_the_scores_of_evaluate(cifar10, no_baselines):
    given = {"limit": 3, "device": "cpu"}
    compared = compare_models([cifar10_checkpoint()], cifar10, **given)
    evaluated = evaluate(cifar10, model=cifar10_checkpoint(), **given)
    for first, second in zip(compared, evaluated, strict=True):
        assert first.psnr_mean == second.psnr_mean
        assert first.ssim_mean == second.ssim_mean


def test_scores_differ_if_the_noise_is_measured(cifar10, no_baselines):
    model = random_checkpoint(network="unet")
    given = {"noise": "gaussian:0.3,unclipped", "limit": 2, "device": "cpu"}
    known, measured = (
        evaluate(cifar10, model=model, measured=measured, **given)[1].psnr_mean
        for measured in (False, True)
    )
    assert known != measured
    compared = compare_models([model], cifar10, measured=True, **given)
    assert compared[1].psnr_mean == measured


def test_compare_models_without_baselines(cifar10):
    scores = compare_models([cifar10_checkpoint()], cifar10, limit=2, baselines=False)
    assert [score.method for score in scores] == ["noisy", "random"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"figure": "figure.jpg"}, InvalidInputError),
        ({"figure": "missing/figure.png"}, OutputError),
        ({"limit": 0}, InvalidInputError),
        ({"noise": "perlin:1"}, InvalidInputError),
        ({"device": "tpu"}, DeviceError),
        ({"models": ["conv", "missing.pt"]}, CheckpointError),
        ({"models": [random_checkpoint(in_channels=5)]}, InvalidInputError),
    ],
    ids=str,
)
def test_compare_models_rejects_invalid_arguments_before_scoring(
    settings, error, cifar10, tmp_path, monkeypatch
):
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("scoring has started")

    monkeypatch.setattr("napari_denoise_ae.evaluation.run.score_methods", fail)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        compare_models(
            settings.pop("models", [cifar10_checkpoint()]), cifar10, **settings
        )


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"model": "unet9"}, CheckpointError),
        ({"device": "tpu"}, DeviceError),
        ({"data": "nowhere"}, DatasetError),
        ({"noise": "none"}, InvalidInputError),
    ],
    ids=str,
)
def test_evaluate_rejects_invalid_arguments(settings, error, cifar10):
    with pytest.raises(error) as caught:
        evaluate(settings.pop("data", cifar10), **settings)
    assert isinstance(caught.value, DenoiseAEError)
