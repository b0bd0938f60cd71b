from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy import stats

from napari_denoise_ae.noise.spec import parse_noise
from napari_denoise_ae.noise.synthetic import (
    Gaussian,
    Poisson,
    PoissonGaussian,
    SaltAndPepper,
    Speckle,
)

if TYPE_CHECKING:
    from napari_denoise_ae.noise.base import NoiseModel

N_VALUES = 400_000

# Five standard errors of the mean of that many values with this sigma.
TOLERANCE = 5 / np.sqrt(N_VALUES)

# Each noise with and without its flag, and composed noises.
EXAMPLES = [
    "gaussian:0.5",
    "gaussian:0.5,unclipped",
    "gaussian:0..0.3",
    "gaussian:0.5,blur=1",
    "gaussian:0.5,blur_x=0..1,blur_y=2,unclipped",
    "salt-pepper:0.1",
    "salt-pepper:0.1,per-pixel",
    "salt-pepper:0.05..0.5",
    "poisson:30",
    "poisson:5..50,unclipped",
    "poisson-gaussian:0.02,0.05",
    "poisson-gaussian:0.001..0.02,0.05,unclipped",
    "speckle:0.2",
    "speckle:0.2,unclipped",
    "gaussian:0.1+salt-pepper:0.05",
    "poisson:20..40+gaussian:0.01,unclipped+salt-pepper:0.01,per-pixel",
]


def noisy_values(model: NoiseModel, level: float, seed: int = 0) -> np.ndarray:
    clean = torch.full((N_VALUES,), level, dtype=torch.float64)
    return model.apply(clean, torch.Generator().manual_seed(seed)).numpy()


def lag_1_correlation(blur: float) -> float:
    """Correlation of neighbors in white noise that a sampled Gaussian has blurred."""
    kernel = np.exp(-0.5 * (np.arange(-20, 21) / blur) ** 2)
    return float((kernel[1:] * kernel[:-1]).sum() / (kernel**2).sum())


@pytest.mark.parametrize("sigma", [0.01, 0.5, 2.0])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_unclipped_noise_has_the_moments_of_the_normal_distribution(sigma, level):
    noise = noisy_values(Gaussian(sigma, clipped=False), level) - level
    assert noise.mean() == pytest.approx(0.0, abs=TOLERANCE * sigma)
    assert noise.std() == pytest.approx(sigma, rel=TOLERANCE)
    assert stats.skew(noise) == pytest.approx(0.0, abs=0.03)
    assert stats.kurtosis(noise) == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_clipped_noise_has_the_moments_of_the_clipped_normal_distribution(sigma, level):
    values = noisy_values(Gaussian(sigma), level)
    within = stats.norm(level, sigma)
    first = within.expect(lambda x: x, lb=0, ub=1) + within.sf(1.0)
    second = within.expect(lambda x: x**2, lb=0, ub=1) + within.sf(1.0)
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.mean() == pytest.approx(first, abs=TOLERANCE)
    assert values.std() == pytest.approx(np.sqrt(second - first**2), abs=TOLERANCE)


@pytest.mark.parametrize("photons", [0.5, 10.0, 1000.0])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_poisson_noise_has_the_moments_of_the_poisson_distribution(photons, level):
    values = noisy_values(Poisson(photons, clipped=False), level)
    counts = values * photons
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9 * photons)
    law = stats.poisson(level * photons)
    deviation = law.std() / photons
    assert values.mean() == pytest.approx(level, abs=TOLERANCE * deviation)
    assert values.std() == pytest.approx(deviation, rel=4 * TOLERANCE)
    if level:
        assert stats.skew(values) == pytest.approx(law.stats("s"), rel=0.05, abs=0.03)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_poisson_gaussian_noise_has_the_variance_of_a_camera(level):
    gain, read_noise = 0.02, 0.05
    values = noisy_values(PoissonGaussian(gain, read_noise, clipped=False), level)
    variance = gain * level + read_noise**2
    assert values.mean() == pytest.approx(level, abs=TOLERANCE * np.sqrt(variance))
    assert values.var() == pytest.approx(variance, rel=3 * TOLERANCE)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_speckle_grows_with_the_signal(level):
    values = noisy_values(Speckle(0.2, clipped=False), level)
    assert values.mean() == pytest.approx(level, abs=TOLERANCE * 0.2)
    assert values.std() == pytest.approx(0.2 * level, rel=TOLERANCE)


@pytest.mark.parametrize("amount", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("level", [0.2, 0.7])
def test_salt_and_pepper_replaces_half_by_black_and_half_by_white(amount, level):
    values = noisy_values(SaltAndPepper(amount), level)
    share = np.sqrt(amount * (1 - amount) + 1e-12)
    assert (values == 0).mean() == pytest.approx(amount / 2, abs=TOLERANCE)
    assert (values == 1).mean() == pytest.approx(amount / 2, abs=TOLERANCE)
    assert (values == level).mean() == pytest.approx(1 - amount, abs=TOLERANCE * share)
    mean = (1 - amount) * level + amount / 2
    variance = (1 - amount) * level**2 + amount / 2 - mean**2
    assert values.mean() == pytest.approx(mean, abs=TOLERANCE)
    assert values.var() == pytest.approx(variance, rel=2 * TOLERANCE)


@pytest.mark.parametrize("channel_axis", [1, -1])
def test_salt_and_pepper_replaces_values_or_whole_pixels(channel_axis):
    shape = (1, 3, 100, 100) if channel_axis == 1 else (1, 100, 100, 3)
    clean = torch.full(shape, 0.5)

    def hit_colors(model: SaltAndPepper) -> np.ndarray:
        noisy = model.apply(
            clean, torch.Generator().manual_seed(0), channel_axis=channel_axis
        )
        return (noisy != 0.5).sum(dim=channel_axis).numpy()

    assert set(np.unique(hit_colors(SaltAndPepper(0.3, per_pixel=True)))) == {0, 3}
    assert set(np.unique(hit_colors(SaltAndPepper(0.3)))) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("gaussian:0.1..0.5,unclipped", 0.1, 0.5),
        ("gaussian:0..0.3,unclipped", 0.0, 0.3),
        ("speckle:0.1..0.5,unclipped", 0.1, 0.5),
    ],
)
def test_a_range_draws_a_level_for_each_image(text, low, high):
    clean = torch.ones((300, 1, 40, 40), dtype=torch.float64)
    noisy = parse_noise(text).apply(clean, torch.Generator().manual_seed(0))
    levels = (noisy - clean).std(dim=(1, 2, 3)).numpy()
    # The standard deviation of 1,600 values has a standard error of 1.8 %.
    assert levels.min() >= low * 0.9
    assert levels.max() <= high * 1.1
    # The levels are uniformly distributed over the range.
    assert levels.mean() == pytest.approx((low + high) / 2, abs=0.03)
    assert levels.std() == pytest.approx((high - low) / np.sqrt(12), rel=0.15)


def test_photons_and_amounts_of_a_range_differ_between_images():
    clean = torch.full((100, 1, 50, 50), 0.5, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    counted = parse_noise("poisson:10..100,unclipped").apply(clean, generator)
    photons = 0.5 / counted.var(dim=(1, 2, 3))
    assert 8 < photons.min() < 20
    assert 80 < photons.max() < 130
    hit = parse_noise("salt-pepper:0.1..0.9").apply(clean, generator) != 0.5
    shares = hit.double().mean(dim=(1, 2, 3))
    assert 0.05 < shares.min() < 0.2
    assert 0.8 < shares.max() < 0.95


@pytest.mark.parametrize("text", [t for t in EXAMPLES if "unclipped" not in t])
def test_clipped_noise_stays_in_the_range(text):
    clean = torch.rand((4, 3, 20, 20), generator=torch.Generator().manual_seed(1))
    noisy = parse_noise(text).apply(clean, torch.Generator())
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    assert (noisy != clean).any()


def test_values_are_independent_of_each_other():
    noise = noisy_values(Gaussian(0.5, clipped=False), 0.5)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("channel_axis", [1, -1])
def test_blurred_noise_keeps_sigma_and_is_blurred_along_x_and_y(channel_axis):
    shape = (2, 3, 300, 300) if channel_axis == 1 else (2, 300, 300, 3)
    clean = torch.full(shape, 0.5)
    noise = parse_noise("gaussian:0.1,blur_x=1,blur_y=0.5,unclipped").apply(
        clean, torch.Generator().manual_seed(0), channel_axis=channel_axis
    )
    values = noise.movedim(channel_axis, 1).numpy() - 0.5
    assert values.std() == pytest.approx(0.1, rel=0.02)
    lags = {"x": values[..., 1:] * values[..., :-1], "y": values[..., 1:, :]}
    lags["y"] = lags["y"] * values[..., :-1, :]
    found = {axis: lag.mean() / values.var() for axis, lag in lags.items()}
    assert found["x"] == pytest.approx(lag_1_correlation(1.0), abs=0.02)
    assert found["y"] == pytest.approx(lag_1_correlation(0.5), abs=0.02)
    colors = np.corrcoef(values.swapaxes(0, 1).reshape(3, -1))
    assert np.abs(colors - np.eye(3)).max() < 0.03


def test_a_range_draws_a_blur_for_each_image():
    clean = torch.full((60, 1, 64, 64), 0.5)
    noisy = parse_noise("gaussian:0.1,blur=0..2,unclipped").apply(
        clean, torch.Generator().manual_seed(0)
    )
    values = (noisy - clean)[:, 0].double().numpy()
    lag = (values[:, 1:] * values[:, :-1]).mean(axis=(1, 2)) / values.var(axis=(1, 2))
    assert lag.min() < 0.1
    assert 0.85 < lag.max() < 0.98
    assert values.std(axis=(1, 2)).mean() == pytest.approx(0.1, rel=0.03)


def test_the_seed_determines_the_noise_of_a_batch():
    model = Gaussian(0.5)
    first = noisy_values(model, 0.5, seed=1)
    np.testing.assert_array_equal(first, noisy_values(model, 0.5, seed=1))
    assert (first != noisy_values(model, 0.5, seed=2)).mean() > 0.5


@pytest.mark.parametrize("text", EXAMPLES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_input_is_not_modified_and_dtype_and_shape_are_kept(dtype, text):
    clean = torch.rand((2, 3, 4, 5), dtype=dtype)
    before = clean.clone()
    noisy = parse_noise(text).apply(clean, torch.Generator())
    assert torch.equal(clean, before)
    assert noisy.dtype == dtype
    assert noisy.shape == clean.shape


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_noise_follows_the_seed(text):
    clean = torch.rand((2, 3, 8, 8), generator=torch.Generator().manual_seed(1))

    def noisy(seed: int) -> torch.Tensor:
        return parse_noise(text).apply(clean, torch.Generator().manual_seed(seed))

    assert torch.equal(noisy(1), noisy(1))
    assert not torch.equal(noisy(1), noisy(2))


def test_the_global_generator_is_not_used():
    state = torch.get_rng_state()
    noisy_values(Gaussian(0.5), 0.5)
    assert torch.equal(state, torch.get_rng_state())
