from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from noisy_images import photos, real_pair

from napari_denoise_ae.evaluation.baselines import BASELINES
from napari_denoise_ae.evaluation.metrics import psnr, ssim
from napari_denoise_ae.evaluation.pairs import (
    noisy_pairs,
    real_pairs,
)
from napari_denoise_ae.evaluation.scoring import score_methods

if TYPE_CHECKING:
    from napari_denoise_ae.evaluation.score import Score

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


def scores_by_name(pairs, denoiser) -> dict[str, Score]:
    models = {"random": denoiser}
    return {score.method: score for score in score_methods(pairs, models, "some")}


@pytest.mark.parametrize("channels", [1, 3])
def test_scores_equal_the_metrics(channels, denoiser):
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


def test_random_network_scores_worse_than_the_noisy_image(denoiser):
    scores = scores_by_name(noisy_pairs(photos(2), "gaussian:0.1", seed=0), denoiser)
    assert scores["random"].psnr_mean < scores["noisy"].psnr_mean


@pytest.mark.parametrize("n_repeats", [0, 1, 3])
def test_every_repeat_of_a_reference_is_scored(n_repeats, denoiser):
    pairs = real_pairs(*real_pair(n_repeats), None)
    assert len(pairs) == max(n_repeats, 1)
    assert scores_by_name(pairs, denoiser)["noisy"].n == len(pairs)


def test_intensities_are_not_adjusted_to_the_reference(denoiser):
    """An image of the wrong brightness scores low even without noise."""
    _, reference = real_pair()
    score = scores_by_name(real_pairs(reference * 2, reference, None), denoiser)[
        "noisy"
    ]
    assert score.psnr_mean < 10


def test_psnr_depends_on_the_data_range(denoiser):
    noisy, reference = real_pair()
    narrow = scores_by_name(real_pairs(noisy, reference, (0, 1000)), denoiser)["noisy"]
    wide = scores_by_name(real_pairs(noisy, reference, (0, 10000)), denoiser)["noisy"]
    assert wide.psnr_mean == pytest.approx(narrow.psnr_mean + 20)


def test_psnr_of_identical_images_is_infinite(denoiser):
    reference = np.kron(np.eye(4), np.ones((8, 8)))
    scores = scores_by_name(real_pairs(reference, reference, None), denoiser)
    assert scores["noisy"].psnr_mean == math.inf
    assert scores["noisy"].as_record()["psnr_mean"] is None
    assert scores["noisy"].as_record()["ssim_mean"] == pytest.approx(1)


def test_records_have_the_documented_fields_and_are_json(denoiser):
    scores = score_methods(
        noisy_pairs(photos(1), "gaussian:0.1", seed=0), {"a": denoiser}, "gaussian:0.1"
    )
    for score in scores:
        record = score.as_record()
        assert set(record) == FIELDS
        assert json.loads(json.dumps(record, allow_nan=False)) == record
