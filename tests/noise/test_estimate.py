"""`estimate_noise` returns the noise level that `denoise` uses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.data import camera

from napari_denoise_ae import add_noise, estimate_noise, load_checkpoint
from napari_denoise_ae.denoising.model_ranges import find_model_ranges
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.planes import ArrayPlanes

NOISY = add_noise(camera()[100:260, 100:292], "gaussian:0.1", rng=1)


def sigmas_of_denoising(image, axes):
    """Return the noise levels that `denoise` passes to a built-in model."""
    planes = ArrayPlanes.of(image, axes)
    ranges = find_model_ranges(
        planes, load_checkpoint("gray"), DenoiseOptions(noise_type="gaussian")
    )
    return [each.sigma for each in ranges.ranges]


@pytest.mark.parametrize(
    ("image", "axes"),
    [
        (NOISY, "YX"),
        (NOISY.T, "XY"),
        (np.stack([NOISY] * 2 + [NOISY // 2], axis=-1), "YXS"),
        (np.stack([NOISY, NOISY // 2, NOISY // 3, NOISY]), "TYX"),
        (np.pad(NOISY.astype(float), 300, "reflect"), "YX"),
    ],
)
def test_the_estimate_equals_that_of_denoising(image, axes):
    assert [estimate_noise(image, axes=axes)] == sigmas_of_denoising(image, axes)


def test_the_estimate_of_several_channels_is_their_median():
    image = np.stack([NOISY, 3.0 * NOISY, 1000.0 * NOISY])
    expected = 3.0 * estimate_noise(NOISY)
    assert estimate_noise(image, axes="CYX") == pytest.approx(expected)
    levels = sigmas_of_denoising(image, "CYX")
    assert estimate_noise(image, axes="CYX") == np.median(levels)


@pytest.mark.parametrize(("factor", "shift"), [(1000, 0), (1, -500), (0.001, 3)])
def test_the_estimate_is_in_the_units_of_the_image(factor, shift):
    expected = factor * estimate_noise(NOISY)
    image = factor * NOISY.astype(np.float64) + shift
    assert estimate_noise(image) == pytest.approx(expected, rel=1e-6)


def test_the_level_of_added_noise_is_found():
    clean = np.full((128, 128), 1000.0)
    noisy = add_noise(clean, "gaussian:0.1,unclipped", intensity_range=(0, 400))
    assert estimate_noise(noisy) == pytest.approx(40, rel=0.03)


@pytest.mark.parametrize(
    "image", [np.full((16, 16), 3.0), np.diag([np.nan] * 16), NOISY[:7]]
)
def test_images_without_measurable_noise_give_nan(image):
    assert math.isnan(estimate_noise(image))


def test_unknown_axes_must_be_given():
    with pytest.raises(InvalidInputError, match="axes"):
        estimate_noise(np.stack([NOISY, NOISY]))
