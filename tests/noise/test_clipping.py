"""The bias of noise that is clipped at the bounds of the range is undone."""

import numpy as np
import pytest
from skimage.data import camera

from napari_denoise_ae import NoiseEstimate
from napari_denoise_ae.noise.clipping import find_bounds, undo_clipping

CAMERA = camera().astype(np.float64)
CONTRAST = 1.4 * (CAMERA - 40)


def clipped(clean, sigma):
    noise = np.random.default_rng(0).normal(0, sigma, clean.shape)
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [15, 25, 50])
def test_the_bounds_of_clipped_noise_are_found(sigma):
    low, high = find_bounds([clipped(CONTRAST, sigma)[..., np.newaxis]])
    assert low == 0
    assert high == 255


def test_noise_that_is_not_clipped_has_no_bounds():
    noisy = CAMERA + np.random.default_rng(0).normal(0, 25, CAMERA.shape)
    assert find_bounds([noisy[..., np.newaxis]]) == (None, None)


@pytest.mark.parametrize("peak", [1, 4, 20])
def test_zeros_of_photon_counts_are_not_a_bound(peak):
    counts = np.random.default_rng(0).poisson(CAMERA / 255 * peak)
    assert find_bounds([counts[..., np.newaxis]])[0] is None


def test_an_empty_image_has_no_bounds():
    assert find_bounds([np.full((9, 9, 1), np.nan)]) == (None, None)


@pytest.mark.parametrize("clean", [0.0, 5.0, 20.0, 60.0, 200.0, 250.0, 255.0])
@pytest.mark.parametrize(
    "noise",
    [
        NoiseEstimate(sigma=20.0, bounds=(0.0, 255.0)),
        NoiseEstimate(
            kind="poisson-gaussian",
            gain=1.0,
            offset_variance=200.0,
            bounds=(0.0, 255.0),
        ),
    ],
)
def test_the_mean_of_clipped_noise_becomes_the_clean_value(clean, noise):
    sigma = noise.sigma or np.sqrt(clean + 200)
    values = np.random.default_rng(0).normal(clean, sigma, 200_000)
    mean = np.clip(values, 0, 255).mean()
    corrected = undo_clipping(np.array([mean, np.nan]), noise, 1.0)
    assert corrected[0] == pytest.approx(clean, abs=0.6)
    assert np.isnan(corrected[1])


def test_values_far_from_the_bounds_are_unchanged():
    noise = NoiseEstimate(sigma=10.0, bounds=(0.0, 255.0))
    values = np.linspace(51, 204, 50)
    np.testing.assert_array_equal(undo_clipping(values, noise, 1.0), values)


def test_only_the_bounds_that_were_found_are_corrected():
    values = np.linspace(-20, 300, 50)
    for noise in (NoiseEstimate(sigma=10.0), NoiseEstimate(bounds=(0.0, 255.0))):
        np.testing.assert_array_equal(undo_clipping(values, noise, 1.0), values)
    upper = undo_clipping(values, NoiseEstimate(sigma=9.0, bounds=(None, 255.0)), 1.0)
    np.testing.assert_array_equal(upper[values < 200], values[values < 200])
    assert upper.max() == 255


def test_the_correction_is_smaller_if_less_noise_was_removed():
    noise, values = NoiseEstimate(sigma=10.0, bounds=(0.0, None)), np.array([6.0])
    full, half = (undo_clipping(values, noise, strength) for strength in (1.0, 0.5))
    assert half == pytest.approx((values + full) / 2)
