"""Values that mean no data are found, and no others."""

import numpy as np
import pytest
from skimage.data import camera

from napari_denoise_ae.noise.no_data import find_no_data

CAMERA = camera().astype(np.float64)


def noisy():
    return 100 + CAMERA + np.random.default_rng(0).normal(0, 10, CAMERA.shape)


@pytest.mark.parametrize("value", [-9999, 65535, 0])
def test_padding_means_no_data(value):
    image = np.rint(noisy()).astype(np.int32)
    image[:25] = value
    assert find_no_data([image[..., np.newaxis]]) == value


def test_padding_with_a_value_inside_the_range_means_no_data():
    image = noisy()
    image[:25] = 150.0
    assert find_no_data([image[..., np.newaxis]]) == 150


def test_scattered_values_far_from_all_others_mean_no_data():
    image = noisy()
    image[np.random.default_rng(0).random(image.shape) < 0.01] = -9999
    assert find_no_data([image[..., np.newaxis]]) == -9999


@pytest.mark.parametrize("peak", [0.1, 0.5, 2, 20])
def test_zeros_of_photon_counts_are_data(peak):
    counts = np.random.default_rng(0).poisson(CAMERA / 255 * peak).astype(np.uint16)
    assert find_no_data([counts[..., np.newaxis]]) is None


@pytest.mark.parametrize("sigma", [0, 5, 25, 60])
def test_the_ends_of_a_clipped_range_are_data(sigma):
    image = 1.4 * (CAMERA - 40) + np.random.default_rng(0).normal(0, sigma, (512, 512))
    clipped = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    assert find_no_data([clipped[..., np.newaxis]]) is None


def test_images_of_few_values_are_data():
    binary = np.where(CAMERA > 128, 255, 0).astype(np.uint8)[..., np.newaxis]
    assert find_no_data([binary]) is None
    assert find_no_data([np.full((20, 20, 1), 7)]) is None
    assert find_no_data([np.full((20, 20, 1), np.nan)]) is None
    assert find_no_data([np.ones((1, 1, 1))]) is None
