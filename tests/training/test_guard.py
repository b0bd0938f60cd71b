from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.data import camera

from napari_denoise_ae import load_checkpoint
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.noise.draw import SHARE, draw_split
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate
from napari_denoise_ae.training.guard import (
    KeptOut,
    Verdict,
    _denoise,
    compare_models,
)

CLEAN = camera()[100:228, 160:288, np.newaxis].astype(np.float64)
GAUSSIAN = NoiseEstimate(sigma=20.0)
PHOTONS = NoiseEstimate(kind="poisson-gaussian", gain=1.0)
GRAY = load_checkpoint("gray")


def denoiser(checkpoint):
    return Denoiser(checkpoint, choose_device("cpu"))


def weakened(factor):
    """Return `gray`, whose output removes only a fraction of the noise."""
    weights = dict(GRAY.state_dict)
    weights["output.weight"] = weights["output.weight"] * factor
    return replace(GRAY, state_dict=weights)


def noisy_image(noise, seed=0, **changes):
    rng = np.random.default_rng(seed)
    if noise.curve is None:
        pixels = CLEAN + noise.sigma * rng.standard_normal(CLEAN.shape)
    else:
        pixels = rng.poisson(CLEAN / 20).astype(np.float64)
    return KeptOut(pixels, replace(noise, **changes), DenoiseOptions())


@pytest.mark.parametrize("noise", [GAUSSIAN, PHOTONS])
def test_the_better_model_wins(noise):
    images = [noisy_image(noise)]
    worse, gray = denoiser(weakened(0.8)), denoiser(GRAY)
    better = compare_models(worse, gray, images)
    assert better.accepted
    assert better.is_clear
    assert better.gain > 0.3
    rejected = compare_models(gray, worse, images)
    assert not rejected.accepted
    assert rejected.t == pytest.approx(-better.t, rel=0.2)
    assert rejected.gain < -0.3


@pytest.mark.parametrize("noise", [GAUSSIAN, PHOTONS])
def test_the_gain_is_that_with_clean_images(noise):
    images = [noisy_image(noise, seed) for seed in range(4)]
    models = denoiser(weakened(0.8)), denoiser(GRAY)
    verdict = compare_models(*models, images)
    clean = CLEAN if noise is GAUSSIAN else CLEAN / 20
    errors = [
        np.mean(
            [
                np.square(
                    _denoise(
                        image.pixels.astype(np.float32), each, noise, image.options
                    )
                    - clean
                )
                for image in images
            ]
        )
        for each in models
    ]
    # The parts that are compared have a quarter more noise.
    assert verdict.gain == pytest.approx(10 * np.log10(errors[0] / errors[1]), abs=0.6)


@pytest.mark.parametrize(
    ("t", "accepted", "clear"),
    [(-1.1, True, True), (-0.1, True, False), (0.9, True, False), (1.1, False, False)],
)
def test_a_model_is_accepted_unless_it_is_clearly_worse(t, accepted, clear):
    verdict = Verdict(0.1, t)
    assert (verdict.accepted, verdict.is_clear) == (accepted, clear)


def test_a_model_is_not_better_than_itself():
    verdict = compare_models(denoiser(GRAY), denoiser(GRAY), [noisy_image(GAUSSIAN)])
    assert verdict.t == 0.0
    assert verdict.gain == 0.0
    assert not verdict.is_clear


def test_pixels_without_data_do_not_count():
    image = noisy_image(GAUSSIAN, no_data=-9999.0)
    image.pixels[:50, :70] = -9999.0
    image.pixels[100, 100] = np.nan
    verdict = compare_models(denoiser(weakened(0.8)), denoiser(GRAY), [image])
    assert verdict.accepted


def test_too_few_pixels_are_no_evidence():
    image = noisy_image(GAUSSIAN)
    small = replace(image, pixels=image.pixels[:32, :24])
    verdict = compare_models(denoiser(weakened(0.5)), denoiser(GRAY), [small])
    assert np.isnan(verdict.t)
    assert not verdict.accepted
    assert not compare_models(denoiser(GRAY), denoiser(GRAY), []).accepted


def test_the_seed_decides():
    models = denoiser(weakened(0.8)), denoiser(GRAY)
    images = [noisy_image(GAUSSIAN)]
    verdict = compare_models(*models, images, seed=5)
    assert verdict == compare_models(*models, images, seed=5)
    assert verdict != compare_models(*models, images, seed=6)


@pytest.mark.parametrize(
    "noise",
    [
        GAUSSIAN,
        NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=30.0),
        NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=-30.0),
    ],
)
def test_what_is_added_has_a_share_of_the_noise(noise):
    clean = torch.full((1, 1, 400, 400), 60.0, dtype=torch.float64)
    added = draw_split(clean, noise, torch.Generator().manual_seed(0))
    variance = float(noise.variance(np.array(60.0)))
    assert float(added.var()) == pytest.approx(SHARE * variance, rel=0.03)
    assert float(added.mean()) == pytest.approx(0.0, abs=0.1)


def test_photons_are_added_as_photons():
    clean = torch.full((1, 1, 400, 400), 4.0, dtype=torch.float64)
    added = draw_split(clean, PHOTONS, torch.Generator().manual_seed(0))
    # That of a quarter of 4 photons: third moment and variance are both 1.
    assert float((added**3).mean()) == pytest.approx(1.0, rel=0.1)


def test_verdicts_are_described():
    assert str(Verdict(0.314, -4.21)) == "estimated gain +0.31 dB, 4.2 standard errors"
    nan = float("nan")
    assert str(Verdict(nan, 1.0)) == "estimated gain unknown, 1.0 standard errors"
    assert str(Verdict(nan, nan)) == "estimated gain unknown"


def test_surroundings_do_not_count():
    image = noisy_image(GAUSSIAN)
    inner = slice(32, 128), slice(0, 64)
    part = replace(image, inner=inner)
    models = denoiser(weakened(0.8)), denoiser(GRAY)
    verdict = compare_models(*models, [part])
    # Unknown pixels of the surroundings change next to nothing.
    part.pixels[:, 96:] = np.nan
    assert verdict.accepted
    assert compare_models(*models, [part]).gain == pytest.approx(verdict.gain, abs=0.2)
