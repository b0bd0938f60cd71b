import dask.array as da
import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_denoise_ae import denoise, denoise_layer
from napari_denoise_ae._napari.viewer.guess_axes import find_axes
from napari_denoise_ae._napari.viewer.plan import describe_plan

UNNAMED = ("-5", "-4", "-3", "-2", "-1")


@pytest.mark.parametrize(
    ("labels", "shape", "rgb", "text"),
    [
        (("t", "c", "y", "x"), (50, 2, 512, 512), False,
         "50 frames x 2 channels, each 512 x 512 image denoised separately. Each "
         "channel has its own intensity range."),
        (("z", "y", "x"), (1, 8, 9, 3), True,
         "1 depth, each 8 x 9 color image denoised separately."),
        (UNNAMED[-2:], (8, 9), False, "One 8 x 9 image."),
        (UNNAMED[-4:], (7, 1, 8, 9), False,
         "7 frames x 1 depth, each 8 x 9 image denoised separately."),
    ],
)  # fmt: skip
def test_the_plan_describes_the_stack(labels, shape, rgb, text):
    axes = find_axes(labels, "cells", rgb=rgb)
    assert describe_plan(axes, shape, "intensity range") == text


def test_the_widget_shows_the_plan_before_denoising(viewer, widget):
    layer = viewer.add_image(np.zeros((4, 2, 8, 9), np.uint16), axis_labels="tcyx")
    text = widget.form.facts.details
    assert text.startswith("4 frames x 2 channels, each 8 x 9 image denoised")
    ending = "Each channel has its own {}. The result: uint16, in memory."
    assert text.endswith(ending.format("noise level"))
    widget.form.model.value = "conv"
    assert widget.form.facts.details.endswith(ending.format("intensity range"))
    layer.axis_labels = ("z", "t", "y", "x")
    assert widget.form.facts.details.startswith("4 depths x 2 frames")
    layer.axis_labels = ("y", "x", "t", "c")
    assert "must be the last two" in widget.form.axes_note.text()
    assert widget.form.axes.isHidden()
    viewer.layers.clear()
    assert widget.form.axes_note.isHidden()
    assert not widget.form.facts.details


@pytest.mark.parametrize("model", ["auto", "conv"])
@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_each_channel_has_its_own_scaling(viewer, widget, run, model):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 100, (3, 2, 20, 24)).astype(np.uint16)
    data[:, 1] *= 50
    viewer.add_image(data, axis_labels=("t", "c", "y", "x"))
    widget.form.model.value = model
    assert run(widget).startswith("done")
    expected = denoise(data, model=model, axes="TCYX")
    np.testing.assert_array_equal(viewer.layers[1].data, expected)
    assert (expected != denoise(data, model=model, axes="TZYX")).any()


def fading():
    """Return frames with a quarter of the light of the previous frame each."""
    light = np.array([64, 16, 4])[:, np.newaxis, np.newaxis]
    noise = np.random.default_rng(0).integers(0, 100, (3, 40, 48))
    return (light * noise).astype(np.uint16)


@pytest.mark.parametrize("model", ["auto", "conv"])
@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_each_image_can_be_measured_separately(viewer, widget, run, model):
    data = fading()
    viewer.add_image(data)
    widget.form.model.value = model
    widget.form.range_of.value = "image"
    measured = "noise level" if model == "auto" else "intensity range"
    assert f"Each image has its own {measured}." in widget.form.facts.details
    assert run(widget).startswith("done")
    expected = denoise(data, model=model, axes="TYX", range_of="image")
    np.testing.assert_array_equal(viewer.layers[1].data, expected)
    assert (expected != denoise(data, model=model, axes="TYX")).any()
    widget.copy_python.click()
    names = {"viewer": viewer}
    exec(QApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["denoised"], expected)
    again = denoise_layer(viewer.layers[0], model=model, range_of="image")
    np.testing.assert_array_equal(again.data, expected)


@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_each_image_of_a_lazy_stack_can_be_measured_separately(viewer, widget, run):
    data = fading()
    viewer.add_image(da.from_array(data, chunks=(1, 40, 48)), contrast_limits=(0, 6400))
    widget.form.range_of.value = "image"
    run(widget)
    expected = denoise(data, axes="TYX", range_of="image")
    np.testing.assert_array_equal(viewer.layers[1].data.compute(), expected)


def test_measured_in_is_hidden_for_a_single_image(viewer, widget):
    viewer.add_image(fading())
    widget.form.range_of.value = "image"
    assert not widget.form.range_of.isHidden()
    viewer.add_image(fading()[0])
    assert widget.form.range_of.isHidden()
    assert widget.form.measured_in == "stack"
