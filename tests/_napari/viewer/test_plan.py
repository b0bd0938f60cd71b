import dask.array as da
import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_denoise_ae import denoise, denoise_layer
from napari_denoise_ae._napari.viewer.axes import read_axes
from napari_denoise_ae._napari.viewer.plan import describe_plan, find_axes
from napari_denoise_ae.errors import InvalidInputError

UNNAMED = ("-5", "-4", "-3", "-2", "-1")


@pytest.mark.parametrize(
    ("labels", "rgb", "letters", "assumed"),
    [
        (("y", "x"), False, "YX", ""),
        (UNNAMED[-2:], True, "YXS", ""),
        (("Time", "Channel", "Y", "X"), False, "TCYX", ""),
        (("z", "y", "x"), True, "ZYXS", ""),
        (UNNAMED[-3:], False, "TYX", "T"),
        (UNNAMED, False, "TZCYX", "TZC"),
        (("stage", "t", "y", "x"), False, "ZTYX", "Z"),
    ],
)
def test_axes_are_those_that_the_layer_names(labels, rgb, letters, assumed):
    axes = find_axes(labels, "cells", rgb=rgb)
    assert (axes.letters, axes.assumed) == (letters, assumed)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("y", "x", "t"), "y, x, t.* must be the last two"),
        (("t", "time", "y", "x"), "two of them mean the same"),
        (("-6", *UNNAMED), "6 dimensions; 2 to 5"),
    ],
)
def test_axes_that_cannot_be_denoised_are_said(labels, expected):
    with pytest.raises(InvalidInputError, match=expected):
        find_axes(labels, "cells", rgb=False)


@pytest.mark.parametrize(
    ("labels", "shape", "rgb", "said"),
    [
        (("t", "c", "y", "x"), (50, 2, 512, 512), False,
         "50 frames x 2 channels, each 512 x 512 image by itself. Each channel has an "
         "intensity range of its own."),
        (("z", "y", "x"), (1, 8, 9, 3), True,
         "1 depth, each 8 x 9 color image by itself."),
        (UNNAMED[-2:], (8, 9), False, "One 8 x 9 image."),
        (UNNAMED[-3:], (7, 8, 9), False,
         "7 frames, each 8 x 9 image by itself. Axis 1 has no name and is taken as "
         "frames (set axis labels)."),
        (UNNAMED[-4:], (7, 1, 8, 9), False,
         "7 frames x 1 depth, each 8 x 9 image by itself. Axes 1, 2 have no names and "
         "are taken as frames, depths (set axis labels)."),
    ],
)  # fmt: skip
def test_what_will_be_done_is_said(labels, shape, rgb, said):
    axes = find_axes(labels, "cells", rgb=rgb)
    assert describe_plan(axes, shape, "an intensity range") == said


def test_the_widget_says_it_before_anything_runs(viewer, widget):
    layer = viewer.add_image(np.zeros((4, 2, 8, 9), np.uint16), axis_labels="tcyx")
    assert not widget.form.plan.isHidden()
    said = widget.form.plan.text()
    assert said.startswith("4 frames x 2 channels, each 8 x 9 image by itself.")
    own = "Each channel has {} of its own. The result: uint16, in memory."
    assert said.endswith(own.format("a noise level"))
    widget.form.model.value = "conv"
    assert widget.form.plan.text().endswith(own.format("an intensity range"))
    layer.axis_labels = ("z", "t", "y", "x")
    assert widget.form.plan.text().startswith("4 depths x 2 frames")
    layer.axis_labels = ("y", "x", "t", "c")
    assert "must be the last two" in widget.form.plan.text()
    viewer.layers.clear()
    assert widget.form.plan.isHidden()


@pytest.mark.parametrize("model", ["auto", "conv"])
@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_channels_are_seen_each_by_itself(viewer, widget, run, model):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 100, (3, 2, 20, 24)).astype(np.uint16)
    data[:, 1] *= 50
    viewer.add_image(data, axis_labels=("t", "c", "y", "x"))
    widget.form.model.value = model
    assert run(widget).startswith("done")
    expected = denoise(data, model=model, axes="TCYX")
    np.testing.assert_array_equal(viewer.layers[1].data, expected)
    assert (expected != denoise(data, model=model, axes="TZYX")).any()


def test_only_what_has_no_name_is_assumed(viewer):
    layer = viewer.add_image(np.zeros((4, 8, 9)))
    assert read_axes(layer).assumed == "T"


def fading():
    """Frames of which each has a quarter of the light of the one before."""
    light = np.array([64, 16, 4])[:, np.newaxis, np.newaxis]
    noise = np.random.default_rng(0).integers(0, 100, (3, 40, 48))
    return (light * noise).astype(np.uint16)


@pytest.mark.parametrize("model", ["auto", "conv"])
@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_each_image_can_be_measured_by_itself(viewer, widget, run, model):
    data = fading()
    viewer.add_image(data)
    widget.form.model.value = model
    widget.form.range_of.value = "image"
    own = "a noise level" if model == "auto" else "an intensity range"
    assert f"Each image has {own} of its own." in widget.form.plan.text()
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
def test_so_can_those_of_a_lazy_stack(viewer, widget, run):
    data = fading()
    viewer.add_image(da.from_array(data, chunks=(1, 40, 48)), contrast_limits=(0, 6400))
    widget.form.range_of.value = "image"
    assert run(widget).startswith("done")
    expected = denoise(data, axes="TYX", range_of="image")
    np.testing.assert_array_equal(viewer.layers[1].data.compute(), expected)


def test_of_a_single_image_it_is_not_asked(viewer, widget):
    viewer.add_image(fading())
    widget.form.range_of.value = "image"
    assert widget.form.range_of.isVisibleTo(widget)
    viewer.add_image(fading()[0])
    assert not widget.form.range_of.isVisibleTo(widget)
    assert widget.form.measured_in == "stack"
