import dask.array as da
import numpy as np
import pytest

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.shared.scope_edit import RANGE, RECTANGLE, SLICE, VISIBLE
from napari_denoise_ae._napari.viewer.outputs import METADATA_KEY

pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)


def stack(shape=(5, 2, 60, 80)):
    return np.random.default_rng(0).integers(0, 250, shape).astype(np.uint8)


def choose(viewer, widget, scope):
    widget.form.scope.choice.setCurrentText(scope)
    if scope == SLICE:
        viewer.dims.set_point(0, 3 * 2)
        viewer.dims.set_point(1, 1 + 10)
        return np.s_[3:4, 1:2]
    if scope == RANGE:
        widget.form.scope.first.setValue(1)
        widget.form.scope.last.setValue(2)
        return np.s_[1:3]
    if scope == RECTANGLE:
        # Around the centers of rows 10 to 19 and columns 30 to 49.
        corners = np.array([[9.6, 29.6], [9.6, 49.4], [19.4, 49.4], [19.4, 29.6]])
        viewer.add_shapes([corners * 0.5 + (5, 7)], shape_type="rectangle")
        return np.s_[:, :, 10:20, 30:50]
    viewer.scene.camera.zoom, viewer.scene.camera.center = 100, (0, 15, 20)
    return None


@pytest.mark.parametrize("kind", ["memory", "uint16", "lazy", "pyramid"])
def test_a_denoised_part_equals_that_of_the_whole(viewer, widget, qtbot, kind):
    data = stack()
    if kind == "uint16":
        data = data.astype(np.uint16)
        data[:, 1] *= 20
    given = da.from_array(data, chunks=(1, 1, 60, 80)) if kind == "lazy" else data
    layer = viewer.add_image(
        [data, data[..., ::2, ::2]] if kind == "pyramid" else given,
        multiscale=kind == "pyramid",
        axis_labels=("t", "c", "y", "x"),
        scale=(2, 1, 0.5, 0.5),
        translate=(0, 10, 5, 7),
        contrast_limits=(0, 255),
    )
    whole = denoise(data, axes="TCYX")
    for scope in (SLICE, RANGE, RECTANGLE, VISIBLE):
        part = choose(viewer, widget, scope)
        viewer.layers.selection.active = layer
        widget.run_button.click()
        qtbot.waitUntil(widget.run_button.isEnabled)
        result = viewer.layers[-1]
        assert result.name.endswith("[denoised]")
        assert_part_of(whole, layer, result, part)
        while len(viewer.layers) > 1:
            viewer.layers.pop()


def assert_part_of(whole, layer, result, part):
    """Assert that a result is a part of the whole one, at its place; None: any part."""
    first = np.round(layer.world_to_data(result.data_to_world((0,) * 4))).astype(int)
    where = tuple(
        slice(start, start + length)
        for start, length in zip(first, result.data.shape, strict=True)
    )
    known = result.metadata[METADATA_KEY]["part"]
    assert known == [(cut.start, cut.stop) for cut in where]
    np.testing.assert_array_equal(np.asarray(result.data), whole[where])
    if part is not None:
        assert result.data.shape == whole[part].shape
        np.testing.assert_array_equal(whole[part], whole[where])
    else:
        assert result.data[0, 0].size < whole[0, 0].size


def test_scores_are_those_of_the_part(viewer, widget, run):
    viewer.add_image(stack((5, 20, 20)))
    viewer.dims.set_point(0, 4)
    widget.form.kind.value = "clean"
    widget.form.scope.choice.setCurrentText(SLICE)
    assert run(widget).startswith("done")
    assert [each.data.shape[0] for each in viewer.layers[1:]] == [1, 1]
    assert "PSNR" in widget.readout.text()
    viewer.dims.set_point(0, 0)
    assert "PSNR" not in widget.readout.text()
    viewer.dims.set_point(0, 4)
    assert "PSNR" in widget.readout.text()


@pytest.mark.qt_binding
@pytest.mark.parametrize(
    ("scope", "expected"),
    [(SLICE, "single image"), (RANGE, "single image"), (RECTANGLE, "Shapes layer")],
)
def test_a_missing_scope_shows_one_message(
    viewer, widget, run, messages, scope, expected
):
    viewer.add_image(stack((20, 20)))
    widget.form.scope.choice.setCurrentText(scope)
    run(widget)
    assert len(messages()) == 1
    assert expected in messages()[0]
    assert len(viewer.layers) == 1


def test_the_drawn_rectangle_does_not_hide_the_result(viewer, widget, run):
    layer = viewer.add_image(stack()[0, 0], name="cells")
    viewer.add_shapes([[[5, 5], [30, 5], [30, 40], [5, 40]]], name="drawn")
    viewer.layers.selection.active = layer
    widget.form.scope.value = RECTANGLE
    run(widget)
    viewer.layers.move(viewer.layers.index("drawn"), len(viewer.layers))
    run(widget)
    names = [each.name for each in viewer.layers]
    assert names == ["cells", "drawn", "cells [denoised]"]
