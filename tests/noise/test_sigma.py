from __future__ import annotations

import math

import numpy as np
import pytest
from synthetic import smooth_photo

from napari_denoise_ae.noise.patches import patches_of_channels
from napari_denoise_ae.noise.sigma import estimate_sigma_of_windows
from napari_denoise_ae.noise.spectrum import (
    high_frequency_variances,
    low_frequency_energy,
    smoothest,
)
from napari_denoise_ae.noise.wavelet import wavelet_sigma_of_windows
from napari_denoise_ae.noise.windows import noise_windows


def noisy_photo(*shape: int, sigma: float = 0.1) -> np.ndarray:
    clean = smooth_photo(*shape)
    return clean + np.random.default_rng(0).normal(0, sigma, clean.shape)


def textured_photo(sigma: float) -> np.ndarray:
    """Noisy image, range 0 to 255, with fine stripes in two thirds of its rows."""
    y, x = np.mgrid[:192, :192]
    clean = 100 + 0.3 * x + np.where(y < 128, 40 * np.sin(2.1 * x + 1.9 * y), 0)
    return (clean + np.random.default_rng(0).normal(0, sigma, clean.shape))[..., None]


@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("shape", [(64, 64), (32, 200), (700, 600)])
def test_known_noise_is_recovered(shape, sigma):
    noisy = noisy_photo(*shape, sigma=sigma)
    windows = [noisy[window] for window in noise_windows(shape)]
    assert estimate_sigma_of_windows(windows) == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize("sigma", [5.0, 15.0])
def test_texture_is_not_mistaken_for_noise(sigma):
    windows = [textured_photo(sigma)]
    assert wavelet_sigma_of_windows(windows) > 1.2 * sigma
    assert estimate_sigma_of_windows(windows) == pytest.approx(sigma, rel=0.05)


def test_a_small_flat_image_has_an_estimate():
    flat = np.random.default_rng(0).normal(7, 3, (32, 32, 1))
    assert estimate_sigma_of_windows([flat]) == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize(("factor", "shift"), [(1000, 0), (1, -500), (0.001, 3)])
def test_the_estimate_is_in_the_units_of_the_image(factor, shift):
    noisy = noisy_photo(96, 80)
    expected = factor * estimate_sigma_of_windows([noisy])
    moved = estimate_sigma_of_windows([factor * noisy + shift])
    assert moved == pytest.approx(expected, rel=1e-6)


def test_the_negative_of_an_image_has_the_same_noise():
    noisy = noisy_photo(96, 80)
    expected = estimate_sigma_of_windows([noisy])
    assert estimate_sigma_of_windows([-noisy]) == pytest.approx(expected, rel=0.01)


def test_variances_of_colors_are_averaged():
    sigmas = np.array([0.05, 0.1, 0.3])
    clean = smooth_photo(128, 128, 3)
    noisy = clean + sigmas * np.random.default_rng(0).normal(size=clean.shape)
    expected = np.sqrt(np.mean(sigmas**2))
    assert estimate_sigma_of_windows([noisy]) == pytest.approx(expected, rel=0.05)


def test_a_saturated_half_is_ignored():
    noisy = np.random.default_rng(0).normal(100, 25, (128, 128, 1))
    noisy[:, :64] = 0
    noisy = np.maximum(noisy, 0)
    assert estimate_sigma_of_windows([noisy]) == pytest.approx(25, rel=0.05)


def test_clipped_noise_is_ignored():
    """A gradient from black to white, clipped in its dark and its bright fifth."""
    clean = np.tile(np.linspace(0, 255, 256), (128, 1))[..., None]
    noisy = clean + np.random.default_rng(0).normal(0, 25, clean.shape)
    pictured = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    assert estimate_sigma_of_windows([pictured]) == pytest.approx(25, rel=0.05)


def test_zeros_of_photon_counts_do_not_count_as_clipping():
    counts = np.random.default_rng(0).poisson(1.0, (128, 128, 1))
    assert estimate_sigma_of_windows([counts]) == pytest.approx(1, rel=0.05)


def test_the_noise_of_stabilized_sparse_counts_is_recovered():
    """Few distinct values, all frequent: a median of wavelet coefficients fails."""
    counts = np.random.default_rng(0).poisson(0.2, (128, 128, 1))
    stabilized = 2 * np.sqrt(counts + 3 / 8)
    true = stabilized.std()
    assert wavelet_sigma_of_windows([stabilized]) < 0.85 * true
    assert estimate_sigma_of_windows([stabilized]) == pytest.approx(true, rel=0.05)


def test_photon_counts_on_a_dark_background_have_an_intermediate_level():
    """One half has almost no photons and no noise, the other a variance of 4."""
    mean = np.full((128, 128, 1), 4.0)
    mean[:, :64] = 0.01
    counts = np.random.default_rng(0).poisson(mean)
    assert estimate_sigma_of_windows([counts]) == pytest.approx(2**0.5, rel=0.1)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_patches_with_nan_or_infinity_are_skipped(hole):
    noisy = noisy_photo(128, 128)
    noisy[20:40, 20:40] = hole
    assert estimate_sigma_of_windows([noisy]) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1, 1)),
        np.random.default_rng(0).random((7, 100, 1)),
        np.full((16, 16, 1), 3.0),
        np.full((16, 16, 3), np.nan),
        np.full((16, 16, 1), np.inf),
        np.empty((0, 16, 1)),
    ],
)
def test_the_estimate_is_nan_without_usable_patches(image):
    assert math.isnan(estimate_sigma_of_windows([image]))


def test_the_estimate_is_nan_without_windows():
    assert math.isnan(estimate_sigma_of_windows([]))


def test_the_image_is_not_modified():
    noisy = noisy_photo(64, 64)
    before = noisy.copy()
    estimate_sigma_of_windows([noisy])
    np.testing.assert_array_equal(noisy, before)


def test_the_number_of_patches_is_limited():
    (patches,) = patches_of_channels([np.random.default_rng(0).random((512, 512, 1))])
    assert 10_000 < len(patches) <= 16_384


def test_all_frequencies_together_have_the_variation_of_a_patch():
    patch = np.random.default_rng(0).random((1, 64))
    low, high = low_frequency_energy(patch), high_frequency_variances(patch)
    assert len(high) == 64 - 27 - 1
    assert low.sum() + high.sum() == pytest.approx(64 * patch.var())


def test_a_gradient_is_structure_and_a_checkerboard_is_not():
    y, x = np.mgrid[:8, :8]
    slope, board = (x + 2.0 * y).reshape(1, -1), ((x + y) % 2.0).reshape(1, -1)
    assert low_frequency_energy(slope) > 50 * high_frequency_variances(slope).sum()
    assert high_frequency_variances(board).sum() > low_frequency_energy(board)


def test_the_smoothest_are_a_fraction_but_at_least_a_minimum():
    energies = np.arange(100.0)[::-1]
    assert list(smoothest(energies, 0.03, 2)) == [99, 98, 97]
    assert len(smoothest(energies, 0.03, 10)) == 10
    assert len(smoothest(energies, 0.03, 1000)) == 100
