from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.noise.draw import draw_gaussian_noise, draw_measured_noise
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate

SHAPE = (2, 1, 400, 400)


def flat(value, shape=SHAPE):
    return torch.full(shape, float(value), dtype=torch.float64)


def draw(value, noise, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return draw_measured_noise(flat(value), noise, generator)


def camera(gain, offset, **fields):
    return NoiseEstimate(
        kind="poisson-gaussian", gain=gain, offset_variance=offset, **fields
    )


@pytest.mark.parametrize(
    ("value", "noise"),
    [
        (500.0, NoiseEstimate(sigma=25.0)),
        (-3.0, NoiseEstimate(sigma=0.5)),
        (40.0, camera(2.0, 100.0)),
        (400.0, camera(2.0, -200.0)),
        (1.9, camera(1.0, 0.0)),
        (40.0, camera(2.0, 100.0, correlation=(0.5, 0.3))),
    ],
)
def test_mean_and_variance_are_those_measured(value, noise):
    noisy = draw(value, noise)
    variance = float(noise.variance(np.array(value)))
    # Correlated values are fewer independent ones.
    assert float(noisy.mean()) == pytest.approx(value, abs=0.02 * variance**0.5)
    assert float(noisy.var()) == pytest.approx(variance, rel=0.03)


def test_photons_are_counted():
    noisy = draw(7.0, camera(2.0, -4.0))  # 2.5 photons above a pedestal of 2
    counts = (noisy - 2.0) / 2.0
    torch.testing.assert_close(counts, counts.round())
    frequencies = np.bincount(counts.flatten().long().numpy(), minlength=3)
    expected = np.exp(-2.5) * np.array([1, 2.5, 3.125])
    np.testing.assert_allclose(frequencies[:3] / counts.numel(), expected, rtol=0.03)


def test_below_the_pedestal_there_is_no_noise_and_the_mean_is_kept():
    torch.testing.assert_close(draw(90.0, camera(2.0, -200.0)), flat(90.0))


def test_read_noise_remains_below_0():
    noisy = draw(-10.0, camera(2.0, 100.0))
    assert float(noisy.mean()) == pytest.approx(-10.0, abs=0.1)
    assert float(noisy.std()) == pytest.approx(10.0, rel=0.02)


@pytest.mark.parametrize("correlation", [(0.0, 0.6), (0.3, 0.3), (0.8, 0.0)])
@pytest.mark.parametrize("kind", [{"sigma": 3.0}, {"kind": "poisson-gaussian"}])
def test_neighbors_are_correlated_as_measured(kind, correlation):
    curve = {"gain": 1.5, "offset_variance": 2.0} if "kind" in kind else {}
    noisy = draw(20.0, NoiseEstimate(**kind, **curve, correlation=correlation)).numpy()
    noise = noisy - 20.0
    along_x = (noise[..., 1:] * noise[..., :-1]).mean() / noise.var()
    along_y = (noise[..., 1:, :] * noise[..., :-1, :]).mean() / noise.var()
    assert (along_x, along_y) == pytest.approx(correlation, abs=0.02)


def test_values_are_clipped_at_the_measured_bounds():
    free = draw(5.0, NoiseEstimate(sigma=10.0))
    low = draw(5.0, NoiseEstimate(sigma=10.0, bounds=(0.0, None)))
    both = draw(5.0, NoiseEstimate(sigma=10.0, bounds=(0.0, 12.0)))
    torch.testing.assert_close(low, free.clamp(min=0.0))
    torch.testing.assert_close(both, free.clamp(0.0, 12.0))


def test_gaussian_noise_has_the_variance_of_the_photons():
    noise = camera(2.0, -4.0)
    drawn = draw_gaussian_noise(flat(7.0), noise, torch.Generator().manual_seed(0))
    assert float(drawn.var()) == pytest.approx(10.0, rel=0.03)
    assert float((drawn**3).mean()) == pytest.approx(0.0, abs=0.8)


def test_the_seed_decides_and_the_images_are_not_modified():
    clean = flat(3.0)
    noise = camera(1.0, 1.0, bounds=(0.0, None))
    first, second = (
        draw_measured_noise(clean, noise, torch.Generator().manual_seed(seed))
        for seed in (1, 1)
    )
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    torch.testing.assert_close(clean, flat(3.0), rtol=0, atol=0)
    assert not torch.equal(first, draw(3.0, noise, seed=2))
