from __future__ import annotations

import json
import math

import numpy as np
import pytest
import tifffile
from PIL import Image
from synthetic import CPU, random_checkpoint, smooth_images, smooth_photo

from napari_denoise_ae import evaluate
from napari_denoise_ae.baselines import BASELINES
from napari_denoise_ae.errors import (
    CheckpointError,
    DatasetError,
    DenoiseAEError,
    DeviceError,
    InvalidInputError,
)
from napari_denoise_ae.inference import Denoiser
from napari_denoise_ae.metrics import psnr, ssim
from napari_denoise_ae.pairs import noisy_pairs, read_clean_images, real_pairs
from napari_denoise_ae.scoring import Score, score_methods

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
    # Clipped noise of 0.5 on flat squares of any colour.
    assert 7 < noisy.psnr_mean < 12
    assert all(score.seconds_per_image >= 0 for score in scores)


def test_without_a_limit_all_test_images_are_taken(cifar10, checkpoint, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.scoring.BASELINES", {})
    scores = evaluate(cifar10, model=checkpoint, device="cpu")
    assert {score.n for score in scores} == {24}


def test_the_seed_decides_the_noise(cifar10, checkpoint, monkeypatch):
    monkeypatch.setattr("napari_denoise_ae.scoring.BASELINES", {})
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
    read = read_clean_images(tmp_path)
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
        read_clean_images(folder)


@pytest.mark.parametrize(
    ("shape", "axes"), [((20, 32, 32), "ZYX"), ((3, 32, 32), "SYX")]
)
def test_the_axes_of_a_tiff_are_heeded(tmp_path, shape, axes):
    """A stack is refused, not taken for one image with colours."""
    stack = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    colour = {"planarconfig": "separate", "photometric": "rgb"} if "S" in axes else {}
    tifffile.imwrite(tmp_path / "a.tif", stack, metadata={"axes": axes}, **colour)
    if axes == "ZYX":
        with pytest.raises(InvalidInputError):
            noisy_pairs(read_clean_images(tmp_path), "gaussian:0.1", seed=0)
    else:
        pair = noisy_pairs(read_clean_images(tmp_path), "gaussian:0.1", seed=0)[0]
        assert pair.clean.shape == (32, 32, 3)


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
