from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from napari_denoise_ae.noise.blur import blur_of_correlation, blurred_normal

N_IMAGES = 4000


def draw(shape, blur_y=0.0, blur_x=0.0, *, seed=0):
    clean = torch.zeros(shape, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    return blurred_normal(clean, generator, blur_y, blur_x)[0]


def test_white_noise_is_filtered_as_scipy_does():
    blurred = draw((1, 1, 20, 24), blur_x=1.5)[0, 0].numpy()
    # The kernel reaches 6 pixels beyond either border.
    white = draw((1, 1, 20, 24 + 12))[0, 0].numpy()
    expected = gaussian_filter1d(white, 1.5, axis=1, truncate=4.0)[:, 6:-6]
    ratio = blurred / expected
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-9)


@pytest.mark.parametrize(("blur_y", "blur_x"), [(1.0, 1.0), (0.0, 2.0), (0.3, 0.0)])
def test_the_noise_is_the_same_at_borders_as_inside(blur_y, blur_x):
    noise = draw((N_IMAGES, 1, 5, 6), blur_y, blur_x).numpy()[:, 0]
    # Five standard errors of the standard deviation of that many values.
    error = 5 / np.sqrt(2 * N_IMAGES)
    np.testing.assert_allclose(noise.std(axis=0), 1.0, atol=error)
    neighbors = (noise[:, :, 1:] * noise[:, :, :-1]).mean(axis=0)
    assert np.ptp(neighbors) < 10 / np.sqrt(N_IMAGES)


def test_a_blur_of_0_leaves_an_axis_white():
    noise = draw((1, 1, 300, 300), blur_x=1.0).numpy()[0, 0]
    assert (noise[1:] * noise[:-1]).mean() == pytest.approx(0.0, abs=0.02)
    assert (noise[:, 1:] * noise[:, :-1]).mean() > 0.7


def test_the_correlation_is_that_of_the_noise():
    clean = torch.zeros((2, 1, 400, 400), dtype=torch.float64)
    blur_y, blur_x = (torch.tensor(x).reshape(2, 1, 1, 1) for x in ([0, 1.2], [0.7, 0]))
    noise, correlation = blurred_normal(clean, torch.Generator(), blur_y, blur_x)
    values = noise.numpy()[:, 0]
    along_x = (values[:, :, 1:] * values[:, :, :-1]).mean(axis=(1, 2))
    along_y = (values[:, 1:] * values[:, :-1]).mean(axis=(1, 2))
    np.testing.assert_allclose(
        correlation.numpy(), np.stack([along_x, along_y], axis=1), atol=0.02
    )


def test_every_image_can_have_its_own_blur():
    blur = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64).reshape(3, 1, 1, 1)
    noise = draw((3, 1, 200, 200), blur, blur).numpy()[:, 0]
    lag = (noise[:, 1:] * noise[:, :-1]).mean(axis=(1, 2)) / noise.var(axis=(1, 2))
    np.testing.assert_allclose(lag, [0.0, 0.78, 0.97], atol=0.03)


@pytest.mark.parametrize("correlation", [0.0, 0.05, 0.3, 0.6, 0.8, 0.95])
def test_the_blur_of_a_correlation_gives_it(correlation):
    clean = torch.zeros((1, 1, 4, 4), dtype=torch.float64)
    blur = blur_of_correlation(correlation)
    _, found = blurred_normal(clean, torch.Generator(), 0.0, blur)
    assert found[0].tolist() == pytest.approx([correlation, 0.0], abs=1e-3)
