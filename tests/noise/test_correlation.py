"""Noise that neighboring pixels share is detected and measured."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.data import astronaut, camera, coffee

from napari_denoise_ae.noise.correlation import (
    find_white_lattice,
    measure_correlation,
    spectral_ratio,
    sublattices,
)
from napari_denoise_ae.noise.patches import patches_of_channels

CAMERA = camera().astype(np.float64)


def blurred(shape, blur, seed=0):
    """Return noise of standard deviation 1 that is blurred along Y and X."""
    noise = np.random.default_rng(seed).normal(0, 1, shape)
    noise = gaussian_filter(noise, blur, mode="wrap")
    return noise / noise.std()


def theory(blur):
    """Return the correlation of neighbors in noise blurred by a Gaussian."""
    return np.exp(-1 / (4 * blur**2))


@pytest.mark.parametrize("sigma", [5, 15, 25, 50, 75])
def test_white_noise_is_not_taken_for_correlated(sigma):
    rng = np.random.default_rng(sigma)
    for clean in (CAMERA, astronaut()[..., 1].astype(float), np.full((256, 256), 9.0)):
        noisy = clean + rng.normal(0, sigma, clean.shape)
        assert find_white_lattice([noisy[..., np.newaxis]]).stride == 1


@pytest.mark.parametrize("peak", [1, 4, 20, 100])
def test_photon_counts_are_not_taken_for_correlated(peak):
    counts = np.random.default_rng(peak).poisson(CAMERA / 255 * peak)
    assert find_white_lattice([counts[..., np.newaxis]]).stride == 1


@pytest.mark.parametrize("blur", [0.5, 0.7, 1.0, (0, 1.0), (1.0, 0)])
def test_correlated_noise_is_white_on_a_sublattice(blur):
    noisy = CAMERA + 25 * blurred(CAMERA.shape, blur)
    lattice = find_white_lattice([noisy[..., np.newaxis]])
    assert lattice.stride > 1
    assert lattice.is_white
    ratio = spectral_ratio(np.concatenate(patches_of_channels(lattice.windows)))
    assert ratio == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("blur", "x", "y"),
    [
        (0.7, theory(0.7), theory(0.7)),
        (1.0, theory(1.0), theory(1.0)),
        ((0, 1.0), theory(1.0), 0.0),
        ((1.0, 0), 0.0, theory(1.0)),
    ],
)
def test_the_correlation_of_neighbors_is_measured(blur, x, y):
    flat = np.full((300, 300), 100.0) + 7 * blurred((300, 300), blur)
    found = measure_correlation([flat[..., np.newaxis]], 7.0)
    assert found.correlation == pytest.approx((x, y), abs=0.05)
    assert found.variance > 0.6


def test_nan_does_not_change_the_correlation():
    flat = 7 * blurred((300, 300), 1.0)
    expected = measure_correlation([flat[..., np.newaxis]], 7.0).correlation
    flat[::37, ::41] = np.nan
    found = measure_correlation([flat[..., np.newaxis]], 7.0)
    assert found.correlation == pytest.approx(expected, abs=0.05)


def test_tiny_and_empty_regions_have_no_correlation():
    assert measure_correlation([np.zeros((9, 9, 1))], 1.0) is None
    assert measure_correlation([np.full((20, 20, 1), np.nan)], 1.0) is None
    assert find_white_lattice([np.zeros((4, 4, 1))]).stride == 1


def test_sublattices_hold_every_nth_pixel():
    window = np.arange(36.0).reshape(6, 6, 1)
    parts = sublattices([window], 2)
    assert len(parts) == 4
    np.testing.assert_array_equal(parts[3][..., 0], window[1::2, 1::2, 0])


def test_structure_is_absent_from_flat_regions():
    found = measure_correlation([CAMERA[..., np.newaxis]], CAMERA.std() / 4)
    assert found.variance < 0.1


def test_clipped_regions_are_left_out():
    flat = 7 * blurred((300, 300), 1.0)
    flat[:, :150] = 30.0
    clipped = flat == 30.0
    found = measure_correlation(
        [flat[..., np.newaxis]], 7.0, [clipped[..., np.newaxis]]
    )
    assert found.correlation == pytest.approx((theory(1.0), theory(1.0)), abs=0.06)


def test_colors_are_measured_together():
    noise = np.stack([blurred((256, 256), 0.8, seed) for seed in range(3)], axis=-1)
    noisy = coffee()[:256, :256] + 20 * noise
    assert find_white_lattice([noisy]).stride > 1
