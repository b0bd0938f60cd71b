from __future__ import annotations

import json
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from skimage.data import camera

from napari_denoise_ae import add_noise, assess, denoise, load_checkpoint
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.evaluation.metrics import psnr
from napari_denoise_ae.evaluation.trust.api import as_planes
from napari_denoise_ae.evaluation.trust.assessment import Assessment
from napari_denoise_ae.evaluation.trust.facts import Facts
from napari_denoise_ae.evaluation.trust.others import Others
from napari_denoise_ae.evaluation.trust.pictures import draw_window
from napari_denoise_ae.evaluation.trust.study import N_PASSES, Study
from napari_denoise_ae.evaluation.trust.windows import Place
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate

CLEAN = camera()[64:224, 128:288].astype(np.float64)
CPU = {"device": "cpu"}


def noisy_image(noise="gaussian:0.1,unclipped"):
    return add_noise(CLEAN, noise, rng=0, intensity_range=(0, 255))


def finding(report, name):
    (found,) = (each for each in report.findings if each.name == name)
    return found


def report_of(noisy, assumed=None, **options):
    denoised = denoise(noisy, **CPU, **options)
    return denoised, assess(noisy, denoised, **CPU, **(assumed or options))


def test_a_good_result_is_fine_and_its_error_in_the_range():
    noisy = noisy_image()
    denoised = denoise(noisy, **CPU)
    report = assess(noisy, denoised, data_range=(0, 255), pixel_size=(0.5, "µm"), **CPU)
    assert report.light == "fine"
    assert report.reasons == ()
    true, figures = psnr(CLEAN, denoised, data_range=255), report.figures
    assert figures["psnr_low"] < true < figures["psnr_high"]
    assert figures["psnr_high"] - figures["psnr_low"] < 3
    assert figures["noise_level"] == pytest.approx(25.5, rel=0.05)
    error = np.abs(denoised - CLEAN)
    (window,) = report.windows
    uncertain = window.error > np.median(window.error)
    assert error[uncertain].mean() > 1.2 * error[~uncertain].mean()
    assert report.curve.transfer[0] == pytest.approx(1, abs=0.1)
    assert "µm" in finding(report, "resolution").sentence
    assert json.loads(json.dumps(report.as_record()))["light"] == "fine"
    assert "fine: all pixels of the image" in str(report)


@pytest.mark.parametrize(
    ("strength", "name", "light", "others"),
    [
        (2.5, "smoothing", "do not trust", "leftover noise"),
        (0.5, "leftover noise", "look closer", "smoothing"),
    ],
)
def test_alarms(strength, name, light, others):
    _, report = report_of(noisy_image(), strength=strength)
    assert report.light == finding(report, name).light == light
    assert finding(report, others).light == "fine"
    assert report.windows[0].error is None


def test_correlated_noise_leaves_out_the_other_figures():
    _, report = report_of(noisy_image("gaussian:0.1,blur=1,unclipped"))
    assert report.light == "look closer"
    assert finding(report, "noise").sentence.startswith("Neighboring pixels share")
    assert "psnr" not in report.figures
    assert report.curve is None


def test_a_result_that_is_the_input_is_not_trusted():
    noisy = noisy_image()
    report = assess(noisy, noisy, **CPU)
    assert report.light == "do not trust"
    assert finding(report, "leftover noise").light != "fine"


def test_the_options_must_be_those_of_the_result():
    _, report = report_of(noisy_image(), assumed={"strength": 0.9}, strength=1.5)
    assert report.light != "fine"
    assert "not that of this model" in finding(report, "error").sentence


def test_without_noise_no_check_is_fine():
    report = assess(np.full((64, 64), 7.0), np.full((64, 64), 7.0), **CPU)
    assert report.light == "look closer"
    assert "No noise detected" in report.findings[0].sentence
    checks = [each for each in report.findings if each.name != "noise"]
    assert all(each.sentence.startswith("Not checked") for each in checks)


@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
@pytest.mark.parametrize("options", [{"sigma": 20.0}, {}], ids=["given", "measured"])
def test_a_saturated_image_is_not_checked(options):
    noisy = np.full((64, 64), 255, dtype=np.uint8)
    if not options:
        noisy[::13, ::11] = np.arange(200, 230).reshape(5, 6)  # nearly all clipped
    _, report = report_of(noisy, **options)
    assert report.light == "look closer"
    checks = [each for each in report.findings if each.name != "noise"]
    reason = "nearly all" if options else "no noise was detected"
    assert all(each.sentence.startswith(f"Not checked: {reason}") for each in checks)


@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
@pytest.mark.parametrize("range_of", ["stack", "image"])
def test_planes_without_noise_are_left_out(range_of):
    noisy = noisy_image()[:96, :96]
    planes = [np.full_like(noisy, 255), noisy, np.full_like(noisy, np.nan), noisy]
    options = {"axes": "TYX", "range_of": range_of, **CPU}
    stack = np.stack(planes)
    denoised = denoise(stack, **options)
    report = assess(stack, denoised, scope="all", data_range=(0, 255), **options)
    single = assess(noisy, denoise(noisy, **CPU), data_range=(0, 255), **CPU)
    for name in ("psnr", "noise_level", "removed_over_expected"):
        assert report.figures[name] == pytest.approx(single.figures[name], rel=0.05)
    assert (
        "Left out of the checks: 2 of 4 parts" in finding(report, "error map").sentence
    )
    assert report.light == "look closer"
    assert draw_window(report.windows[2])


def test_a_window_whose_middle_is_saturated_is_not_said_to_be_of_another_model():
    pixels = np.zeros((256, 256, 1))
    counted = np.ones(pixels.shape, dtype=bool)
    counted[40:216, 40:216] = False
    noise = NoiseEstimate(sigma=1.0)
    rerun = SimpleNamespace(noise=noise, counted=lambda *_: counted, level=np.ones_like)
    facts = Facts(
        noise=noise,
        measured=noise,
        is_given=False,
        strength=1.0,
        takes_noise_level=True,
        is_rounded=False,
        n_windows=1,
    )
    place = Place((), (slice(0, 256), slice(0, 256)))
    list(Study(facts, rerun, place, pixels, pixels, is_whole=False))
    assert facts.reason_unchecked.startswith("most pixels are clipped")


def test_a_tiny_image_is_not_checked():
    noisy = noisy_image()[:20, :20]
    report = assess(noisy, denoise(noisy, **CPU), **CPU)
    assert report.light == "look closer"
    assert "too few pixels" in finding(report, "smoothing").sentence


@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_rounding_is_reported():
    photons = np.random.default_rng(0).poisson(CLEAN / 20).astype(np.uint8)
    _, report = report_of(photons)
    assert report.figures["rounding_loss_db"] > 0.2
    assert "dtype float32" in finding(report, "error").sentence
    # All results are 0, which is far closer to the truth than 1/12 of a gray level.
    few = np.random.default_rng(0).poisson(CLEAN / 1000).astype(np.uint8)
    denoised, report = report_of(few)
    error = np.sqrt(np.square(denoised - CLEAN / 1000).mean())
    assert report.figures["typical_error"] == pytest.approx(error, rel=0.2)


def test_clipped_noise_has_no_error_map():
    noisy = noisy_image("gaussian:0.06")
    _, report = report_of(noisy)
    assert finding(report, "error map").sentence.endswith("if noise is clipped.")
    assert report.windows[0].error is None
    assert report.light != "fine"


def test_removed_texture_leaves_out_the_error_map():
    clean = CLEAN.copy()
    rows, columns = np.mgrid[:160, :160]
    stripes = 35 * np.sin(2 * np.pi * (columns / 3 + rows / 7))
    clean[:, 20:140] += stripes[:, 20:140]
    noise = "gaussian:0.2,unclipped"
    noisy = add_noise(clean, noise, rng=0, intensity_range=(0, 255))
    _, report = report_of(noisy)
    assert (
        "two estimates of the error disagree" in finding(report, "error map").sentence
    )
    assert report.windows[0].error is None
    assert report.light == "look closer"


def test_a_clean_image_and_repeats():
    noisy, *repeats = (
        add_noise(CLEAN, "gaussian:0.1,unclipped", rng=n, intensity_range=(0, 255))
        for n in range(4)
    )
    denoised = denoise(noisy, **CPU)
    report = assess(
        noisy, denoised, clean=CLEAN, repeats=repeats, data_range=(0, 255), **CPU
    )
    figures, error = report.figures, np.sqrt(np.square(denoised - CLEAN).mean())
    true = psnr(CLEAN, denoised, data_range=255)
    assert figures["reference_psnr"] == pytest.approx(true)
    assert figures["reference_error"] == pytest.approx(error)
    assert figures["repeats_error_low"] < error < figures["repeats_error_high"]
    assert figures["repeats_error_high"] < 1.3 * figures["repeats_error_low"]
    assert 2 < figures["agreement_period"] < 6


def test_progress_counts_the_passes_over_repeats():
    planes = [as_planes(noisy_image(), None) for _ in range(3)]
    run = Assessment(
        planes[0],
        as_planes(denoise(noisy_image(), **CPU), None),
        Denoiser(load_checkpoint("gray"), choose_device("cpu")),
        DenoiseOptions(),
        others=Others(repeats=planes[1:]),
    )
    steps = [(step.done, step.total) for step in run]
    assert steps == [(n, N_PASSES + 1) for n in range(1, N_PASSES + 2)]
    assert "repeats_error_low" in run.report.figures


def test_nan_is_left_out():
    noisy = noisy_image()
    noisy[:20] = np.nan
    denoised, report = report_of(noisy)
    assert report.light == "fine"
    error = np.sqrt(np.nanmean(np.square(denoised - CLEAN)))
    figures = report.figures
    assert figures["typical_error_low"] < error < figures["typical_error_high"]


def test_channels_and_planes_and_lazy_arrays():
    noisy = np.stack([noisy_image(), 3 * noisy_image()])[:, np.newaxis]
    stack = np.repeat(noisy, 4, axis=1)[..., :64, :64]  # CTYX
    options = {"axes": "CTYX", **CPU}
    denoised = denoise(stack, **options)
    reports = assess(da.from_array(stack), da.from_array(denoised), **options)
    assert [report.sampled for report in reports] == [
        f"all pixels of planes C={c}, T=0; C={c}, T=1; C={c}, T=3" for c in (0, 1)
    ]
    levels = [report.figures["noise_level"] for report in reports]
    assert levels[1] == pytest.approx(3 * levels[0])


@pytest.mark.parametrize(
    ("denoised", "options", "message"),
    [
        (np.zeros((8, 9)), {}, "same shape"),
        (np.full((8, 8), np.inf), {}, "infinite"),
        (np.zeros((8, 8)), {"scope": "some"}, "scope must be"),
        (np.zeros((8, 8)), {"data_range": (2, 1)}, "data_range must be"),
        (np.zeros((8, 8)), {"pixel_size": (0, "µm")}, "size of a pixel"),
    ],
)
def test_bad_input(denoised, options, message):
    with pytest.raises(InvalidInputError, match=message):
        assess(np.zeros((8, 8)), denoised, **CPU, **options)
