import dask.array as da
import numpy as np
import pytest
from qtpy.QtWidgets import QApplication, QLabel

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.denoise.form import DenoiseForm
from napari_denoise_ae._napari.shared.layout import DockScroll
from napari_denoise_ae._napari.shared.preferences import (
    prefer_device,
    preferred_device,
)
from napari_denoise_ae._napari.shared.remembered import remember
from napari_denoise_ae._napari.viewer.outputs import METADATA_KEY, find_output


def image(shape=(40, 56), dtype=np.uint16):
    return (4000 * np.random.default_rng(0).random(shape)).astype(dtype)


# --- the data type of the result


@pytest.mark.qt_binding
def test_a_float32_result_looks_like_its_source(viewer, widget, run):
    layer = viewer.add_image(image(), name="cells", contrast_limits=(100, 3000))
    widget.form.residual.value = True
    widget.form.dtype.value = "float32"
    assert "The result: float32, in memory" in widget.form.facts.details
    run(widget)
    result = viewer.layers["cells [denoised]"]
    expected = denoise(layer.data, dtype="float32")
    np.testing.assert_array_equal(result.data, expected)
    assert result.data.dtype == np.float32
    assert result.contrast_limits == layer.contrast_limits
    assert result.metadata[METADATA_KEY]["dtype"] == "float32"
    removed = viewer.layers["cells [residual]"].data
    np.testing.assert_array_equal(removed, layer.data - expected)
    # The same layer takes results of both types.
    widget.form.dtype.value = "input"
    assert "The result: uint16, in memory" in widget.form.facts.details
    run(widget)
    assert result in viewer.layers
    np.testing.assert_array_equal(result.data, denoise(layer.data))
    assert result.data.dtype == np.uint16
    assert result.contrast_limits == layer.contrast_limits
    viewer.screenshot(canvas_only=False, flash=False)


def test_the_copied_call_gives_the_float32_result(viewer, widget, run):
    viewer.add_image(image(), name="cells")
    widget.form.dtype.value = "float32"
    run(widget)
    widget.copy_python.click()
    namespace = {"viewer": viewer}
    exec(QApplication.clipboard().text(), namespace)
    result = viewer.layers["cells [denoised]"].data
    assert namespace["denoised"].dtype == np.float32
    np.testing.assert_array_equal(result, namespace["denoised"])


def test_a_lazy_layer_gives_a_lazy_float32_layer(viewer, widget, run):
    data = image((3, 60, 70))
    layer = viewer.add_image(
        da.from_array(data, chunks=(1, 60, 70)), contrast_limits=(0, 4000), name="movie"
    )
    widget.form.dtype.value = "float32"
    run(widget)
    result = viewer.layers["movie [denoised]"]
    assert isinstance(result.data, da.Array)
    assert result.data.dtype == np.float32
    assert result.contrast_limits == layer.contrast_limits
    expected = denoise(data, axes="TYX", dtype="float32")
    np.testing.assert_allclose(np.asarray(result.data), expected, rtol=1e-5)


def test_the_preview_is_float32_too(viewer, widget, qtbot):
    layer = viewer.add_image(image())
    widget.form.dtype.value = "float32"
    widget.preview_box.setChecked(True)
    qtbot.waitUntil(lambda: find_output(viewer, layer, "preview") is not None)
    preview = find_output(viewer, layer, "preview")
    assert preview.data.dtype == np.float32
    assert preview.contrast_limits == layer.contrast_limits


@pytest.mark.parametrize(
    ("dtype", "is_offered"), [(np.uint8, False), (np.float64, True)]
)
def test_napari_shows_float32_colors_only_for_colors_from_0_to_1(
    viewer, widget, run, dtype, is_offered
):
    widget.form.dtype.value = "float32"
    data = image((20, 24, 3), np.float64) / 4000
    data = data if is_offered else (255 * data).astype(dtype)
    viewer.add_image(data, rgb=True, name="photo")
    assert widget.form.dtype.isHidden() != is_offered
    run(widget)
    expected = np.float32 if is_offered else dtype
    assert viewer.layers["photo [denoised]"].data.dtype == expected


# --- settings that are remembered


def test_settings_survive_closing_the_widget(viewer):
    form = DenoiseForm(viewer)
    form.to_remove.kind.value = "Poisson-Gaussian"
    form.to_remove.strength.setValue(0.7)
    form.scope.value = "current slice"
    form.residual.value = True
    form.dtype.value = "float32"
    form.precision.value = "float32"
    form.seed.value = 5
    again = DenoiseForm(viewer)
    assert again.to_remove.value == form.to_remove.value
    assert again.scope.value == "current slice"
    assert again.residual.value
    assert (again.dtype.value, again.precision.value) == ("float32", "float32")
    assert again.denoise_options("YX").precision == "float32"
    assert again.seed.value == 0


def test_the_device_is_that_of_the_preferences(viewer):
    form = DenoiseForm(viewer)
    assert form.device.value == preferred_device() == "auto"
    form.device.value = "cpu"
    assert preferred_device() == "cpu"
    assert DenoiseForm(viewer).device.value == "cpu"
    prefer_device("auto")
    assert DenoiseForm(viewer).device.value == "auto"


def test_unreadable_settings_are_ignored(viewer):
    remember("denoise/strength", "strong")
    remember("denoise/scope", '"nowhere"')
    form = DenoiseForm(viewer)
    assert form.to_remove.strength.value() == 1.0
    assert form.scope.value == "everything"


# --- layout


@pytest.fixture
def narrow_scroll(viewer, qtbot):
    """Return a scroll area of the smallest width with a form."""
    scroll = DockScroll(DenoiseForm(viewer))
    qtbot.addWidget(scroll)
    scroll.resize(scroll.minimumWidth(), 400)
    scroll.show()
    return scroll


def is_cut_off(label):
    return label.height() < label.heightForWidth(label.width())


@pytest.mark.qt_binding
@pytest.mark.parametrize("kind", ["noisy", "clean"])
def test_wrapped_text_is_not_cut_off_in_a_narrow_form(narrow_scroll, qtbot, kind):
    form = narrow_scroll.widget()
    form.kind.value = kind
    texts = (form.axes_note, form.to_remove.estimate_note, form.preview_note)
    labels = [label for label in form.findChildren(QLabel) if label.wordWrap()]
    assert set(texts) < set(labels)
    # Form layouts cut off text of some lengths only, and only when it has changed.
    for n_words in range(1, 60, 4):
        for text in texts:
            text.setText("word " * n_words)
        qtbot.waitUntil(
            lambda: not any(map(is_cut_off, filter(QLabel.isVisible, labels))),
            timeout=20_000,
        )
    note = form.axes_note
    assert note.height() > 3 * note.fontMetrics().height()


# --- neighboring frames


def movie():
    """Return five repeats of a smooth image, with noise of sigma 200."""
    y, x = np.mgrid[:40, :56]
    clean = 2000 + 1000 * np.sin(x / 9) * np.cos(y / 7)
    noise = np.random.default_rng(0).normal(0, 200, (5, 40, 56))
    return (clean + noise).astype(np.uint16)


def test_frames_are_averaged_as_in_python(viewer, widget, run):
    layer = viewer.add_image(movie(), name="movie")
    widget.form.frames.value = 2
    run(widget)
    result = viewer.layers["movie [denoised]"]
    expected = denoise(layer.data, axes="TYX", frames=2)
    np.testing.assert_array_equal(result.data, expected)
    assert not np.array_equal(expected, denoise(layer.data, axes="TYX"))
    assert result.metadata[METADATA_KEY]["frames"] == 2
    widget.copy_python.click()
    namespace = {"viewer": viewer}
    exec(QApplication.clipboard().text(), namespace)
    np.testing.assert_array_equal(namespace["denoised"], expected)


@pytest.mark.parametrize("is_lazy", [False, True])
def test_a_slice_and_the_preview_use_the_frames_around_it(
    viewer, widget, run, qtbot, is_lazy
):
    data = movie()
    layer = viewer.add_image(da.from_array(data) if is_lazy else data, name="movie")
    viewer.dims.set_current_step(0, 3)
    widget.form.frames.value = 1
    expected = denoise(data, axes="TYX", frames=1)
    widget.preview_box.setChecked(True)
    qtbot.waitUntil(lambda: find_output(viewer, layer, "preview") is not None)
    preview = np.asarray(find_output(viewer, layer, "preview").data)
    first = (slice(3, 4), *(slice(0, length) for length in preview.shape[1:]))
    np.testing.assert_allclose(preview, expected[first], atol=1)
    widget.preview_box.setChecked(False)
    widget.form.scope.choice.setCurrentText("current slice")
    run(widget)
    part = np.asarray(viewer.layers["movie [denoised]"].data)
    np.testing.assert_allclose(part.reshape(40, 56), expected[3], atol=1)


@pytest.mark.parametrize(
    ("shape", "labels", "is_offered"),
    [
        ((40, 56), ("y", "x"), False),
        ((5, 40, 56), ("c", "y", "x"), False),
        ((5, 40, 56), ("z", "y", "x"), True),
    ],
)
def test_frames_are_offered_for_layers_that_have_some(
    viewer, widget, shape, labels, is_offered
):
    widget.form.frames.value = 2
    viewer.add_image(image(shape), axis_labels=labels)
    assert widget.form.frames.isHidden() != is_offered
    options = widget.form.denoise_options("".join(labels).upper())
    assert options.frames == (2 if is_offered else 0)
    widget.form.adapt_to_model(takes_noise_level=False, uses_range=True)
    assert widget.form.frames.isHidden()
