"""Hot pixels and pixels without data are found, and nothing else."""

import numpy as np
import pytest
import torch
from skimage.data import camera

from napari_denoise_ae.noise.anscombe import anscombe
from napari_denoise_ae.noise.curve import NoiseCurve
from napari_denoise_ae.noise.outliers import (
    FILL_RADIUS,
    fill_unknown,
    find_hot,
    remove_outliers,
)


def hot_pixels(image: np.ndarray, sigma: float) -> np.ndarray:
    """Return the mask of `find_hot` for (Y, X), the same as array and as tensor."""
    values = image[..., np.newaxis]
    found, again = (find_hot(each, sigma) for each in (values, torch.tensor(values)))
    if found is None:
        assert again is None
        return np.zeros(image.shape, dtype=bool)
    np.testing.assert_array_equal(again, found)
    return found[..., 0]


CAMERA = camera().astype(np.float64)


def noisy(sigma=10.0, seed=0):
    return 100 + CAMERA + np.random.default_rng(seed).normal(0, sigma, CAMERA.shape)


# --- hot pixels


@pytest.mark.parametrize("sigma", [10, 25, 75])
def test_white_noise_has_no_hot_pixels(sigma):
    assert hot_pixels(noisy(sigma), sigma).mean() < 1e-4


@pytest.mark.parametrize("peak", [1, 4, 20, 100])
def test_photon_counts_have_no_hot_pixels(peak):
    counts = np.random.default_rng(peak).poisson(CAMERA / 255 * peak)
    assert hot_pixels(anscombe(counts, NoiseCurve(1.0, 0.0)), 1.0).mean() < 1e-4
    assert np.isnan(remove_outliers([counts[..., np.newaxis]], None)[0]).mean() < 2e-4


@pytest.mark.parametrize("value", [4095.0, -3000.0])
def test_hot_and_dead_pixels_are_found(value):
    image = noisy()
    where = np.random.default_rng(1).random(image.shape) < 1e-3
    image[where] = value
    found = hot_pixels(image, 10.0)
    assert found[where].mean() > 0.99
    assert found[~where].mean() < 1e-4


def test_hot_neighbors_and_hot_pixels_at_the_corner_are_found():
    image = noisy()
    image[0, 0] = image[511, 511] = 4095
    image[60, 70:72] = image[80:82, 90] = 4095
    found = hot_pixels(image, 10.0)
    assert found[image == 4095].all()


@pytest.mark.parametrize("n_values", [1, 512, 5 * 512, 511 * 512])
def test_hot_pixels_are_the_same_in_strips(n_values, monkeypatch):
    image = noisy()
    image[np.random.default_rng(2).random(image.shape) < 1e-2] = 4095
    image[100:110, 50] = np.nan
    expected = hot_pixels(image, 10.0)
    monkeypatch.setattr("napari_denoise_ae.noise.outliers._STRIP", n_values)
    np.testing.assert_array_equal(hot_pixels(image, 10.0), expected)


def test_a_small_object_is_not_hot():
    image = noisy()
    image[100:103, 100:103] += 4000
    assert not hot_pixels(image, 10.0)[98:105, 98:105].any()


def test_a_line_and_an_edge_are_not_hot():
    image = noisy()
    image[50] += 4000
    image[200:, 200:] += 4000
    assert hot_pixels(image, 10.0).mean() < 1e-4


# --- replacement


def test_what_is_removed_is_nan():
    image = noisy()
    image[:5], image[100, 100] = -9999, 4095
    (known,) = remove_outliers([image[..., np.newaxis]], -9999.0)
    assert np.isnan(known[:5]).all()
    assert np.isnan(known[100, 100])
    assert np.isnan(known[5:]).sum() < 20


def test_unknown_pixels_become_the_median_of_their_neighbors():
    values = np.square(np.arange(25.0)).reshape(5, 5, 1)
    unknown = np.zeros((5, 5, 1), dtype=bool)
    unknown[2, 2] = True
    filled = fill_unknown(values, unknown, -1.0)
    neighbors = np.delete(values[1:4, 1:4].ravel(), 4)
    assert filled[2, 2, 0] == np.median(neighbors)
    np.testing.assert_array_equal(filled[~unknown], values[~unknown])


def test_unknown_pixels_far_from_all_others_get_the_default():
    values = np.full((30, 30, 1), 5.0)
    unknown = np.zeros((30, 30, 1), dtype=bool)
    unknown[:, 8:] = True
    filled = fill_unknown(values, unknown, -1.0)[..., 0]
    assert (filled[:, : 9 + FILL_RADIUS] == 5).all()
    assert (filled[:, 9 + FILL_RADIUS :] == -1).all()
