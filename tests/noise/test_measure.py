"""Noise of every kind is measured, and denoising with what was found is the same."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import norm
from skimage.data import astronaut, camera

from napari_denoise_ae import NoiseEstimate, denoise, measure_noise, psnr
from napari_denoise_ae.errors import DenoiseAEWarning, InvalidInputError
from napari_denoise_ae.noise.measure import measure_points, measure_windows
from napari_denoise_ae.noise.setting import NoiseSetting

CAMERA = camera().astype(np.float64)
CROP = CAMERA[100:356, 100:356]


def blurred(shape, blur):
    noise = gaussian_filter(
        np.random.default_rng(0).normal(0, 1, shape), blur, mode="wrap"
    )
    return noise / noise.std()


def white(clean, sigma, seed=0):
    return clean + np.random.default_rng(seed).normal(0, sigma, clean.shape)


# --- what is found


@pytest.mark.parametrize("sigma", [5, 25, 75])
def test_white_noise_has_one_level(sigma):
    found = measure_noise(white(CAMERA, sigma))
    assert found.kind == "gaussian"
    assert found.sigma == pytest.approx(sigma, rel=0.05)
    assert found.correlation == (0.0, 0.0)
    assert found.bounds == (None, None)
    assert found.no_data is None


@pytest.mark.parametrize("peak", [0.5, 1, 4, 20, 100])
def test_noise_of_photon_counts_grows(peak):
    counts = np.random.default_rng(0).poisson(CAMERA / 255 * peak)
    found = measure_noise(counts)
    assert found.kind == "poisson-gaussian"
    assert found.gain == pytest.approx(1, rel=0.2)
    assert found.correlation == (0.0, 0.0)


def test_a_camera_has_gain_and_read_noise():
    photons = np.random.default_rng(0).poisson(CAMERA / 255 * 100)
    found = measure_noise(white(4.0 * photons, 10.0))
    assert found.gain == pytest.approx(4, rel=0.15)
    assert found.offset_variance == pytest.approx(100, abs=60)


@pytest.mark.parametrize(
    ("blur", "x", "y"), [(1.0, 0.78, 0.78), ((0, 1.0), 0.78, 0.0), (0.7, 0.6, 0.6)]
)
def test_correlated_noise_is_measured(blur, x, y):
    found = measure_noise(CAMERA + 25 * blurred(CAMERA.shape, blur))
    assert found.kind == "gaussian"
    assert found.sigma == pytest.approx(25, rel=0.08)
    assert found.correlation == pytest.approx((x, y), abs=0.06)


def test_correlated_noise_may_grow_with_the_intensity():
    clean = CAMERA / 255 * 100
    found = measure_noise(clean + np.sqrt(clean) * blurred(clean.shape, 0.8))
    assert found.kind == "poisson-gaussian"
    assert found.gain == pytest.approx(1, rel=0.2)
    assert min(found.correlation) > 0.5


def test_texture_in_bright_regions_is_no_growth_of_correlated_noise():
    y, x = np.mgrid[:256, :256]
    texture = 30 * np.sin(y / 2) * np.sin(x / 2.3) * x / 256
    found = measure_noise(80 + x / 2 + texture + 25 * blurred(x.shape, 1.5))
    assert found.kind == "gaussian"
    assert found.sigma == pytest.approx(25, rel=0.08)


def test_correlated_noise_is_found_beneath_weak_white_noise():
    noise = 25 * blurred((256, 256), 1.5)
    found = measure_noise(white(100 + noise, 4, seed=1))
    assert found.sigma == pytest.approx(25, rel=0.08)
    assert min(found.correlation) > 0.85


@pytest.mark.parametrize("clean", [CAMERA, astronaut()[..., 1], astronaut()[..., 0]])
@pytest.mark.parametrize("sigma", [0, 1, 2])
def test_a_nearly_clean_photograph_has_no_correlated_noise(clean, sigma):
    noisy = white(clean.astype(float), sigma) if sigma else clean
    assert not measure_noise(noisy).is_correlated


def test_too_long_a_correlation_is_left_out():
    found = measure_noise(CAMERA + 25 * blurred(CAMERA.shape, 6.0))
    assert found.correlation == (0.0, 0.0)
    assert found.sigma < 10
    assert "coarser noise, if there is any, is left" in str(found)


def test_clipping_and_no_data_are_found():
    noisy = np.clip(np.rint(white(1.4 * (CAMERA - 40), 25)), 0, 255).astype(np.int16)
    noisy[:20] = -9999
    found = measure_noise(noisy)
    assert found.no_data == -9999
    assert found.bounds == (0, 255)
    assert found.sigma == pytest.approx(25, rel=0.08)


@pytest.mark.parametrize("top", [False, True])
@pytest.mark.parametrize(("background", "side"), [(-1e3, 32), (0.0, 40)])
def test_what_is_not_clipped_is_measured(background, side, top):
    """An object on a background at a bound, or beyond it, that is nearly all."""
    clean = np.full((256, 256), background)
    clean[50 : 50 + side, 50 : 50 + side] = 60.0
    noisy = np.clip(np.rint(white(clean, 10)), 0, 255).astype(np.uint8)
    found = measure_noise(255 - noisy if top else noisy)
    assert found.bounds == ((None, 255) if top else (0, None))
    assert found.sigma == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("sigma", [10, 1000])
@pytest.mark.parametrize("share", [0.8, 0.97, 0.99, 0.999])
def test_an_image_that_is_nearly_all_clipped_has_no_measurable_noise(sigma, share):
    clean = np.full((256, 256), -sigma * norm.ppf(share))
    noisy = np.clip(np.rint(white(clean, sigma)), 0, 65535).astype(np.uint16)
    assert np.mean(noisy == 0) == pytest.approx(share, abs=0.02)
    assert not measure_noise(noisy).is_detected


def test_few_photon_counts_are_not_taken_for_clipped():
    counts = np.random.default_rng(0).poisson(0.02, (256, 256))
    assert measure_noise(counts).sigma == pytest.approx(0.14, rel=0.2)


def test_each_channel_is_measured():
    stack = np.stack([white(CROP, 5), white(CROP, 20)])
    first, second = measure_noise(stack, axes="CYX")
    assert first.sigma == pytest.approx(5, rel=0.1)
    assert second.sigma == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("image", [np.full((40, 40), 7), np.zeros((3, 3))])
def test_nothing_is_found_in_flat_and_tiny_images(image):
    assert str(measure_noise(image)) == "no noise detected"


def test_an_image_of_nan_but_for_a_corner_is_measured():
    image = np.full((300, 300), np.nan)
    image[:64, :64] = white(np.full((64, 64), 50.0), 3)
    assert measure_noise(image).sigma == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize("image", [np.full((9, 9), np.nan), np.zeros((4, 4), bool)])
def test_images_that_cannot_be_measured_are_rejected(image):
    with pytest.raises(InvalidInputError):
        measure_noise(image)


def test_a_given_kind_and_correlation_are_kept():
    windows = [[white(CROP, 10)[..., np.newaxis]]]
    curve = measure_windows(windows, NoiseSetting(noise_type="poisson-gaussian"))
    assert curve.kind == "poisson-gaussian"
    told = CROP + 25 * blurred(CROP.shape, 1.0)
    found = measure_windows(
        [[told[..., np.newaxis]]], NoiseSetting(correlation=(0.7, 0.6))
    )
    assert found.correlation == (0.7, 0.6)
    assert found.sigma == pytest.approx(25, rel=0.15)
    alone = measure_windows([[told[..., np.newaxis]]], NoiseSetting(correlation=(0, 0)))
    assert alone.sigma < 10


def test_a_given_correlation_is_used_if_the_noise_looks_white():
    windows = [[white(CROP, 10)[..., np.newaxis]]]
    found = measure_windows(windows, NoiseSetting(correlation=(0.3, 0.2)))
    assert found.correlation == (0.3, 0.2)
    assert found.sigma == pytest.approx(10, rel=0.2)


@pytest.mark.parametrize("blur", [0.7, 1.0])
def test_clipping_does_not_change_the_correlation(blur):
    noisy = 1.4 * (CAMERA - 40) + 25 * blurred(CAMERA.shape, blur)
    found = measure_noise(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    expected = np.exp(-1 / (4 * blur**2))
    assert found.correlation == pytest.approx((expected, expected), abs=0.12)
    assert found.sigma == pytest.approx(25, rel=0.15)


def test_the_variance_is_measured_over_the_intensity():
    counts = np.random.default_rng(0).poisson(CROP)[..., np.newaxis]
    found = measure_windows([[counts]], NoiseSetting())
    points = measure_points([[counts]], found)
    assert points.noise == found
    ratios = points.variances / points.intensities
    assert np.median(ratios) == pytest.approx(1, rel=0.25)
    assert measure_points([[np.zeros((9, 9, 1))]], NoiseEstimate()) is None


def test_correlated_noise_is_drawn_as_on_the_sub_lattice():
    noisy = (CROP + 25 * blurred(CROP.shape, 1.0))[..., np.newaxis]
    found = measure_windows([[noisy]], NoiseSetting())
    assert found.kind == "gaussian"
    points = measure_points([[noisy]], found)
    assert points.variances.min() == pytest.approx(found.sigma**2, rel=0.35)


# --- what is done with it


def test_denoising_with_what_was_found_is_the_same():
    counts = np.random.default_rng(0).poisson(CROP / 10).astype(np.float32)
    found = measure_noise(counts)
    np.testing.assert_array_equal(denoise(counts, noise_type=found), denoise(counts))
    stack = np.stack([counts, 7 * counts])
    each = measure_noise(stack, axes="CYX")
    np.testing.assert_array_equal(
        denoise(stack, axes="CYX", noise_type=each), denoise(stack, axes="CYX")
    )
    with pytest.raises(InvalidInputError, match="has 2 estimates, but the image has 1"):
        denoise(counts, noise_type=each)


@pytest.mark.parametrize("blur", [0.7, 1.0, (0, 1.0)])
def test_one_click_removes_correlated_noise(blur):
    noisy = CROP + 25 * blurred(CROP.shape, blur)
    alone = denoise(noisy, correlation=(0, 0))
    gain = psnr(CROP, denoise(noisy), data_range=255) - psnr(
        CROP, alone, data_range=255
    )
    assert gain > 3


@pytest.mark.parametrize("blur", [0.7, 1.0])
def test_one_click_removes_correlated_noise_of_colors(blur):
    clean = astronaut()[:200, 100:356].astype(float)
    noise = np.stack([blurred(clean.shape[:2], blur)] * 3, axis=-1)
    for channel in range(3):
        noise[..., channel] = np.roll(noise[..., channel], 57 * channel, (0, 1))
    noisy = clean + 25 * noise
    alone = denoise(noisy, correlation=(0, 0))
    gain = psnr(clean, denoise(noisy), data_range=255) - psnr(
        clean, alone, data_range=255
    )
    assert gain > 3


def test_one_click_removes_noise_that_grows():
    counts = np.random.default_rng(0).poisson(CROP / 25).astype(np.float64)
    best = psnr(CROP / 25, denoise(counts), data_range=10)
    level = psnr(CROP / 25, denoise(counts, noise_type="gaussian"), data_range=10)
    assert best > level + 0.3


def test_black_and_white_areas_of_clipped_noise_get_their_values_back():
    clean = np.zeros((128, 128))
    clean[:, 64:] = 255
    clean[40:80, 40:80] = 120
    noisy = np.clip(np.rint(white(clean, 25)), 0, 255).astype(np.uint8)
    denoised = denoise(noisy).astype(float)
    assert denoised[5:30, 5:50].mean() < 2.5
    assert denoised[5:30, 75:120].mean() > 252.5


@pytest.mark.parametrize("dtype", [np.float64, np.uint16])
def test_one_hot_pixel_changes_no_other(dtype):
    image = np.rint(white(CROP + 100, 10)).astype(dtype)
    hot = image.copy()
    hot[100, 120] = 4095
    found = measure_noise(image)
    # Not rounded to integers, which would make a difference of 1 of any other.
    expected, result = (
        denoise(each, noise_type=found, dtype="float32") for each in (image, hot)
    )
    assert result[100, 120] == 4095
    difference = np.abs(result.astype(float) - expected)
    difference[100, 120] = 0
    # Pixels close by lose one of their neighbors.
    assert difference.max() < 0.15 * 10
    assert difference[:80].max() <= 1e-3 * 296
    replaced = denoise(hot, noise_type=found, replace_hot_pixels=True)
    assert replaced[100, 120] == pytest.approx(float(expected[100, 120]), abs=10)


def test_many_hot_pixels_leave_the_error_of_the_others():
    image = white(CROP + 100, 10)
    where = np.random.default_rng(1).random(image.shape) < 1e-3
    hot = np.where(where, 4095, image)
    errors = [
        np.sqrt(np.mean((denoise(each) - CROP - 100)[~where] ** 2))
        for each in (image, hot)
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.02)
    np.testing.assert_array_equal(denoise(hot)[where], 4095)


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.int64])
def test_pixels_without_data_are_unchanged_and_change_no_others(dtype):
    image = np.rint(white(CROP + 100, 10)).astype(dtype)
    padded = image.copy()
    padded[:13] = -9999
    result = denoise(padded)
    np.testing.assert_array_equal(result[:13], -9999)
    expected = denoise(image)
    error, reference = (
        np.sqrt(np.mean((each[13:].astype(float) - CROP[13:] - 100) ** 2))
        for each in (result, expected)
    )
    assert error == pytest.approx(reference, rel=0.03)


@pytest.mark.parametrize("tile_size", [64, 104])
def test_tiles_find_the_same_outliers(tile_size):
    image = white(CROP + 100, 10)
    image[np.random.default_rng(1).random(image.shape) < 1e-3] = 4095
    image[:9, 60:] = -9999
    image[30:60, 126:130] = np.nan
    whole, tiled = denoise(image), denoise(image, tile_size=tile_size)
    np.testing.assert_allclose(tiled, whole, atol=1e-2)


def test_noise_that_was_not_found_is_said():
    with pytest.warns(DenoiseAEWarning, match="No noise was detected"):
        denoise(np.full((40, 40), 7))
