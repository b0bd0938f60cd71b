import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_denoise_ae._napari.denoise.job import PreparedLayer
from napari_denoise_ae._napari.denoise.readout import Readout
from napari_denoise_ae._napari.denoise.result import Denoised
from napari_denoise_ae.evaluation.comparison import compare
from napari_denoise_ae.image.intensity import IntensityRange

RANGE = IntensityRange(0, 255)


@pytest.fixture
def readout(qtbot):
    readout = Readout()
    qtbot.addWidget(readout)
    qtbot.addWidget(readout.note)
    return readout


def result(stack, **changes):
    noisy, denoised, clean = stack
    scores = {
        (plane,): compare(
            clean[plane], noisy[plane], denoised[plane], axes="YX", data_range=RANGE
        )
        for plane in range(len(clean))
    }
    prepared = PreparedLayer(
        data=noisy, noise=None, seed=0, range_of="stack", noisy=noisy, ranges=RANGE
    )
    settings = {"noisy": noisy, "denoised": denoised, "prepared": prepared}
    return Denoised(**(settings | {"scores": scores} | changes))


def stack(side=16, n_planes=3):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (3, n_planes, side, side)).astype(np.uint8)


def test_the_mean_equals_that_of_compare():
    noisy, denoised, clean = stack()
    expected = compare(clean, noisy, denoised, axes="TYX", data_range=RANGE)
    assert result((noisy, denoised, clean)).mean == expected


@pytest.mark.qt_binding
def test_a_stack_shows_scores_of_the_plane_and_means(readout):
    shown = result(stack())
    readout.show_result(shown, "cells", (1,))
    lines = readout.text().splitlines()
    assert lines[0] == "\tnoisy\tdenoised\tgain"
    assert [line.split("\t")[0] for line in lines[1:-1]] == [
        "PSNR / dB, this plane",
        "SSIM, this plane",
        "PSNR / dB, 3 planes",
        "SSIM, 3 planes",
        "noise (sigma)",
    ]
    assert lines[1].split("\t")[1] == f"{shown.scores[1,].psnr_noisy:.2f}"
    assert lines[-1] == "cells: data range 0 to 255"


def test_ssim_is_not_available_for_small_planes(readout):
    readout.show_result(result(stack(side=6, n_planes=1)), "cells", (0,))
    assert readout.text().splitlines()[2] == "SSIM\tn/a\tn/a\tn/a"


def test_without_a_clean_image_there_is_no_psnr(readout):
    shown = result(stack(), scores={}, noise_before=12.345, noise_after=float("nan"))
    readout.show_result(shown, "cells", (0,))
    assert "dB" not in readout.text()
    assert "noise (sigma)\t12.35\tn/a\t" in readout.text()
    assert "no PSNR" in readout.text()


@pytest.mark.qt_binding
def test_the_table_is_copied_as_text(readout):
    readout.show_result(result(stack()), "cells", (0,))
    readout.copy()
    assert QApplication.clipboard().text() == readout.text()
    readout.clear_result()
    assert readout.text().strip() == "noisy\tdenoised\tgain"
