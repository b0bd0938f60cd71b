from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import smooth_photo

from napari_denoise_ae.evaluation.baselines import BASELINES, UNTUNED
from napari_denoise_ae.evaluation.metrics import psnr


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", BASELINES)
def test_baseline_improves_a_noisy_image_and_keeps_its_shape(name, channels):
    clean = smooth_photo(64, 48, channels)
    noisy = clean + np.random.default_rng(0).normal(0, 0.2, clean.shape)
    before = noisy.copy()
    baseline = BASELINES[name]
    scores = []
    for parameter in baseline.grid:
        denoised = baseline.with_parameter(parameter)(noisy)
        assert denoised.shape == noisy.shape
        assert denoised.dtype == np.float64
        scores.append(psnr(clean, denoised, data_range=1))
    assert max(scores) > psnr(clean, noisy, data_range=1) + 3
    np.testing.assert_array_equal(noisy, before)


@pytest.mark.parametrize("name", [n for n, b in BASELINES.items() if len(b.grid) > 1])
def test_larger_parameter_gives_a_smoother_result(name):
    noisy = smooth_photo() + np.random.default_rng(0).normal(0, 0.2, (64, 64, 3))
    baseline = BASELINES[name]
    first, last = (
        baseline.with_parameter(value)(noisy)
        for value in (baseline.grid[0], baseline.grid[-1])
    )
    assert np.abs(np.diff(last, axis=1)).mean() < np.abs(np.diff(first, axis=1)).mean()


@pytest.mark.parametrize("name", BASELINES)
def test_mirrored_image_gives_the_mirrored_result(name):
    noisy = smooth_photo() + np.random.default_rng(0).normal(0, 0.2, (64, 64, 3))
    method = BASELINES[name].with_parameter(BASELINES[name].grid[0])
    mirrored = method(noisy[:, ::-1])[:, ::-1]
    inner = (slice(16, -16), slice(16, -16))
    assert np.abs(mirrored - method(noisy))[inner].mean() < 0.05


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("image", [np.full((16, 16, 3), 0.5), np.zeros((16, 16, 1))])
def test_constant_image_is_unchanged(name, image):
    for parameter in BASELINES[name].grid:
        denoised = BASELINES[name].with_parameter(parameter)(image)
        np.testing.assert_allclose(denoised, image, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_bm3d_gets_the_image_and_its_sigma(monkeypatch, channels):
    given = []

    def denoise(image, sigma):
        given.append((image.shape, sigma))
        return image

    fake = SimpleNamespace(bm3d=denoise, bm3d_rgb=denoise)
    monkeypatch.setitem(sys.modules, "bm3d", fake)
    noisy = np.random.default_rng(0).normal(0.5, 0.2, (64, 48, channels))
    assert UNTUNED["BM3D"](noisy).shape == noisy.shape
    ((shape, sigma),) = given
    assert shape == ((64, 48, 3) if channels == 3 else (64, 48))
    assert sigma == pytest.approx(0.2, rel=0.1)
