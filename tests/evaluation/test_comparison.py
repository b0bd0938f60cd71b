from __future__ import annotations

import math

import numpy as np
import pytest
from synthetic import smooth_photo

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.evaluation.comparison import compare
from napari_denoise_ae.evaluation.metrics import psnr, ssim
from napari_denoise_ae.image.intensity import IntensityRange

UNIT = IntensityRange(0, 1)


def images(*shape: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    clean = np.broadcast_to(smooth_photo(20, 24, 1)[..., 0], (*shape, 20, 24))
    noise = np.random.default_rng(0).normal(0, 0.1, clean.shape)
    return clean, clean + noise, clean + noise / 2


def test_compare_equals_the_metrics():
    clean, noisy, denoised = images()
    result = compare(clean, noisy, denoised, axes="YX", data_range=UNIT)
    assert result.psnr_noisy == psnr(clean, noisy, data_range=1)
    expected = result.psnr_noisy + 20 * math.log10(2)
    assert result.psnr_denoised == pytest.approx(expected)
    assert result.ssim_noisy == pytest.approx(ssim(clean, noisy, data_range=1))
    assert result.n_planes == 1


def test_compare_averages_over_the_planes_of_a_stack():
    clean, noisy, denoised = images(3)
    result = compare(clean, noisy, denoised, axes="TYX", data_range=UNIT)
    expected = [psnr(*pair, data_range=1) for pair in zip(clean, noisy, strict=True)]
    assert result.psnr_noisy == pytest.approx(np.mean(expected))
    assert result.n_planes == 3
    assert "means over 3 planes" in result.lines()[-1]


def test_compare_ignores_alpha():
    clean = np.ones((9, 9, 4))
    noisy = clean.copy()
    noisy[..., 3] = 0
    result = compare(clean, noisy, clean, axes="YXS", data_range=UNIT)
    assert result.psnr_noisy == math.inf


def test_table_and_titles():
    result = compare(*images(), axes="YX", data_range=UNIT)
    table = "\n".join(result.lines())
    for part in ("PSNR / dB", "SSIM", "noisy", "denoised", "+6.02", "0 to 1"):
        assert part in table
    assert result.titles()[0] == f"noisy, {result.psnr_noisy:.2f} dB"
    assert result.titles()[2] == "clean"


def test_unknown_ssim_is_shown_as_not_available():
    tiny = np.zeros((3, 3))
    result = compare(tiny, tiny + 1, tiny, axes="YX", data_range=UNIT)
    assert math.isnan(result.ssim_noisy)
    assert "n/a" in "\n".join(result.lines())


def test_empty_data_range_is_rejected():
    tiny = np.zeros((3, 3))
    with pytest.raises(InvalidInputError, match="data_range"):
        compare(tiny, tiny, tiny, axes="YX", data_range=IntensityRange(5, 5))
