from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity
from synthetic import smooth_photo

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.evaluation.metrics import (
    psnr,
    psnr_per_image,
    ssim,
    ssim_per_image,
)


def noisy_pair(*shape: int, sigma: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    clean = smooth_photo(*shape)
    return clean, clean + np.random.default_rng(0).normal(0, sigma, clean.shape)


@pytest.mark.parametrize("data_range", [1.0, 255.0, 4095.0])
def test_psnr_equals_a_value_computed_by_hand(data_range):
    true = np.array([[0, 0], [0, 0]], dtype=np.uint8)
    test = np.array([[3, 0], [0, 4]], dtype=np.uint8)  # mean square 6.25
    expected = 10 * math.log10(data_range**2 / 6.25)
    assert psnr(true, test, data_range=data_range) == pytest.approx(expected)
    assert psnr(test, true, data_range=data_range) == pytest.approx(expected)


def test_psnr_of_equal_images_is_infinite():
    image = np.ones((3, 3))
    assert psnr(image, image.copy(), data_range=1) == math.inf


def test_psnr_of_integers_does_not_overflow():
    true, test = np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)
    assert psnr(true, test, data_range=255) == pytest.approx(0)


def test_ssim_equals_that_of_scikit_image():
    clean, noisy = noisy_pair(32, 40)
    expected = structural_similarity(clean, noisy, data_range=1.0, channel_axis=-1)
    assert ssim(clean, noisy, data_range=1, channel_axis=-1) == pytest.approx(expected)
    gray = structural_similarity(clean[..., 0], noisy[..., 0], data_range=2.0)
    assert ssim(clean[..., 0], noisy[..., 0], data_range=2) == pytest.approx(gray)


def test_ssim_of_equal_images_is_one():
    image = smooth_photo(16, 16, 1)[..., 0]
    assert ssim(image, image.copy(), data_range=1) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(1, 1), (6, 100), (100, 6)])
def test_ssim_of_an_image_smaller_than_the_window_is_nan(shape):
    assert math.isnan(ssim(np.zeros(shape), np.ones(shape), data_range=1))


def test_ssim_window_may_exceed_the_number_of_channels():
    image = smooth_photo(7, 7, 3)
    assert ssim(image, image, data_range=1, channel_axis=-1) == pytest.approx(1)


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize("data_range", [0, -1, math.nan, math.inf])
def test_invalid_data_range_is_rejected(metric, data_range):
    with pytest.raises(InvalidInputError, match="data_range"):
        metric(np.zeros((9, 9)), np.ones((9, 9)), data_range=data_range)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_images_of_different_shapes_are_rejected(metric):
    with pytest.raises(InvalidInputError, match=r"\(9, 9\) and \(9, 1\)"):
        metric(np.zeros((9, 9)), np.ones((9, 1)), data_range=1)


def test_inputs_are_not_modified():
    clean, noisy = noisy_pair(32, 32)
    before = clean.copy(), noisy.copy()
    psnr(clean, noisy, data_range=1)
    ssim(clean, noisy, data_range=1, channel_axis=-1)
    np.testing.assert_array_equal(clean, before[0])
    np.testing.assert_array_equal(noisy, before[1])


def test_batch_metrics_equal_those_of_single_images():
    rng = np.random.default_rng(0)
    true = rng.random((5, 20, 24, 3)) * 255
    test = np.clip(true + rng.normal(0, 30, true.shape), 0, 255)
    psnrs = [psnr(a, b, data_range=255) for a, b in zip(true, test, strict=True)]
    ssims = [
        ssim(a, b, data_range=255, channel_axis=-1)
        for a, b in zip(true, test, strict=True)
    ]
    np.testing.assert_allclose(psnr_per_image(true, test, data_range=255), psnrs)
    np.testing.assert_allclose(ssim_per_image(true, test, data_range=255), ssims)


def test_batch_metrics_of_equal_images():
    images = np.random.default_rng(0).random((2, 8, 8, 1))
    assert np.isinf(psnr_per_image(images, images, data_range=1)).all()
    np.testing.assert_allclose(ssim_per_image(images, images, data_range=1), 1)


@pytest.mark.parametrize("metric", [psnr_per_image, ssim_per_image])
def test_batches_of_different_shapes_are_rejected(metric):
    with pytest.raises(InvalidInputError, match="same shape"):
        metric(np.zeros((2, 8, 8, 3)), np.zeros((3, 8, 8, 3)), data_range=1)
