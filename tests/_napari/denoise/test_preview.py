import numpy as np
import pytest

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.denoise import preview as preview_module
from napari_denoise_ae._napari.denoise.denoise_job import run_denoising
from napari_denoise_ae._napari.shared.worker import Failed
from napari_denoise_ae._napari.viewer.outputs import find_output
from napari_denoise_ae._napari.viewer.view import visible_region

pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)


def image(shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


@pytest.fixture
def wait_for_preview(viewer, widget, qtbot):
    """Return a function that waits for an up-to-date preview and returns it."""

    def wait():
        shown = []
        widget._preview.status_changed.connect(shown.append)
        viewer.screenshot(canvas_only=False, flash=False)
        if not widget.preview_box.isChecked():
            widget.preview_box.setChecked(True)
        else:
            widget._preview.refresh()
        qtbot.waitUntil(lambda: bool(shown))
        assert shown == [""]
        return find_output(viewer, widget.form.source, "preview")

    return wait


def assert_is_crop(viewer, source, preview, full):
    """Assert that the preview equals the full result at its position."""
    first = source.world_to_data(preview.data_to_world((0,) * preview.ndim))
    first = np.round(first).astype(int)
    crop = full[
        tuple(
            slice(start, start + length)
            for start, length in zip(first, preview.data.shape, strict=False)
        )
    ]
    assert crop.shape == preview.data.shape
    scale = float(np.ptp(source.data))
    np.testing.assert_allclose(preview.data, crop, atol=1e-5 * scale)
    for offset in np.eye(preview.ndim, dtype=int)[-2:]:
        np.testing.assert_allclose(
            preview.data_to_world(offset),
            source.data_to_world(first + offset),
            atol=1e-9,
        )


@pytest.mark.parametrize(
    ("shape", "axes", "dtype", "placement"),
    [
        ((600, 700), "YX", np.float32, {}),
        ((600, 700, 3), "YXS", np.uint8, {}),
        ((3, 200, 300), "TYX", np.uint16, {"scale": (3, 2, 1)}),
        (
            (300, 400),
            "YX",
            np.float32,
            {"scale": (0.5, 2), "rotate": 30, "translate": (7, -9), "shear": [0.3]},
        ),
    ],
)
def test_the_preview_equals_the_full_result_there(
    viewer, widget, wait_for_preview, shape, axes, dtype, placement
):
    layer = viewer.add_image(image(shape, dtype), rgb="S" in axes, **placement)
    if "T" in axes:
        viewer.dims.set_point(0, 3)
    full = denoise(layer.data, axes=axes)
    viewer.scene.camera.zoom *= 4
    preview = wait_for_preview()
    assert preview.data.size < layer.data.size / 4
    assert preview.data.dtype == dtype
    assert viewer.layers.selection.active is layer
    assert_is_crop(viewer, layer, preview, full)


@pytest.mark.qt_binding
def test_the_preview_follows_the_view_and_the_settings(
    viewer, widget, wait_for_preview
):
    layer = viewer.add_image(image((3, 200, 200)))
    viewer.dims.set_point(0, 0)
    preview = wait_for_preview()
    before = preview.data
    viewer.dims.set_point(0, 2)
    assert wait_for_preview() is preview
    assert preview.data_to_world((0, 0, 0))[0] == 2
    viewer.scene.camera.zoom *= 4
    wait_for_preview()
    assert preview.data.size < before.size
    viewer.scene.camera.center = (0, 20, 0)
    wait_for_preview()
    rows, columns = visible_region(layer)
    assert (rows.start, columns.start) == (0, 0)
    noisy = preview.data
    widget.form.kind.value = "clean"
    wait_for_preview()
    assert (preview.data != noisy).any()
    full = denoise_with_noise(layer.data)
    assert_is_crop(viewer, layer, preview, full)


def denoise_with_noise(data):
    from napari_denoise_ae import add_noise

    return denoise(add_noise(data, "gaussian:0.1", axes="TYX"), axes="TYX")


def test_moving_the_view_does_not_prepare_the_layer_again(
    viewer, widget, wait_for_preview, monkeypatch
):
    viewer.add_image(image((100, 100)))
    wait_for_preview()
    prepared = widget._preview._prepared
    viewer.scene.camera.zoom *= 2
    wait_for_preview()
    assert widget._preview._prepared is prepared


def test_changed_pixels_are_denoised_again(viewer, widget, wait_for_preview):
    layer = viewer.add_image(image((50, 50)))
    wait_for_preview()
    layer.data = 255 - layer.data
    assert_is_crop(viewer, layer, wait_for_preview(), denoise(layer.data))


def test_the_preview_is_off_in_3d_and_when_transposed(
    viewer, widget, wait_for_preview, qtbot
):
    viewer.add_image(image((3, 50, 50)))
    wait_for_preview()
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: "3D display" in widget.preview_note.text())
    assert len(viewer.layers) == 1
    viewer.dims.ndisplay = 2
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    assert widget.preview_note.isHidden()
    viewer.dims.transpose()
    qtbot.waitUntil(lambda: "transposed" in widget.preview_note.text())
    assert len(viewer.layers) == 1


@pytest.mark.qt_binding
def test_switching_off_removes_the_preview(viewer, widget, wait_for_preview, qtbot):
    viewer.add_image(image((50, 50)))
    wait_for_preview()
    widget.preview_box.setChecked(False)
    assert len(viewer.layers) == 1
    viewer.scene.camera.zoom *= 2
    qtbot.wait(300)
    assert len(viewer.layers) == 1


def test_removing_the_preview_layer_switches_it_off(viewer, widget, wait_for_preview):
    viewer.add_image(image((50, 50)))
    viewer.layers.remove(wait_for_preview())
    assert not widget.preview_box.isChecked()


def test_the_preview_is_removed_with_its_layer(viewer, widget, wait_for_preview, qtbot):
    first = viewer.add_image(image((50, 50)), name="first")
    second = viewer.add_image(image((40, 40)), name="second")
    wait_for_preview()
    viewer.layers.remove(second)
    qtbot.waitUntil(
        lambda: [layer.name for layer in viewer.layers] == ["first", "first [preview]"],
    )
    viewer.layers.remove(first)
    qtbot.waitUntil(lambda: not viewer.layers)


def test_the_full_result_replaces_the_preview(viewer, widget, wait_for_preview, run):
    viewer.add_image(image((50, 50)), name="cells")
    wait_for_preview()
    run(widget)
    assert [layer.name for layer in viewer.layers] == ["cells", "cells [denoised]"]
    assert not widget.preview_box.isChecked()


def test_the_model_can_change_during_a_preview(viewer, widget, checkpoint, gate, qtbot):
    from napari_denoise_ae._napari.shared.model_choice import model_choice

    layer = viewer.add_image(image((50, 50)))
    widget.preview_box.setChecked(True)
    qtbot.waitUntil(lambda: bool(gate.arrived))
    model_choice(viewer).choose(checkpoint)
    gate.open()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    preview = find_output(viewer, layer, "preview")
    assert preview.metadata["napari-denoise-ae"]["model"] == checkpoint


def test_an_error_is_shown_below_the_check_box(viewer, widget, wait_for_preview, qtbot):
    viewer.add_image(image((50, 50)))
    wait_for_preview()
    widget.form.kind.value = "clean"
    widget.form.noise.value = "salt"
    qtbot.waitUntil(lambda: "salt" in widget.preview_note.text())
    assert len(viewer.layers) == 1


@pytest.fixture
def jobs(monkeypatch):
    """Return the jobs that the preview starts, in order."""
    started = []

    def run(job):
        started.append(job)
        return run_denoising(job)

    monkeypatch.setattr(preview_module, "run_denoising", run)
    return started


def wait_until_shown(viewer, widget, qtbot):
    """Wait for a preview, and long enough for a second one to start."""

    def preview():
        return find_output(viewer, widget.form.source, "preview")

    qtbot.waitUntil(lambda: preview() is not None)
    qtbot.wait(500)
    return preview()


def test_a_resized_canvas_that_shows_the_same_does_not_denoise_again(
    viewer, widget, qtbot, jobs
):
    viewer.add_image(image((100, 100)))
    viewer.screenshot(canvas_only=False, flash=False)
    widget.preview_box.setChecked(True)
    viewer.canvas.events.size(value=viewer.canvas.size)
    wait_until_shown(viewer, widget, qtbot)
    assert len(jobs) == 1


def test_a_view_that_moves_while_the_preview_is_computed_is_followed(
    viewer, widget, qtbot, jobs
):
    layer = viewer.add_image(image((3, 100, 100)))
    viewer.dims.set_point(0, 0)
    viewer.screenshot(canvas_only=False, flash=False)
    widget.preview_box.setChecked(True)
    viewer.dims.set_point(0, 2)
    qtbot.waitUntil(lambda: len(jobs) == 2)
    preview = wait_until_shown(viewer, widget, qtbot)
    assert [job.plane for job in jobs] == [(0,), (2,)]
    assert preview.data_to_world((0, 0, 0))[0] == 2
    assert layer in viewer.layers


def test_switching_the_preview_off_and_on_denoises_once_more(
    viewer, widget, qtbot, jobs
):
    viewer.add_image(image((100, 100)))
    viewer.screenshot(canvas_only=False, flash=False)
    widget.preview_box.setChecked(True)
    wait_until_shown(viewer, widget, qtbot)
    widget.preview_box.setChecked(False)
    assert len(viewer.layers) == 1
    widget.preview_box.setChecked(True)
    wait_until_shown(viewer, widget, qtbot)
    assert len(jobs) == 2


def test_a_failed_preview_is_tried_again_in_the_same_place(
    viewer, widget, qtbot, monkeypatch
):
    viewer.add_image(image((50, 50)))
    viewer.screenshot(canvas_only=False, flash=False)

    def fail(job):
        yield "loading the model"
        return Failed("The disk is gone.")

    monkeypatch.setattr(preview_module, "run_denoising", fail)
    widget.preview_box.setChecked(True)
    qtbot.waitUntil(lambda: "disk is gone" in widget.preview_note.text())
    monkeypatch.undo()
    viewer.canvas.events.size(value=viewer.canvas.size)
    wait_until_shown(viewer, widget, qtbot)
    assert widget.preview_note.isHidden()

    def crash(job):
        yield "loading the model"
        raise LookupError

    monkeypatch.setattr(preview_module, "run_denoising", crash)
    with qtbot.captureExceptions() as raised:
        widget._preview.refresh()
        qtbot.waitUntil(lambda: "Preview failed" in widget.preview_note.text())
    assert len(raised) == len(viewer.layers) == 1


def test_zooming_in_keeps_the_preview_and_zooming_out_extends_it(
    viewer, widget, qtbot, jobs, monkeypatch
):
    visible = [slice(20, 80), slice(20, 80)]
    monkeypatch.setattr(preview_module, "visible_region", lambda _: tuple(visible))
    viewer.add_image(image((100, 100)))
    widget.preview_box.setChecked(True)
    wait_until_shown(viewer, widget, qtbot)
    visible[:] = slice(30, 80), slice(20, 40)
    viewer.scene.camera.zoom *= 2
    qtbot.wait(300)
    assert len(jobs) == 1
    visible[:] = slice(20, 81), slice(20, 40)
    viewer.scene.camera.zoom /= 1.1
    qtbot.waitUntil(lambda: len(jobs) == 2)
    assert jobs[1].region == tuple(visible)
