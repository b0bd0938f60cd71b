from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift
from skimage.data import camera

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate
from napari_denoise_ae.training.motion import compare_frames, require_static

CLEAN = camera()[100:260, 100:292].astype(np.float64)
NAMES = ("frame 1", "frame 2")
NOISE = NoiseEstimate(sigma=10.0)
PHOTONS = NoiseEstimate(kind="poisson-gaussian", gain=2.0, offset_variance=0.0)


def gaussian(seed, clean=CLEAN):
    return clean + 10.0 * np.random.default_rng(seed).standard_normal(clean.shape)


def photons(seed, clean=CLEAN):
    return 2.0 * np.random.default_rng(seed).poisson(clean / 40)


@pytest.mark.parametrize(
    ("make", "noise"),
    [(gaussian, NOISE), (photons, PHOTONS)],
)
def test_static_repeats_differ_by_their_noise(make, noise):
    found = compare_frames(make(0), make(1), noise)
    assert found.typical == pytest.approx(1.0, abs=0.05)
    assert found.largest < 1.8
    require_static(make(0), make(1), noise, NAMES)


def test_correlated_noise_is_no_motion():
    def make(seed):
        white = np.random.default_rng(seed).standard_normal(CLEAN.shape)
        blurred = gaussian_filter(white, 1.0)
        return CLEAN + 10.0 * blurred / blurred.std()

    noise = NoiseEstimate(sigma=10.0, correlation=(0.78, 0.78))
    found = compare_frames(make(0), make(1), noise)
    assert found.typical == pytest.approx(1.0, abs=0.1)
    require_static(make(0), make(1), noise, NAMES)


def test_motion_is_refused_with_its_size_and_place():
    moved = CLEAN.copy()
    moved[64:96, 32:80] = shift(CLEAN, (0, 2), mode="nearest")[64:96, 32:80]
    with pytest.raises(DatasetError) as error:
        require_static(gaussian(0), gaussian(1, moved), NOISE, NAMES)
    text = str(error.value)
    assert "frame 1 and frame 2 differ by" in text
    found = compare_frames(gaussian(0), gaussian(1, moved), NOISE)
    assert f"{found.largest:.1f} times the noise" in text
    assert 64 <= found.row < 96
    assert 32 <= found.column < 80


def test_a_shift_of_half_a_pixel_is_found():
    moved = shift(CLEAN, (0, 0.5), mode="nearest")
    with pytest.raises(DatasetError, match="something moves"):
        require_static(gaussian(0), gaussian(1, moved), NOISE, NAMES)


def test_bleaching_is_found():
    with pytest.raises(DatasetError, match="changes its brightness"):
        require_static(gaussian(0), gaussian(1, 0.8 * CLEAN), NOISE, NAMES)


def test_the_same_frame_is_refused():
    with pytest.raises(DatasetError, match="frame 1 and frame 2 are the same image"):
        require_static(gaussian(0), gaussian(0), NOISE, NAMES)
    with_nan = gaussian(0)
    with_nan[0, 0] = np.nan
    with pytest.raises(DatasetError, match="the same image"):
        require_static(with_nan, with_nan.copy(), NOISE, NAMES)


def test_frames_that_share_noise_are_refused():
    average = 0.9 * gaussian(0) + 0.1 * gaussian(1)
    with pytest.raises(DatasetError, match="they share it"):
        require_static(gaussian(0), average, NOISE, NAMES)


def test_pixels_without_data_are_skipped():
    first, second = gaussian(0), gaussian(1)
    first[:40, :40], second[60:, 100:] = np.nan, np.nan
    found = compare_frames(first, second, NOISE)
    assert found.typical == pytest.approx(1.0, abs=0.05)


def test_nothing_can_be_said_of_tiny_frames_or_without_noise():
    first, second = gaussian(0), gaussian(1)
    assert compare_frames(first[:20, :20], second[:20, :20], NOISE) is None
    assert compare_frames(first, second, NoiseEstimate()) is None
