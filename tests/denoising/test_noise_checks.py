"""Settings that do not fit the noise of an image are said in words."""

import warnings

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.data import camera

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.noise_checks import noise_before_and_after
from napari_denoise_ae.errors import DenoiseAEWarning
from napari_denoise_ae.image.intensity import IntensityRange, share_range

CLEAN = camera()[:200, :200].astype(np.float64)


def white(sigma):
    return CLEAN + np.random.default_rng(0).normal(0, sigma, CLEAN.shape)


def counts(peak):
    return np.random.default_rng(0).poisson(CLEAN / 255 * peak)


@pytest.mark.parametrize(
    ("image", "sigma", "message"),
    [
        (white(20) / 255, 20, "sigma of 20 is far above the noise measured in this"),
        (white(20), 60, "sigma of 60 is far above"),
        (white(20), 8, "sigma of 8 is far below the noise measured in this image"),
        (counts(50), 30, "far above .* gain 1"),
        (counts(50), 0.2, "far below"),
    ],
)
def test_a_sigma_far_from_the_measured_noise_causes_a_warning(image, sigma, message):
    with pytest.warns(DenoiseAEWarning, match=message) as warned:
        denoise(image, sigma=sigma)
    assert len(warned) == 1


@pytest.mark.parametrize(
    ("image", "settings"),
    [
        (white(20), {}),
        (white(20), {"sigma": 20}),
        (white(20), {"sigma": 14}),
        (white(20), {"sigma": 30}),
        (white(20), {"sigma": 60, "strength": 0}),
        (counts(50), {}),
        (counts(50), {"sigma": 2}),
        (counts(50), {"sigma": 8}),
        (np.full((50, 50), 3.0), {"sigma": 3}),
    ],
)
def test_fitting_settings_cause_no_warning(image, settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        denoise(image, **settings)


def test_the_channel_with_other_noise_is_named():
    stack = np.stack([white(20), 9 * white(20)])
    with pytest.warns(DenoiseAEWarning, match="in channel 1 of this image") as warned:
        denoise(stack, axes="CYX", sigma=20)
    assert len(warned) == 1


def test_pixels_without_data_are_no_photons():
    image = counts(30)
    image[:30] = -9999
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        denoise(image)


def test_a_run_that_removes_no_noise_causes_a_warning():
    from synthetic import random_checkpoint

    untrained = random_checkpoint(network="unet", in_channels=1)
    with pytest.warns(DenoiseAEWarning, match="about as much noise as before"):
        denoise(white(20), model=untrained)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        denoise(white(20), model=untrained, strength=0.4)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_few_photons_cause_a_warning(dtype):
    with pytest.warns(
        DenoiseAEWarning, match="photons per pixel of this image is about 0"
    ) as warned:
        denoise(counts(1).astype(dtype))
    assert ("float32" in str(warned[0].message)) == (dtype == np.uint16)


# --- the noise before and after


def levels(before, after):
    windows = ([[[image[..., np.newaxis]]]] for image in (before, after))
    return noise_before_and_after(*windows, share_range("YX", IntensityRange(0, 200)))


def test_the_noise_before_and_after_is_in_the_units_of_the_image():
    before, after = levels(white(20), white(5))
    assert before == pytest.approx(20, rel=0.1)
    assert after == pytest.approx(5, rel=0.15)


def test_correlated_noise_is_compared_where_it_is_white():
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(512, 512)), 1.0)
    noise /= noise.std()
    before, after = levels(20 * noise, 10 * noise)
    assert before == pytest.approx(20, rel=0.1)
    assert after == pytest.approx(10, rel=0.1)


def test_unknown_pixels_of_the_image_are_not_compared():
    noisy, denoised = white(20), white(5)
    noisy[:20], denoised[:20] = np.nan, 1e6
    _, after = levels(noisy, denoised)
    assert after == pytest.approx(5, rel=0.15)
