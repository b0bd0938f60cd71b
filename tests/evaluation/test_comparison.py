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


def test_figures_are_those_of_the_metrics():
    clean, noisy, denoised = images()
    found = compare(clean, noisy, denoised, axes="YX", data_range=UNIT)
    assert found.psnr_noisy == psnr(clean, noisy, data_range=1)
    assert found.psnr_denoised == pytest.approx(found.psnr_noisy + 20 * math.log10(2))
    assert found.ssim_noisy == pytest.approx(ssim(clean, noisy, data_range=1))
    assert found.n_planes == 1


def test_of_a_stack_they_are_means_over_the_planes():
    clean, noisy, denoised = images(3)
    found = compare(clean, noisy, denoised, axes="TYX", data_range=UNIT)
    expected = [psnr(*pair, data_range=1) for pair in zip(clean, noisy, strict=True)]
    assert found.psnr_noisy == pytest.approx(np.mean(expected))
    assert found.n_planes == 3
    assert "means over 3 planes" in found.lines()[-1]


def test_alpha_does_not_count():
    clean = np.ones((9, 9, 4))
    noisy = clean.copy()
    noisy[..., 3] = 0
    found = compare(clean, noisy, clean, axes="YXS", data_range=UNIT)
    assert found.psnr_noisy == math.inf


def test_the_table_and_the_titles_can_be_read():
    found = compare(*images(), axes="YX", data_range=UNIT)
    table = "\n".join(found.lines())
    for part in ("PSNR / dB", "SSIM", "noisy", "denoised", "+6.02", "0 to 1"):
        assert part in table
    assert found.titles()[0] == f"noisy, {found.psnr_noisy:.2f} dB"
    assert found.titles()[2] == "clean"


def test_what_is_not_known_is_not_shown_as_a_number():
    tiny = np.zeros((3, 3))
    found = compare(tiny, tiny + 1, tiny, axes="YX", data_range=UNIT)
    assert math.isnan(found.ssim_noisy)
    assert "n/a" in "\n".join(found.lines())


def test_a_range_of_no_width_is_refused():
    tiny = np.zeros((3, 3))
    with pytest.raises(InvalidInputError, match="data_range"):
        compare(tiny, tiny, tiny, axes="YX", data_range=IntensityRange(5, 5))
