from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.noise.anscombe import (
    anscombe,
    intensities_of,
    inverse_anscombe,
    stabilized_of,
    stabilized_sigma,
)
from napari_denoise_ae.noise.curve import NoiseCurve


def exposed(
    mean: np.ndarray, gain: float, read_noise: float = 0.0, pedestal: float = 0.0
) -> tuple[np.ndarray, NoiseCurve]:
    """Return a camera image of the given mean photons, and its true noise curve."""
    rng = np.random.default_rng(0)
    electrons = rng.poisson(mean) + read_noise * rng.standard_normal(mean.shape)
    offset = (gain * read_noise) ** 2 - gain * pedestal
    return gain * electrons + pedestal, NoiseCurve(gain, offset)


@pytest.mark.parametrize("read_noise", [0.0, 1.0, 5.0])
@pytest.mark.parametrize(("gain", "pedestal"), [(0.5, 0.0), (1.0, 100.0), (100, 1e3)])
def test_stabilized_noise_has_variance_one(gain, pedestal, read_noise):
    for mean in (4.5, 10, 100, 1000):
        noisy, curve = exposed(np.full(200_000, mean), gain, read_noise, pedestal)
        assert anscombe(noisy, curve).var() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("read_noise", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize(("gain", "pedestal"), [(0.5, 1e3), (1.0, 0.0), (100, 100.0)])
def test_the_inverse_of_the_mean_stabilized_value_is_the_mean(
    gain, pedestal, read_noise
):
    """As if a perfect denoiser averaged them; within 2 % or 0.05 photons."""
    for mean in (0.5, 1, 2, 5, 20, 100, 1000):
        noisy, curve = exposed(np.full(400_000, mean), gain, read_noise, pedestal)
        back = inverse_anscombe(anscombe(noisy, curve).mean(), curve)
        assert (back - pedestal) / gain == pytest.approx(mean, rel=0.02, abs=0.05)


def test_the_algebraic_inverse_would_be_too_low():
    noisy, curve = exposed(np.full(400_000, 1.0), 1.0)
    mean = anscombe(noisy, curve).mean()
    assert mean**2 / 4 - 3 / 8 < 0.85
    assert inverse_anscombe(mean, curve) == pytest.approx(1, abs=0.05)


def test_zero_photons_are_mapped_back_to_the_pedestal():
    curve = NoiseCurve(2.0, -200.0)  # no read noise, a pedestal of 100
    dark = anscombe(np.array([100.0, 90.0, -1e6]), curve)
    assert np.isfinite(dark).all()
    np.testing.assert_allclose(inverse_anscombe(dark, curve), 100, atol=0.01)
    np.testing.assert_allclose(
        inverse_anscombe(np.array([-5.0, 0.0]), curve), 100, atol=0.01
    )


def test_the_inverse_increases_everywhere():
    levels = np.linspace(1.2248, 50, 5000)
    assert (np.diff(inverse_anscombe(levels, NoiseCurve(3.0, 7.0))) > 0).all()


def test_nan_stays_nan_and_shapes_are_kept():
    curve = NoiseCurve(1.0, 0.0)
    values = np.array([[np.nan, 4.0, 9.0]], dtype=np.float32)
    there = anscombe(values, curve)
    back = inverse_anscombe(there, curve)
    assert there.shape == back.shape == (1, 3)
    np.testing.assert_array_equal(np.isnan(there), [[True, False, False]])
    np.testing.assert_array_equal(np.isnan(back), [[True, False, False]])


def test_integers_do_not_wrap_and_inputs_are_not_modified():
    counts = np.array([0, 200, 255], dtype=np.uint8)
    curve = NoiseCurve(2.0, 1.0)
    expected = anscombe(counts.astype(float), curve)
    np.testing.assert_array_equal(anscombe(counts, curve), expected)
    np.testing.assert_array_equal(counts, [0, 200, 255])


@pytest.mark.parametrize("photons", [0.0, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 50.0])
def test_the_level_of_few_stabilized_photons(photons):
    counts = np.random.default_rng(0).poisson(photons, 400_000)
    expected = min(anscombe(counts, NoiseCurve(1.0, 0.0)).std(), 1.0)
    assert stabilized_sigma(photons) == pytest.approx(expected, abs=0.02)


def test_the_formulas_are_the_same_for_tensors():
    curve = NoiseCurve(2.5, -30.0)
    values = np.linspace(-50.0, 500.0, 1000)
    stabilized = stabilized_of(torch.from_numpy(values), 2.5, -30.0)
    back = intensities_of(stabilized, 2.5, -30.0)
    np.testing.assert_allclose(stabilized.numpy(), anscombe(values, curve), rtol=1e-12)
    expected = inverse_anscombe(stabilized.numpy(), curve)
    np.testing.assert_allclose(back.numpy(), expected, rtol=1e-12)
