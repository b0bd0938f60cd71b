from __future__ import annotations

import math

import numpy as np
import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.noise.anscombe import anscombe, inverse_anscombe
from napari_denoise_ae.noise.curve import NoiseCurve, fit_noise_curve


def photons(side: int = 192) -> np.ndarray:
    """Return (Y, X), range 0 to 1: dark background, discs and a striped corner."""
    y, x = np.mgrid[:side, :side] / side
    image = 0.02 + 0.3 * x * (y > 0.4)
    for middle, brightness in ((0.25, 0.5), (0.5, 0.75), (0.75, 1.0)):
        image[np.hypot(y - middle, x - middle) < 0.12] = brightness
    corner = (y < 0.3) & (x > 0.7)
    image[corner] = 0.4 + 0.2 * np.sin(190 * x + 230 * y)[corner]
    return image


def exposed(
    mean: np.ndarray, gain: float, read_noise: float = 0.0, pedestal: float = 0.0
) -> tuple[np.ndarray, NoiseCurve]:
    """Return a camera image of the given mean photons, and its true noise curve."""
    rng = np.random.default_rng(0)
    electrons = rng.poisson(mean) + read_noise * rng.standard_normal(mean.shape)
    offset = (gain * read_noise) ** 2 - gain * pedestal
    return gain * electrons + pedestal, NoiseCurve(gain, offset)


def error_of(curve: NoiseCurve, true: NoiseCurve, intensities: np.ndarray) -> float:
    """Return the median relative error of the variance over the intensities."""
    over = np.linspace(*np.quantile(intensities, [0.02, 0.98]), 50)
    return float(np.median(np.abs(curve.variance(over) / true.variance(over) - 1)))


@pytest.mark.parametrize(
    ("peak", "gain", "read_noise", "pedestal"),
    [
        (4, 1, 0, 0),
        (20, 1, 0, 0),
        (100, 2.2, 1.6, 100),
        (30, 8, 1, 0),
        (1000, 0.5, 3, 1000),
    ],
)
def test_a_known_curve_is_recovered(peak, gain, read_noise, pedestal):
    mean = peak * photons()
    noisy, true = exposed(mean, gain, read_noise, pedestal)
    fit = fit_noise_curve([noisy[..., np.newaxis]])
    assert error_of(fit.curve, true, gain * mean + pedestal) < 0.1
    assert fit.curve.gain == pytest.approx(gain, rel=0.1)


def test_sparse_photon_counts_have_gain_one_and_no_offset():
    """Most medians are 0 at such low counts."""
    counts = np.random.default_rng(0).poisson(2 * photons(256)).astype(np.uint16)
    assert np.median(counts) == 0
    curve = fit_noise_curve([counts[..., np.newaxis]]).curve
    assert curve.gain == pytest.approx(1, rel=0.05)
    assert curve.offset_variance == pytest.approx(0, abs=0.02)


def test_the_points_of_a_fit_ascend_and_lie_near_the_curve():
    noisy, true = exposed(100 * photons(), 2.0, 1.0, 50.0)
    fit = fit_noise_curve([noisy[..., np.newaxis]])
    assert fit.intensities.shape == fit.variances.shape
    assert len(fit.intensities) > 5
    assert (np.diff(fit.intensities) > 0).all()
    ratios = fit.variances / true.variance(fit.intensities)
    assert np.median(ratios) == pytest.approx(1, rel=0.1)


def test_clipped_pixels_do_not_bias_the_curve():
    mean = 40 * photons()
    noisy, true = exposed(mean, 6, 1, 20)
    clipped = np.clip(np.rint(noisy), 0, 170).astype(np.uint8)
    fit = fit_noise_curve([clipped[..., np.newaxis]])
    assert error_of(fit.curve, true, np.minimum(6 * mean + 20, 150)) < 0.15


@pytest.mark.parametrize(("factor", "shift"), [(1000, 0), (1, -500), (0.01, 3)])
def test_the_curve_follows_the_units_of_the_image(factor, shift):
    noisy, _ = exposed(50 * photons(), 2, 1, 10)
    curve = fit_noise_curve([noisy[..., np.newaxis]]).curve
    moved = fit_noise_curve([factor * noisy[..., np.newaxis] + shift]).curve
    at = np.linspace(20, 100, 5)
    assert moved.gain == pytest.approx(factor * curve.gain, rel=1e-3)
    np.testing.assert_allclose(
        moved.variance(factor * at + shift), factor**2 * curve.variance(at), rtol=1e-3
    )


@pytest.mark.parametrize("clean", [200 * photons(), np.full((128, 128), 100.0)])
def test_constant_noise_gets_a_curve_that_anscombe_can_use(clean):
    noisy = clean + np.random.default_rng(0).normal(0, 20, clean.shape)
    curve = fit_noise_curve([noisy[..., np.newaxis]]).curve
    np.testing.assert_allclose(curve.variance(clean), 400, rtol=0.15)
    noise = anscombe(noisy, curve) - anscombe(clean, curve)
    assert noise.var() == pytest.approx(1, rel=0.1)
    back = inverse_anscombe(anscombe(clean, curve), curve)
    np.testing.assert_allclose(back, clean, atol=0.5)


def test_a_flat_small_image_has_a_curve():
    noisy = np.random.default_rng(0).poisson(50.0, (24, 24, 1))
    assert fit_noise_curve([noisy]).curve.variance(np.array(50.0)) == pytest.approx(
        50, rel=0.25
    )


def test_the_curve_of_a_clean_image_has_little_noise():
    slope = np.add.outer(np.arange(128.0), np.arange(128.0))[..., np.newaxis]
    curve = fit_noise_curve([slope]).curve
    assert curve.variance(slope).max() < 1


def test_channels_and_windows_are_pooled_without_nan():
    noisy, true = exposed(100 * photons(), 2.0, 1.0, 50.0)
    noisy[:10, :10] = np.nan
    colors = np.stack([noisy, noisy[::-1]], axis=-1)
    fit = fit_noise_curve([colors[:96], colors[96:]])
    assert error_of(fit.curve, true, 200 * photons() + 50) < 0.1


@pytest.mark.parametrize(
    "image",
    [
        np.full((64, 64, 1), 7.0),
        np.full((64, 64, 1), np.nan),
        np.random.default_rng(0).random((9, 9, 1)),
    ],
)
def test_an_image_with_too_few_usable_patches_is_rejected(image):
    with pytest.raises(InvalidInputError, match="Measuring the noise requires"):
        fit_noise_curve([image])


def test_an_empty_list_of_windows_is_rejected():
    with pytest.raises(InvalidInputError, match="got 0"):
        fit_noise_curve([])


@pytest.mark.parametrize("gain", [0.0, -1.0, math.nan, math.inf])
def test_an_invalid_gain_is_rejected(gain):
    with pytest.raises(InvalidInputError, match="gain"):
        NoiseCurve(gain, 0.0)


def test_an_offset_that_is_not_finite_is_rejected():
    with pytest.raises(InvalidInputError, match="offset variance"):
        NoiseCurve(1.0, math.nan)


def test_a_curve_is_printed_as_an_equation():
    assert str(NoiseCurve(2.5, -300.0)) == "noise variance = 2.5 x intensity - 300"
    assert str(NoiseCurve(1.0, 0.25)) == "noise variance = 1 x intensity + 0.25"


def test_a_variance_is_never_below_0():
    curve = NoiseCurve(2.0, -10.0)
    np.testing.assert_array_equal(curve.variance(np.array([0, 5, 8])), [0, 0, 6])
