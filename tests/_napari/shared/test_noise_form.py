"""Tests of the form for the noise to remove, in a real viewer."""

import threading
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.shared.noise_form import (
    CURVE,
    ESTIMATED,
    GIVEN,
    MEASURED,
    NoiseForm,
)
from napari_denoise_ae._napari.shared.noise_plot import NoisePlot
from napari_denoise_ae._napari.viewer.outputs import METADATA_KEY, find_output
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.model_ranges import find_model_ranges
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.noise.measure import NoisePoints
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate
from napari_denoise_ae.noise.setting import NoiseSetting

from synthetic import random_checkpoint, smooth_photo  # isort: skip


def noisy_photo(sigma=20.0, shape=(96, 120), dtype=np.uint8):
    clean = 255 * smooth_photo(*shape, channels=1)[..., 0]
    noisy = clean + np.random.default_rng(0).normal(0, sigma, shape)
    return np.clip(np.rint(noisy), 0, 255).astype(dtype)


def photons(gain=4.0, shape=(160, 200)):
    clean = 20 + 200 * smooth_photo(*shape, channels=1)[..., 0]
    return (gain * np.random.default_rng(0).poisson(clean)).astype(np.uint16)


@pytest.fixture
def form(widget):
    return widget.form.to_remove


@pytest.fixture
def wait_for_noise(qtbot, form):
    def wait(start="Found: "):
        qtbot.waitUntil(lambda: form.estimate_note.text().startswith(start))
        return form.estimate_note.text()

    return wait


# --- visible fields


def test_auto_comes_first_and_is_chosen(viewer, widget):
    assert widget.form.model.editor.values[0] == widget.form.model.value == "auto"
    assert widget.form.model.editor.itemText(0) == "auto (gray or rgb)"


def test_the_form_is_shown_only_for_models_that_take_a_noise_level(
    viewer, widget, form, qtbot, tmp_path
):
    unet, conv = tmp_path / "unet.pt", tmp_path / "conv.pt"
    save_checkpoint(random_checkpoint(network="unet"), unet)
    save_checkpoint(random_checkpoint(), conv)
    for model, takes_noise_level in (
        ("auto", True),
        ("conv", False),
        (str(unet), True),
        (str(conv), False),
        ("gray", True),
    ):
        model_choice(viewer).choose(model)
        qtbot.waitUntil(lambda shown=takes_noise_level: form.isHidden() != shown)
        noise = widget.form.denoise_options("YX").noise
        assert (noise == NoiseSetting()) or takes_noise_level
        form.strength.setValue(0.5)
        expected = NoiseSetting(strength=0.5) if takes_noise_level else NoiseSetting()
        assert widget.form.denoise_options("YX").noise == expected


@pytest.mark.qt_binding
def test_each_kind_of_noise_shows_its_fields(viewer, form):
    for kind, has_sigma, has_curve in (
        (MEASURED, False, True),
        (ESTIMATED, False, False),
        (GIVEN, True, False),
        (CURVE, False, True),
    ):
        form.kind.value = kind
        assert form.sigma.isHidden() != has_sigma
        assert form.correlation.isHidden() != has_sigma
        assert form.curve.isHidden() != has_curve


def test_the_fields_make_a_noise_setting(qtbot):
    form = NoiseForm()
    qtbot.addWidget(form)
    assert form.value == NoiseSetting()
    form.strength.setValue(1.3)
    form.kind.value = CURVE
    assert form.value == NoiseSetting(noise_type="poisson-gaussian", strength=1.3)
    form.kind.value = ESTIMATED
    assert form.value == NoiseSetting(noise_type="gaussian", strength=1.3)
    form.kind.value = GIVEN
    form.sigma.value = "1e1"
    assert form.value == NoiseSetting(sigma=10.0, strength=1.3)
    form.correlation.value = "0.5, 0"
    form.hot_pixels.value = True
    assert form.value == NoiseSetting(
        sigma=10.0, correlation=(0.5, 0.0), strength=1.3, replace_hot_pixels=True
    )
    for wrong in ("much", "0.5", "0.5 0.5", "1, 1", "0.1, -0.1", "nan, 0"):
        form.correlation.value = wrong
        with pytest.raises(InvalidInputError, match="correlation must be two numbers"):
            assert form.value
    form.kind.value = ESTIMATED
    assert form.value.correlation is None
    form.kind.value, form.correlation.value = GIVEN, ""
    for wrong in ("", "much", "-1", "nan"):
        form.sigma.value = wrong
        with pytest.raises(InvalidInputError, match="sigma must be a finite number"):
            assert form.value


# --- description of the model


def test_models_that_take_a_noise_level_are_described(viewer, widget, qtbot):
    tooltip = widget.form.model.editor.toolTip
    qtbot.waitUntil(lambda: "rgb for color images, and gray" in tooltip())
    assert "any noise level" in tooltip()
    widget.form.model.value = "rgb"
    qtbot.waitUntil(lambda: "dB on its validation" in tooltip())
    assert "Chosen: For any noise level" in tooltip()


# --- estimated noise


@pytest.mark.qt_binding
def test_the_noise_is_estimated_before_denoising(viewer, widget, form, wait_for_noise):
    image = noisy_photo()
    viewer.add_image(image)
    wait_for_noise()
    planes, model = ArrayPlanes.of(image, "YX"), load_checkpoint("gray")
    sigma = find_model_ranges(planes, model, DenoiseOptions()).ranges[0].sigma
    assert sigma == pytest.approx(20, rel=0.15)
    assert form.estimate_note.text().startswith(
        f"Found: noise has one level: sigma {sigma:.4g}; neighboring pixels independent"
    )
    assert form.sigma.value == float(f"{sigma:.4g}")


def test_a_typed_sigma_stays_until_another_layer_is_chosen(
    viewer, widget, form, wait_for_noise, qtbot
):
    viewer.add_image(noisy_photo())
    wait_for_noise()
    form.kind.value = GIVEN
    estimate = wait_for_noise("Estimated: ").removeprefix("Estimated: ")
    form.sigma.editor.clear()
    qtbot.keyClicks(form.sigma.editor, "7")
    qtbot.wait(300)
    wait_for_noise("Estimated: ")
    assert form.sigma.value == 7
    assert form.estimate_note.text().endswith(estimate)
    viewer.add_image(noisy_photo(sigma=5.0))
    qtbot.waitUntil(lambda: form.sigma.value != 7)
    assert form.sigma.value == pytest.approx(5, rel=0.2)


@pytest.mark.qt_binding
def dashed(item):
    return pg.mkPen(item.opts["pen"]).style() == Qt.PenStyle.DashLine


def plotted(form):
    """Return the points and the line of each channel, as x and y."""
    form.curve.expand()
    curves = [item.getData() for item in form.plot.listDataItems() if not dashed(item)]
    return list(zip(curves[::2], curves[1::2], strict=True))


@pytest.mark.parametrize("kind", [MEASURED, CURVE])
def test_the_noise_curve_is_measured_and_plotted(viewer, form, wait_for_noise, kind):
    viewer.add_image(photons(gain=4.0))
    form.kind.value = kind
    wait_for_noise("Found: noise grows with intensity: gain")
    gain = float(form.estimate_note.text().split()[6].rstrip(",;"))
    assert gain == pytest.approx(4.0, rel=0.2)
    (((intensities, variances), ((low, high), (at_low, at_high))),) = plotted(form)
    assert len(intensities) == len(variances) > 2
    assert (low, high) == (intensities.min(), intensities.max())
    assert (at_high - at_low) / (high - low) == pytest.approx(gain, rel=1e-3)
    form.kind.value = ESTIMATED
    wait_for_noise("Found: noise has one level")
    assert not plotted(form)


def test_noise_of_one_level_is_drawn_as_a_flat_line(viewer, form, wait_for_noise):
    viewer.add_image(noisy_photo(shape=(160, 200)))
    wait_for_noise("Found: noise has one level")
    (level,) = {each.noise.sigma**2 for each in form.found.points}
    (((_, measured), (_, drawn)),) = plotted(form)
    assert list(drawn) == [level, level]
    lowest, highest = form.plot.viewRange()[1]
    assert lowest <= 0 < measured.max() < highest


def test_channels_have_colors_of_their_own_and_the_legend_is_above_them(qtbot):
    plot = NoisePlot()
    qtbot.addWidget(plot)
    points = NoisePoints(NoiseEstimate(sigma=1.0), np.arange(5.0), np.ones(5), 4.0)
    plot.set_points([points] * 4)
    lines = plot.listDataItems()[1::2]
    colors = {pg.mkPen(line.opts["pen"]).color().name() for line in lines}
    assert len(colors) == 4
    names = [label.text for _, label in plot.plotItem.legend.items]
    assert names == ["channel 0", "channel 1", "channel 2", "channel 3"]
    assert plot.viewRange()[1][1] > 1.6
    assert not plot.missing
    assert not any(map(dashed, plot.listDataItems()))
    plot.set_points([points, replace(points, brightest=20.0)])
    text = "Channel 1: above 4, no smooth part to measure: the line is extended."
    assert plot.missing == text
    (extended,) = filter(dashed, plot.listDataItems())
    assert list(extended.getData()[0]) == [4.0, 20.0]
    plot.set_points([])
    assert not plot.plotItem.legend.items


@pytest.mark.qt_binding
def test_the_plot_follows_the_theme(viewer, form):
    viewer.theme = "light"
    light = form.plot.backgroundBrush().color().name()
    viewer.theme = "dark"
    assert form.plot.backgroundBrush().color().name() != light


@pytest.mark.parametrize("sigma", ["", "much", "-3"])
def test_an_invalid_sigma_shows_one_message(viewer, widget, run, messages, form, sigma):
    viewer.add_image(noisy_photo())
    form.kind.value = GIVEN
    form.sigma.value = sigma
    run(widget)
    assert len(messages()) == 1
    assert "sigma must be a finite number" in messages()[0]
    assert len(viewer.layers) == 1


def test_an_image_too_small_for_a_noise_curve_shows_one_message(
    viewer, widget, run, messages, form
):
    viewer.add_image(np.random.default_rng(0).normal(100, 5, (12, 12)))
    form.kind.value = CURVE
    assert run(widget) == "failed"
    assert len(messages()) == 1
    assert "Measuring the noise requires" in messages()[0]


# --- denoising


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"strength": 0.4},
        {"strength": 0.0},
        {"sigma": 30.0},
        {"noise_type": "poisson-gaussian"},
        {"noise_type": "poisson-gaussian", "strength": 1.5},
        {"sigma": 30.0, "correlation": (0.4, 0.2)},
        {"replace_hot_pixels": True},
    ],
)
def test_the_result_equals_that_of_denoise_and_of_the_copied_code(
    viewer, widget, form, run, options, qtbot
):
    data = photons()
    data[50, 60] = 60_000
    viewer.add_image(data, name="it's")
    kinds = {"sigma": GIVEN, "noise_type": CURVE}
    form.kind.value = next((kinds[key] for key in options if key in kinds), MEASURED)
    form.strength.setValue(options.get("strength", 1.0))
    if "sigma" in options:
        form.sigma.value = str(options["sigma"])
        form.correlation.value = ", ".join(map(str, options.get("correlation", ())))
    form.hot_pixels.value = "replace_hot_pixels" in options
    assert run(widget).startswith("done")
    result = viewer.layers[-1]
    np.testing.assert_array_equal(result.data, denoise(data, **options))
    assert (result.data == data).all() == (options.get("strength") == 0.0)
    assert (result.data[50, 60] == 60_000) == ("replace_hot_pixels" not in options)
    known = result.metadata[METADATA_KEY]
    assert known.items() >= options.items()
    kind = "gaussian" if "sigma" in options else "poisson-gaussian"
    assert known["measured_noise"]["kind"] == kind
    assert "intensity_range" not in known
    assert known["model"] == "gray"
    qtbot.waitUntil(lambda: form.found is not None)
    widget.copy_python.click()
    code = QApplication.clipboard().text()
    assert ("noise_type=NoiseEstimate(kind='poisson" in code) == (
        "sigma" not in options
    )
    told = {key: value for key, value in options.items() if key != "noise_type"}
    assert all(f"{key}={value!r}" in code for key, value in told.items())
    assert ("sigma" in code) == ("sigma" in options)
    namespace = {"viewer": viewer}
    exec(code, namespace)
    np.testing.assert_array_equal(namespace["denoised"], result.data)


def test_added_noise_is_measured(viewer, widget, form, run):
    viewer.add_image(noisy_photo(sigma=0.0), name="clean")
    widget.form.kind.value = "clean"
    widget.form.noise.value = "gaussian:0.1"
    form.strength.setValue(0.7)
    run(widget)
    measured = viewer.layers[-1].metadata[METADATA_KEY]["measured_noise"]
    assert measured["sigma"] == pytest.approx(25.5, rel=0.15)
    expected = denoise(viewer.layers["clean [noisy]"].data, strength=0.7)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)
    widget.copy_python.click()
    namespace = {"viewer": viewer}
    exec(QApplication.clipboard().text(), namespace)
    np.testing.assert_array_equal(namespace["denoised"], expected)


def test_what_was_found_is_forgotten_when_noise_is_to_be_added(
    viewer, widget, form, wait_for_noise, qtbot
):
    viewer.add_image(noisy_photo(sigma=5.0))
    wait_for_noise()
    widget.form.kind.value = "clean"
    assert form.found is None
    assert form.estimate_note.isHidden()
    qtbot.waitUntil(lambda: form.found is not None)
    assert form.found.sigma > 20


def test_a_model_without_a_noise_level_gets_an_intensity_range(viewer, widget, run):
    data = noisy_photo(dtype=np.uint16)
    viewer.add_image(data)
    widget.form.to_remove.strength.setValue(0.2)
    widget.form.model.value = "conv"
    run(widget)
    known = viewer.layers[-1].metadata[METADATA_KEY]
    assert known["intensity_range"] == (data.min(), data.max())
    assert "measured_noise" not in known


# --- the preview


@pytest.fixture
def wait_for_preview(viewer, widget, qtbot):
    def wait(change):
        shown = []
        widget._preview.status_changed.connect(shown.append)
        change()
        qtbot.waitUntil(lambda: bool(shown))
        assert shown == [""]
        return find_output(viewer, widget.form.source, "preview")

    return wait


def crop_of(full, layer, preview):
    first = layer.world_to_data(preview.data_to_world((0,) * preview.ndim))
    shape = preview.data.shape
    starts = np.round(first).astype(int)
    cuts = (slice(a, a + n) for a, n in zip(starts, shape, strict=True))
    return full[tuple(cuts)]


@pytest.mark.qt_binding
def test_the_preview_follows_the_slider_without_measuring_again(
    viewer, widget, form, wait_for_preview, monkeypatch
):
    from napari_denoise_ae._napari.denoise import denoise_job

    measured = []
    measure = denoise_job.measure_ranges

    def count(windows, groups, noise):
        measured.append(noise)
        return measure(windows, groups, noise)

    monkeypatch.setattr(denoise_job, "measure_ranges", count)
    stack = np.stack([noisy_photo(), noisy_photo(sigma=40.0)])
    layer = viewer.add_image(stack)
    viewer.dims.set_point(0, 1)
    wait_for_preview(lambda: widget.preview_box.setChecked(True))
    for strength in (0.3, 1.7):
        preview = wait_for_preview(lambda s=strength: form.strength.setValue(s))
        # All planes share one noise level, so the preview equals the full result.
        full = denoise(stack, axes="TYX", strength=strength)
        np.testing.assert_array_equal(preview.data, crop_of(full, layer, preview))
        assert preview.metadata[METADATA_KEY]["strength"] == strength
    assert measured == [NoiseSetting()]
    preview = wait_for_preview(lambda: setattr(form.kind, "value", CURVE))
    assert measured == [NoiseSetting(), NoiseSetting(noise_type="poisson-gaussian")]


def test_the_preview_uses_every_noise_option(viewer, widget, form, wait_for_preview):
    data = noisy_photo()
    data[46:51, 58:63] = 20
    data[48, 60] = 255
    layer = viewer.add_image(data)
    wait_for_preview(lambda: widget.preview_box.setChecked(True))
    options = {"sigma": 20.0, "correlation": (0.4, 0.2), "replace_hot_pixels": True}
    form.kind.value = GIVEN
    form.sigma.value, form.correlation.value = "20", "0.4, 0.2"
    preview = wait_for_preview(lambda: setattr(form.hot_pixels, "value", True))
    full = denoise(data, **options)
    assert full[48, 60] < 200
    np.testing.assert_array_equal(preview.data, crop_of(full, layer, preview))


def test_moving_the_slider_computes_only_the_latest_preview(
    viewer, widget, form, wait_for_preview, monkeypatch, qtbot
):
    levels = []
    running = []
    proceed = threading.Event()
    run_network = Denoiser.run_network

    def run_slowly(self, batch, level=None):
        running.append(level)
        levels.append((level, len(running)))
        proceed.wait(60)
        result = run_network(self, batch, level)
        running.remove(level)
        return result

    viewer.add_image(noisy_photo())
    wait_for_preview(lambda: widget.preview_box.setChecked(True))
    monkeypatch.setattr(Denoiser, "run_network", run_slowly)
    form.strength.setValue(0.5)
    qtbot.waitUntil(lambda: bool(levels))

    def move():
        for strength in (0.6, 0.7, 0.8):
            form.strength.setValue(strength)
            qtbot.wait(200)
        proceed.set()

    preview = wait_for_preview(move)
    # The one that was running and the latest, never two at a time.
    assert len(levels) == 2
    assert [n_running for _, n_running in levels] == [1, 1]
    assert preview.metadata[METADATA_KEY]["strength"] == 0.8
