from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image
from synthetic import (
    CPU,
    make_record,
    random_checkpoint,
    small_config,
    smooth_images,
    smooth_photo,
)

from napari_denoise_ae import compare_models, evaluate
from napari_denoise_ae.denoising.compatibility import relative_noise
from napari_denoise_ae.denoising.denoiser import Denoiser
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
from napari_denoise_ae.evaluation.metrics import psnr, ssim
from napari_denoise_ae.evaluation.model_names import load_models
from napari_denoise_ae.evaluation.model_warnings import find_misfits
from napari_denoise_ae.evaluation.pairs import (
    find_clean_images,
    noisy_pairs,
    read_clean_image,
    real_pairs,
)
from napari_denoise_ae.evaluation.scoring import score_methods
from napari_denoise_ae.evaluation.tasks import ImagePair, Task
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.noise.setting import NoiseSetting

if TYPE_CHECKING:
    from napari_denoise_ae.evaluation.score import Score
    from napari_denoise_ae.models.checkpoint import Checkpoint, TrainingRecord

FIELDS = {
    "method",
    "noise",
    "n",
    "psnr_mean",
    "psnr_std",
    "ssim_mean",
    "ssim_std",
    "seconds_per_image",
    "parameter",
    "n_parameters",
}


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    return Denoiser(random_checkpoint(), CPU)


def photos(n_images: int, channels: int = 3) -> list[np.ndarray]:
    photo = np.rint(255 * smooth_photo(32, 48, channels)).astype(np.uint8)
    photo = photo if channels > 1 else photo[..., 0]
    return [photo - np.uint8(index) for index in range(n_images)]


def scores_by_name(pairs, denoiser) -> dict[str, Score]:
    models = {"random": denoiser}
    return {score.method: score for score in score_methods(pairs, models, "some")}


def test_on_cifar10_test_images(cifar10, checkpoint):
    scores = evaluate(cifar10, model=checkpoint, limit=3, device="cpu")
    assert [score.method for score in scores] == ["noisy", "random", *BASELINES]
    assert {score.n for score in scores} == {3}
    assert {score.noise for score in scores} == {"gaussian:0.5"}
    noisy = scores[0]
    # Clipped noise of 0.5 on flat squares of any color.
    assert 7 < noisy.psnr_mean < 12
    assert all(score.seconds_per_image >= 0 for score in scores)


def test_without_a_limit_all_test_images_are_taken(cifar10, checkpoint, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring.BASELINES", {})
    scores = evaluate(cifar10, model=checkpoint, device="cpu")
    assert {score.n for score in scores} == {24}


def trained(name: str = "random", **settings: object) -> Checkpoint:
    """A model that says it was trained on CIFAR-10, for noise of 0.5."""
    record = make_record(
        dataset="CIFAR-10 training set", config=small_config(**settings)
    )
    return replace(random_checkpoint(record=record), name=name)


@pytest.fixture
def no_baselines(monkeypatch) -> None:
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring.BASELINES", {})


def test_the_noise_is_that_of_training_unless_given(cifar10, no_baselines):
    model = trained(noise="gaussian:0.45")
    given = {"model": model, "limit": 2, "device": "cpu"}
    assert evaluate(cifar10, **given)[0].noise == "gaussian:0.45"
    assert evaluate(cifar10, noise="gaussian:0.50", **given)[0].noise == "gaussian:0.5"


def test_only_images_that_the_model_was_not_trained_on_are_taken(cifar10, no_baselines):
    model = trained(n_test=10)
    assert {score.n for score in evaluate(cifar10, model=model)} == {10}
    assert {score.n for score in evaluate(cifar10, model=model, limit=9)} == {9}
    with pytest.raises(InvalidInputError, match=r"at most 10.*'random' was trained"):
        evaluate(cifar10, model=model, limit=11)
    with pytest.raises(InvalidInputError, match=r"at most 24.*no more test images"):
        evaluate(cifar10, model=trained(), limit=25)


def test_scores_tell_the_size_of_models(cifar10, checkpoint):
    noisy, model, *baselines = evaluate(cifar10, model=checkpoint, limit=2)
    weights = checkpoint.state_dict.values()
    assert model.n_parameters == sum(tensor.numel() for tensor in weights)
    assert {score.n_parameters for score in (noisy, *baselines)} == {None}


# --- models and noise that do not fit --------------------------------------


def misfits(noise: str, record: TrainingRecord | None) -> list[str]:
    models = {"mine": Denoiser(random_checkpoint(record=record), CPU)}
    images = list(smooth_images(20, side=32))
    pairs = noisy_pairs(images, noise, seed=0)
    return find_misfits(Task(pairs, noise, "", NoiseSetting()), models)


def record_for(noise: str) -> TrainingRecord:
    """A record whose estimate of noise is that of real images with such noise."""
    pairs = noisy_pairs(list(smooth_images(50, side=32, seed=1)), noise, seed=100)
    estimates = [relative_noise(pair.noisy, pair.input_range) for pair in pairs]
    low, middle, high = map(float, np.percentile(estimates, (5, 50, 95)))
    config = small_config(noise=noise)
    return make_record(config=config, noise_estimate=(low, middle, high))


FITTING = [
    "gaussian:0.1",
    "gaussian:0..0.3",
    "gaussian:0.1+salt-pepper:0.05",
    "salt-pepper:0.3",
    "poisson:20..50",
]


@pytest.mark.parametrize("noise", FITTING)
def test_the_noise_of_training_fits(noise):
    assert misfits(noise, record_for(noise)) == []


@pytest.mark.parametrize(
    ("noise", "trained_for", "words"),
    [
        ("gaussian:0.1", "gaussian:0.5", "These images look much less noisy"),
        ("gaussian:0.5", "gaussian:0.1", "These images look much more noisy"),
        ("gaussian:0.3", "gaussian:0..0.05", "much more noisy"),
        ("gaussian:0..0.3", "gaussian:0.1", "noisy"),
        ("gaussian:0.1+gaussian:0.3", "gaussian:0.1", "much more noisy"),
        ("gaussian:0.1+salt-pepper:0.02", "gaussian:0.1", "another kind of noise"),
        ("speckle:0.25", "gaussian:0.1", "noise"),
    ],
)
def test_other_noise_does_not_fit(noise, trained_for, words):
    (message,) = misfits(noise, record_for(trained_for))
    assert words in message
    assert "'mine'" in message
    assert trained_for in message


def test_part_of_a_composed_noise_is_no_other_kind():
    record = record_for("gaussian:0.1+salt-pepper:0.01")
    assert misfits("gaussian:0.1", record) == []


def test_nothing_is_said_of_a_model_without_a_record():
    assert misfits("gaussian:0.1", None) == []


def test_evaluate_warns_of_noise_that_does_not_fit(cifar10, no_baselines):
    with pytest.warns(DenoiseAEWarning, match="much less noisy"):
        evaluate(cifar10, model=trained(), noise="gaussian:0.05", limit=5)


def test_real_images_may_not_fit_either(denoiser):
    record = record_for("gaussian:0.5")
    models = {"mine": Denoiser(random_checkpoint(record=record), CPU)}
    (message,) = find_misfits(ImagePair(*real_pair()).make_task(models), models)
    assert "much less noisy" in message


# --- comparing models ------------------------------------------------------


def test_models_and_baselines_side_by_side(cifar10, tmp_path):
    figure = tmp_path / "figure.png"
    models = [trained("first"), trained("second", n_test=12)]
    scores = compare_models(models, cifar10, device="cpu", figure=figure)
    names = ["noisy", "first", "second", *BASELINES]
    assert [score.method for score in scores] == names
    assert {(score.n, score.noise) for score in scores} == {(12, "gaussian:0.5")}
    with Image.open(figure) as picture:
        # Four columns, five rows.
        assert 1.1 < picture.height / picture.width < 1.6


def test_one_model_is_scored_as_evaluate_does(cifar10, no_baselines):
    given = {"limit": 3, "device": "cpu"}
    compared = compare_models([trained()], cifar10, **given)
    evaluated = evaluate(cifar10, model=trained(), **given)
    for first, second in zip(compared, evaluated, strict=True):
        assert first.psnr_mean == second.psnr_mean
        assert first.ssim_mean == second.ssim_mean


def test_baselines_can_be_left_out(cifar10):
    scores = compare_models([trained()], cifar10, limit=2, baselines=False)
    assert [score.method for score in scores] == ["noisy", "random"]


def test_a_thousand_images_are_enough_for_a_comparison(
    cifar10, no_baselines, monkeypatch
):
    monkeypatch.setattr("napari_denoise_ae.evaluation.api.COMPARED_IMAGES", 7)
    assert compare_models([trained()], cifar10)[0].n == 7
    assert compare_models([trained(n_test=5)], cifar10)[0].n == 5
    assert compare_models([trained()], cifar10, limit=9)[0].n == 9


def test_models_of_one_name_are_told_apart(tmp_path):
    paths = [tmp_path / "a" / "model.pt", tmp_path / "b" / "model.pt"]
    for path in paths:
        path.parent.mkdir()
        save_checkpoint(trained(), path)
    save_checkpoint(trained(), tmp_path / "other.pt")
    sources = [*paths, str(tmp_path / "other.pt"), "conv", trained(), trained("noisy")]
    assert list(load_models([*sources, "conv"], CPU)) == [
        "a/model.pt",
        "b/model.pt",
        "other.pt",
        "conv",
        "random",
        "noisy (2)",
        "conv (2)",
    ]


@pytest.mark.parametrize("models", [[], "conv", trained()])
def test_a_comparison_needs_a_list_of_models(models, cifar10):
    with pytest.raises(InvalidInputError, match="at least one model"):
        compare_models(models, cifar10)


def test_models_for_different_noise_are_compared_only_if_it_is_said(
    cifar10, no_baselines
):
    models = [trained("a"), trained("b", noise="gaussian:0.4"), random_checkpoint()]
    with pytest.raises(InvalidInputError, match=r"a: gaussian:0\.5, b: gaussian:0\.4"):
        compare_models(models, cifar10)
    scores = compare_models(models, cifar10, noise="gaussian:0.45", limit=2)
    assert {score.noise for score in scores} == {"gaussian:0.45"}


def test_the_model_with_the_fewest_images_left_decides(cifar10):
    models = [trained("a"), trained("b", n_test=6)]
    with pytest.raises(InvalidInputError, match=r"at most 6.*'b' was trained"):
        compare_models(models, cifar10, limit=7)


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
def test_mistakes_are_found_before_anything_is_scored(
    settings, error, cifar10, tmp_path, monkeypatch
):
    def too_late(*_: object, **__: object) -> None:
        raise AssertionError("scoring has begun")

    monkeypatch.setattr("napari_denoise_ae.evaluation.run.score_methods", too_late)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        compare_models(settings.pop("models", [trained()]), cifar10, **settings)


def test_the_seed_decides_the_noise(cifar10, checkpoint, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.evaluation.scoring.BASELINES", {})
    given = {"model": checkpoint, "limit": 2, "device": "cpu"}
    first, again, other = (
        evaluate(cifar10, seed=seed, **given)[0].psnr_mean for seed in (0, 0, 5)
    )
    assert first == again != other


@pytest.mark.parametrize("channels", [1, 3])
def test_scores_are_those_of_the_metrics(channels, denoiser):
    pairs = noisy_pairs(photos(3, channels), "gaussian:0.1", seed=0)
    score = scores_by_name(pairs, denoiser)["noisy"]
    psnrs = [psnr(pair.clean, pair.noisy, data_range=255) for pair in pairs]
    ssims = [
        ssim(pair.clean, pair.noisy, data_range=255, channel_axis=-1) for pair in pairs
    ]
    assert score.psnr_mean == pytest.approx(np.mean(psnrs))
    assert score.psnr_std == pytest.approx(np.std(psnrs))
    assert score.ssim_mean == pytest.approx(np.mean(ssims))
    assert score.ssim_std == pytest.approx(np.std(ssims))


def test_every_baseline_beats_the_noisy_image(denoiser):
    scores = scores_by_name(noisy_pairs(photos(2), "gaussian:0.2", seed=0), denoiser)
    for name, baseline in BASELINES.items():
        assert scores[name].psnr_mean > scores["noisy"].psnr_mean + 2
        assert scores[name].parameter in baseline.grid
    assert scores["noisy"].parameter is None


def test_a_random_network_does_not_win(denoiser):
    scores = scores_by_name(noisy_pairs(photos(2), "gaussian:0.1", seed=0), denoiser)
    assert scores["random"].psnr_mean < scores["noisy"].psnr_mean


def test_noise_is_added_without_rounding():
    pair = noisy_pairs(photos(1), "gaussian:0.1", seed=0)[0]
    assert pair.noisy.dtype == np.float64
    assert (pair.noisy != np.rint(pair.noisy)).mean() > 0.8
    unclipped = noisy_pairs(photos(1), "gaussian:0.5,unclipped", seed=0)[0]
    assert unclipped.noisy.min() < 0
    assert unclipped.noisy.max() > 255


def test_every_image_has_noise_of_its_own():
    image = photos(1)[0]
    pairs = noisy_pairs([image, image], "gaussian:0.1", seed=0)
    assert not np.array_equal(pairs[0].noisy, pairs[1].noisy)
    # The noise of an image does not depend on how many there are.
    alone = noisy_pairs([image, image], "gaussian:0.1", seed=0, limit=1)
    np.testing.assert_array_equal(pairs[0].noisy, alone[0].noisy)


def test_alpha_is_left_out():
    image = np.concatenate([photos(1)[0], np.zeros((32, 48, 1), np.uint8)], axis=-1)
    assert noisy_pairs([image], "gaussian:0.1", seed=0)[0].clean.shape == (32, 48, 3)


@pytest.mark.parametrize(
    ("images", "settings", "words"),
    [
        (photos(1), {"limit": 0}, "limit must be at least 1"),
        (photos(1), {"limit": -1}, "limit must be at least 1"),
        (photos(1), {"noise": "gaussian"}, "Cannot read .*gaussian"),
        ([np.zeros((15, 40), np.uint8)], {}, r"at least 16 pixels.*\(15, 40\)"),
        ([np.full((20, 20), 5.0)], {}, "constant"),
        ([np.full((20, 20), np.nan)], {}, "NaN"),
        ([np.full((20, 20), np.inf)], {}, None),
        ([np.eye(20, dtype=bool)], {}, "bool"),
        ([np.eye(20, dtype=complex)], {}, "complex"),
        ([np.zeros((20, 20, 20), np.uint8)], {}, None),
        ([np.zeros((20, 20, 2), np.uint8)], {}, None),
        ([], {}, "image"),
    ],
)
def test_images_that_cannot_be_evaluated_on_are_refused(images, settings, words):
    settings = {"noise": "gaussian:0.1", "seed": 0} | settings
    with np.errstate(invalid="ignore"), pytest.raises(InvalidInputError, match=words):
        noisy_pairs(images, settings.pop("noise"), **settings)


# --- real pairs ------------------------------------------------------------


def real_pair(n_repeats: int = 0) -> tuple[np.ndarray, np.ndarray]:
    reference = 1000 * smooth_photo(32, 48, 1)[..., 0]
    shape = (n_repeats, 32, 48) if n_repeats else (32, 48)
    noise = np.random.default_rng(0).normal(0, 50, shape)
    return np.rint(reference + noise).astype(np.uint16), reference.astype(np.uint16)


@pytest.mark.parametrize("n_repeats", [0, 1, 3])
def test_a_reference_may_have_several_repeats(n_repeats, denoiser):
    pairs = real_pairs(*real_pair(n_repeats), None)
    assert len(pairs) == max(n_repeats, 1)
    assert scores_by_name(pairs, denoiser)["noisy"].n == len(pairs)


def test_real_pairs_are_scored_as_they_are():
    noisy, reference = real_pair()
    pair = real_pairs(noisy, reference, (0, 4095))[0]
    np.testing.assert_array_equal(pair.noisy[..., 0], noisy)
    assert (pair.data_range.low, pair.data_range.high) == (0, 4095)
    # What methods see as 0 and 1 knows nothing of the truth.
    assert (pair.input_range.low, pair.input_range.high) == (noisy.min(), noisy.max())


def test_nothing_is_fitted_to_the_reference(denoiser):
    """An image with the wrong brightness scores badly, although it is not noisy."""
    _, reference = real_pair()
    score = scores_by_name(real_pairs(reference * 2, reference, None), denoiser)[
        "noisy"
    ]
    assert score.psnr_mean < 10


def test_the_data_range_counts(denoiser):
    noisy, reference = real_pair()
    narrow = scores_by_name(real_pairs(noisy, reference, (0, 1000)), denoiser)["noisy"]
    wide = scores_by_name(real_pairs(noisy, reference, (0, 10000)), denoiser)["noisy"]
    assert wide.psnr_mean == pytest.approx(narrow.psnr_mean + 20)


def test_identical_images_score_infinitely_without_a_warning(denoiser):
    reference = np.kron(np.eye(4), np.ones((8, 8)))
    scores = scores_by_name(real_pairs(reference, reference, None), denoiser)
    assert scores["noisy"].psnr_mean == math.inf
    assert scores["noisy"].as_record()["psnr_mean"] is None
    assert scores["noisy"].as_record()["ssim_mean"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("noisy", "reference"),
    [
        ((32, 48), (32, 47)),
        ((3, 32, 48), (3, 32, 48)),
        ((32, 48), (3, 32, 48)),
        ((2, 3, 32, 48), (32, 48)),
        ((32, 48, 2), (32, 48, 2)),
        ((32, 48, 3), (32, 48)),
        ((48,), (48,)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(noisy, reference):
    with pytest.raises(InvalidInputError, match="must be one image"):
        real_pairs(np.zeros(noisy), np.zeros(reference), None)


@pytest.mark.parametrize("which", ["noisy", "reference"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_real_images_that_are_not_finite_are_refused(which, value):
    images = dict(zip(("noisy", "reference"), real_pair(), strict=True))
    images[which] = images[which].astype(float)
    images[which][3, 4] = value
    with pytest.raises(InvalidInputError):
        real_pairs(images["noisy"], images["reference"], None)


def test_a_constant_reference_is_refused():
    noisy, reference = real_pair()
    with pytest.raises(InvalidInputError, match="constant"):
        real_pairs(noisy, np.full_like(reference, 5), None)


# --- records and folders ---------------------------------------------------


def test_a_record_has_the_agreed_fields_and_is_json(denoiser):
    scores = score_methods(
        noisy_pairs(photos(1), "gaussian:0.1", seed=0), {"a": denoiser}, "gaussian:0.1"
    )
    for score in scores:
        record = score.as_record()
        assert set(record) == FIELDS
        assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_images_of_a_folder_come_in_the_order_of_their_names(tmp_path):
    images = smooth_images(3, side=32)
    for name, image in zip(["b.png", "a.tif", "c.JPG"], images, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    read = [read_clean_image(path) for path in find_clean_images(tmp_path)]
    assert len(read) == 3
    np.testing.assert_array_equal(read[0], images[1])
    np.testing.assert_array_equal(read[1], images[0])


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_a_folder_without_images_is_refused(tmp_path, kind):
    folder = tmp_path / "folder"
    if kind == "file":
        folder.write_text("")
    elif kind == "empty":
        folder.mkdir()
    with pytest.raises(InvalidInputError, match="folder"):
        find_clean_images(folder)


@pytest.mark.parametrize(
    ("shape", "axes"), [((20, 32, 32), "ZYX"), ((3, 32, 32), "SYX")]
)
def test_the_axes_of_a_tiff_are_heeded(tmp_path, shape, axes):
    """A stack is refused, not taken for one image with colors."""
    stack = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    color = {"planarconfig": "separate", "photometric": "rgb"} if "S" in axes else {}
    tifffile.imwrite(tmp_path / "a.tif", stack, metadata={"axes": axes}, **color)
    if axes == "ZYX":
        with pytest.raises(InvalidInputError, match="expected single images"):
            read_clean_image(tmp_path / "a.tif")
    else:
        assert read_clean_image(tmp_path / "a.tif").shape == (32, 32, 3)


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
def test_mistakes_are_errors_that_a_user_can_act_on(settings, error, cifar10):
    with pytest.raises(error) as caught:
        evaluate(settings.pop("data", cifar10), **settings)
    assert isinstance(caught.value, DenoiseAEError)
