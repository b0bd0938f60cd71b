"""The noise level is estimated from wavelets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from synthetic import smooth_photo

from napari_denoise_ae.noise.wavelet import wavelet_sigma


def noisy_pair(*shape: int, sigma: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    clean = smooth_photo(*shape)
    return clean, clean + np.random.default_rng(0).normal(0, sigma, clean.shape)


@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("shape", [(64, 64), (32, 200), (700, 600)])
def test_known_noise_is_estimated(shape, sigma):
    """The 700 x 600 image is measured in windows, the others as a whole."""
    _, noisy = noisy_pair(*shape, sigma=sigma)
    assert wavelet_sigma(noisy, channel_axis=-1) == pytest.approx(sigma, rel=0.1)
    assert wavelet_sigma(noisy[..., 0]) == pytest.approx(sigma, rel=0.1)


def test_estimate_accepts_any_channel_axis():
    _, noisy = noisy_pair(64, 64)
    expected = wavelet_sigma(noisy, channel_axis=-1)
    assert wavelet_sigma(np.moveaxis(noisy, -1, 0), channel_axis=0) == expected


def test_estimate_is_in_the_units_of_the_image():
    _, noisy = noisy_pair(64, 64)
    counts = np.rint(1000 * noisy).astype(np.int32)
    expected = 1000 * wavelet_sigma(noisy, channel_axis=-1)
    assert wavelet_sigma(counts, channel_axis=-1) == pytest.approx(expected, rel=0.01)


def test_estimate_for_a_clean_image_is_close_to_0():
    assert wavelet_sigma(smooth_photo(), channel_axis=-1) < 0.01


def test_estimate_ignores_windows_with_nan():
    _, noisy = noisy_pair(700, 600)
    noisy[100:110, 100:110] = np.nan
    assert wavelet_sigma(noisy, channel_axis=-1) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1)),
        np.random.default_rng(0).random((7, 100)),
        np.full((16, 16), 3.0),
        np.full((16, 16), np.nan),
        np.full((16, 16), np.inf),
    ],
)
def test_estimate_is_nan_if_there_is_too_little_data(image):
    assert math.isnan(wavelet_sigma(image))


def test_constant_squares_cause_no_warning():
    image = np.kron(np.arange(4.0).reshape(2, 2), np.ones((8, 8)))
    assert not wavelet_sigma(image) > 0.5


def test_the_image_is_not_modified():
    _, noisy = noisy_pair(32, 32)
    before = noisy.copy()
    wavelet_sigma(noisy, channel_axis=-1)
    np.testing.assert_array_equal(noisy, before)


@pytest.mark.parametrize("sigma", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("shape", [(8, 8), (9, 40), (64, 65)])
def test_the_estimate_equals_that_of_scikit_image(shape, sigma):
    from skimage.restoration import estimate_sigma

    image = smooth_photo(*shape)[..., 0]
    image += np.random.default_rng(0).normal(0, sigma, shape)
    assert wavelet_sigma(image) == estimate_sigma(image)
