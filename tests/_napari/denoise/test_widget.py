import threading
from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QThreadPool, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_denoise_ae import add_noise, denoise
from napari_denoise_ae._napari.denoise import denoise_job
from napari_denoise_ae._napari.denoise.job import DenoiseJob
from napari_denoise_ae._napari.denoise.outcomes import Outcomes
from napari_denoise_ae._napari.denoise.widget import DenoiseWidget
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.shared.noise_form import GIVEN
from napari_denoise_ae._napari.viewer.outputs import METADATA_KEY
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.evaluation.comparison import compare
from napari_denoise_ae.image.ranges import resolve_intensity_range
from napari_denoise_ae.models.builtin import builtin_models

# The function warns of the same things as the widget.
pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)

RNG = np.random.default_rng(0)


def image(shape=(40, 56), dtype=np.uint8):
    return RNG.integers(0, 256, shape).astype(dtype)


def names(viewer):
    return [layer.name for layer in viewer.layers]


def wait_for_facts(qtbot, widget):
    qtbot.waitUntil(lambda: "estimated" in widget.form.facts.text())


# --- denoising and scoring


@pytest.mark.qt_binding
def test_a_clean_sample_is_denoised_and_scored(viewer, widget, run, qtbot):
    viewer.open_sample("napari-denoise-ae", "clean_color")
    widget.form.model.value = "conv"
    wait_for_facts(qtbot, widget)
    assert widget.form.facts.text().startswith("512 x 512 x 3, uint8, RGB, estimated")
    qtbot.waitUntil(lambda: "CIFAR-10" in widget.form.model.editor.toolTip())
    widget.form.kind.value = "clean"
    widget.form.noise.value = "gaussian:0.5"
    assert run(widget).startswith("done on ")
    assert names(viewer) == ["astronaut", "astronaut [noisy]", "astronaut [denoised]"]
    clean, noisy, denoised = (layer.data for layer in viewer.layers)
    np.testing.assert_array_equal(noisy, add_noise(clean, "gaussian:0.5", rng=0))
    np.testing.assert_array_equal(denoised, denoise(noisy, model="conv"))
    scale = resolve_intensity_range(clean)
    expected = compare(clean, noisy, denoised, axes="YXS", data_range=scale)
    assert widget.readout.result.mean == expected
    shown = widget.readout.text()
    assert f"{expected.psnr_denoised:.2f}" in shown
    assert f"{expected.ssim_noisy:.3f}" in shown
    assert expected.psnr_denoised - expected.psnr_noisy > 10
    provenance = viewer.layers[2].metadata[METADATA_KEY]
    assert provenance["psnr_denoised"] == expected.psnr_denoised
    assert (provenance["model"], provenance["noise"]) == ("conv", "gaussian:0.5")
    assert widget.warning.isHidden()


def test_a_noisy_layer_has_no_psnr(viewer, widget, run):
    layer = viewer.add_image(image(), name="cells")
    before = layer.data.copy()
    run(widget)
    assert names(viewer) == ["cells", "cells [denoised]"]
    np.testing.assert_array_equal(viewer.layers[1].data, denoise(before))
    np.testing.assert_array_equal(layer.data, before)
    assert "dB" not in widget.readout.text()
    assert "noise (sigma)" in widget.readout.text()


def test_a_clean_reference_gives_scores(viewer, widget, run):
    clean, noisy = image(dtype=np.uint16), image(dtype=np.uint16)
    reference = viewer.add_image(clean, name="clean")
    layer = viewer.add_image(noisy, name="noisy")
    assert widget.form.source is layer
    assert layer not in widget.form.reference.editor.values
    widget.form.reference.value = reference
    run(widget)
    scale = resolve_intensity_range(clean)
    denoised = viewer.layers["noisy [denoised]"].data
    expected = compare(clean, noisy, denoised, axes="YX", data_range=scale)
    assert widget.readout.result.mean == expected


def test_a_stack_has_scores_of_the_current_plane_and_the_mean(viewer, widget, run):
    clean = image((3, 16, 16))
    viewer.add_image(clean, name="stack")
    widget.form.kind.value = "clean"
    run(widget)
    noisy, denoised = viewer.layers[1].data, viewer.layers[2].data
    scale = resolve_intensity_range(clean)
    expected = compare(clean, noisy, denoised, axes="TYX", data_range=scale)
    assert widget.readout.result.mean == expected
    for plane in (0, 2):
        viewer.dims.set_point(0, plane)
        single = compare(
            clean[plane], noisy[plane], denoised[plane], axes="YX", data_range=scale
        )
        assert widget.readout.item(0, 1).text() == f"{single.psnr_noisy:.2f}"
        assert widget.readout.item(2, 1).text() == f"{expected.psnr_noisy:.2f}"


# --- source layer


def test_the_source_follows_the_active_layer_except_outputs(viewer, widget, run):
    first = viewer.add_image(image(), name="first")
    second = viewer.add_image(image(), name="second")
    assert widget.form.source is second
    viewer.layers.selection.active = first
    assert widget.form.source is first
    run(widget)
    assert viewer.layers.selection.active.name == "first [denoised]"
    assert widget.form.source is first
    assert widget.form.layer.editor.values == (None, first, second)


@pytest.mark.qt_binding
def test_a_chosen_layer_stays_chosen(viewer, widget):
    first = viewer.add_image(image(), name="first")
    second = viewer.add_image(image(), name="second")
    combo = widget.form.layer.editor
    combo.setCurrentIndex(combo.findText("first"))
    combo.activated.emit(combo.currentIndex())
    viewer.layers.selection.active = second
    viewer.add_image(image(), name="third")
    assert widget.form.source is first
    widget.form.follow.value = True
    assert widget.form.source.name == "third"


def test_the_source_follows_again_after_the_chosen_layer_is_removed(viewer, widget):
    first = viewer.add_image(image())
    second = viewer.add_image(image())
    widget.form.layer.value = first
    widget.form.follow.value = False
    viewer.layers.remove(first)
    assert widget.form.source is second
    viewer.layers.clear()
    assert widget.form.source is None
    assert widget.form.facts.text() == "no image layer"


def test_a_new_widget_chooses_the_topmost_image(viewer):
    photo = viewer.add_image(image())
    viewer.add_labels(np.zeros((4, 4), dtype=int))
    assert DenoiseWidget(viewer).form.source is photo


def test_a_renamed_layer_is_offered_by_its_new_name(viewer, widget):
    viewer.add_image(image(), name="old").name = "new"
    assert widget.form.layer.editor.currentText() == "new"


def test_a_renamed_pinned_layer_stays_chosen(viewer, widget):
    first = viewer.add_image(image(), name="first")
    viewer.add_image(image(), name="second")
    widget.form.layer.value = first
    widget.form.follow.value = False
    first.name = "other"
    assert widget.form.source is first
    assert widget.form.source_name == "other"
    assert not widget.form.follow.value


def test_changed_pixels_are_inspected_again(viewer, widget, run, qtbot):
    layer = viewer.add_image(image())
    run(widget)
    layer.data = image((20, 24), np.uint16)
    qtbot.waitUntil(lambda: bool(widget.form.to_remove.estimate_note.text()))
    assert widget.form.facts.text() == "20 x 24, uint16"
    assert not widget.copy_figures.isEnabled()


# --- messages


def test_an_unsuitable_model_is_reported_before_denoising(
    viewer, widget, qtbot, checkpoint
):
    gray = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    widget.form.model.value = "conv"
    viewer.add_image(gray, name="ramp")
    qtbot.waitUntil(lambda: "color images" in widget.warning.text())
    assert not widget.warning.isHidden()
    viewer.open_sample("napari-denoise-ae", "clean_color")
    qtbot.waitUntil(lambda: "much weaker" in widget.warning.text())
    widget.form.noise.value = "gaussian:0.5"
    widget.form.kind.value = "clean"
    qtbot.waitUntil(widget.warning.isHidden)
    widget.form.noise.value = "gaussian:0.05"
    qtbot.waitUntil(lambda: "much weaker" in widget.warning.text())


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((1, 1), np.uint8), ((9, 7), np.float64), ((8, 9, 4), np.uint8)],
)
def test_unusual_images_are_denoised(viewer, widget, run, messages, shape, dtype):
    layer = viewer.add_image(image(shape, dtype), rgb=shape[-1] == 4)
    widget.form.kind.value = "clean"
    assert run(widget).startswith("done")
    denoised = viewer.layers[-1]
    assert (denoised.data.shape, denoised.data.dtype) == (shape, dtype)
    if shape[-1] == 4:
        np.testing.assert_array_equal(denoised.data[..., 3], layer.data[..., 3])
    assert not messages()


def test_nan_stays_nan_in_five_dimensions(viewer, widget, run):
    data = image((1, 2, 2, 16, 16), np.float32)
    data[0, 1, 0, :4] = np.nan
    viewer.add_image(data, contrast_limits=(0, 255))
    run(widget)
    np.testing.assert_array_equal(np.isnan(viewer.layers[1].data), np.isnan(data))


def test_a_constant_uint8_image_gets_noise_and_scores(viewer, widget, run):
    viewer.add_image(np.full((16, 16), 7, dtype=np.uint8), contrast_limits=(0, 10))
    widget.form.kind.value = "clean"
    run(widget)
    assert len(viewer.layers) == 3
    assert "PSNR / dB" in widget.readout.text()


def add_nothing(viewer):
    viewer.layers.clear()


def add_infinite(viewer):
    viewer.add_image(np.full((8, 8), np.inf), contrast_limits=(0, 1))


def add_deep(viewer):
    viewer.add_image(image((1, 1, 1, 1, 8, 8)))


@pytest.mark.parametrize(
    ("add", "expected"),
    [
        (add_nothing, "no image layer"),
        (add_infinite, "infinite"),
        (add_deep, "6 dimensions"),
    ],
)
def test_an_unsupported_layer_shows_one_message(
    viewer, widget, run, messages, add, expected
):
    add(viewer)
    before = names(viewer)
    run(widget)
    assert len(messages()) == 1
    assert expected in messages()[0]
    assert names(viewer) == before


def test_a_rejected_run_leaves_no_stale_status(viewer, widget, run):
    viewer.add_image(image(), name="cells")
    run(widget)
    widget.form.kind.value = "clean"
    assert not widget.status.text()
    assert widget.readout.result is None
    widget.form.noise.value = "salt"
    assert "not denoised: " in run(widget)
    viewer.layers.clear()
    assert not widget.status.text()
    assert run(widget) == "not denoised: There is no image layer to denoise."


def test_status_and_figures_come_back_with_their_layer_and_settings(
    viewer, widget, run
):
    cells = viewer.add_image(image(), name="cells")
    status = run(widget)
    figures = widget.readout.text()
    other = viewer.add_image(image(), name="other")
    assert widget.form.source is other
    assert not widget.status.text()
    assert widget.readout.result is None
    viewer.layers.selection.active = cells
    assert (widget.status.text(), widget.readout.text()) == (status, figures)
    widget.form.to_remove.strength.setValue(0.5)
    assert not widget.status.text()
    widget.form.to_remove.strength.setValue(1.0)
    assert (widget.status.text(), widget.readout.text()) == (status, figures)
    result = viewer.layers["cells [denoised]"]
    viewer.layers.remove(result)
    assert not widget.status.text()
    assert widget.readout.result is None
    assert not widget.copy_figures.isEnabled()
    assert not widget.trust.assess_button.isEnabled()
    run(widget)
    assert widget.status.text().startswith("done")
    cells.data = image()
    assert not widget.status.text()


def test_a_pyramid_in_memory_is_not_called_lazy(viewer, widget, run, messages):
    viewer.add_image([image((64, 64)), image((32, 32))], multiscale=True)
    widget.form.kind.value = "clean"
    run(widget)
    assert "single-scale layer in memory, but this layer is multiscale" in messages()[0]


def test_each_invalid_setting_shows_one_message(viewer, widget, run, messages):
    small = viewer.add_image(image((8, 8)))
    viewer.add_image(image())
    widget.form.reference.value = small
    run(widget)
    widget.form.kind.value = "clean"
    widget.form.noise.value = "salt"
    run(widget)
    assert len(messages()) == 2
    assert "same shape" in messages()[0]
    assert "salt" in messages()[1]


@pytest.mark.qt_binding
def test_a_runtime_error_shows_one_message(viewer, widget, run, messages, monkeypatch):
    def fail(self, batch, level=None):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Denoiser, "run_network", fail)
    viewer.add_image(image())
    assert run(widget) == "failed"
    assert messages() == ["Denoising failed: shapes do not match"]


def test_after_an_error_at_any_stage_the_widget_is_usable(
    viewer, widget, run, messages, monkeypatch
):
    viewer.add_image(image())
    stages = ("load_denoiser", "require_noise_is_taken", "prepare", "denoise_prepared")
    for number, stage in enumerate(stages, 1):

        def fail(*_, stage=stage, error=(MemoryError, OSError)[number % 2]):
            raise error(f"injected into {stage}")

        with monkeypatch.context() as patch:
            patch.setattr(denoise_job, stage, fail)
            assert run(widget) == "failed"
        assert messages()[-1] == f"Denoising failed: injected into {stage}"
        assert len(messages()) == number
        assert len(viewer.layers) == 1
    assert run(widget).startswith("done")


@pytest.mark.qt_binding
def test_an_invalid_checkpoint_changes_nothing(
    viewer, widget, run, messages, qtbot, monkeypatch, tmp_path
):
    wrong = tmp_path / "wrong.pt"
    wrong.write_text("not a checkpoint")
    choose = lambda *_: (str(wrong), "")  # noqa: E731
    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    widget.form.open_model.trigger()
    qtbot.waitUntil(lambda: bool(messages()))
    assert len(messages()) == 1
    assert "wrong.pt is not a checkpoint" in messages()[0]
    assert widget.form.model.editor.values == ("auto", *builtin_models())
    viewer.add_image(image())
    assert run(widget).startswith("done")


@pytest.mark.qt_binding
def test_a_model_file_can_be_dropped_on_the_widget(
    viewer, widget, checkpoint, qtbot, messages, tmp_path
):
    package = tmp_path / "not-a-model.zip"
    package.write_text("not an archive")

    def drop(*paths):
        dragged = QMimeData()
        dragged.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        copy, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        keys = Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(QPoint(), copy, dragged, buttons, keys)
        QApplication.sendEvent(widget, enter)
        if enter.isAccepted():
            released = QDropEvent(QPointF(), copy, dragged, buttons, keys)
            QApplication.sendEvent(widget, released)
        return enter.isAccepted()

    assert not drop(tmp_path / "image.tif")
    assert not drop(checkpoint, checkpoint)
    assert not drop()
    assert drop(checkpoint)
    qtbot.waitUntil(lambda: widget.form.model.value == checkpoint)
    assert not messages()
    assert drop(package)
    qtbot.waitUntil(lambda: bool(messages()))
    assert "not-a-model.zip" in messages()[0]
    assert widget.form.model.value == checkpoint


@pytest.mark.qt_binding
def test_a_chosen_checkpoint_is_used_and_described(
    viewer, widget, run, qtbot, monkeypatch, checkpoint
):
    choose = lambda *_: (checkpoint, "")  # noqa: E731
    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    widget.form.open_model.trigger()
    qtbot.waitUntil(lambda: widget.form.model.value == checkpoint)
    viewer.add_image(image())
    run(widget)
    assert viewer.layers[1].metadata[METADATA_KEY]["model"] == checkpoint
    widget.form.model.value = "conv"
    assert model_choice(viewer).chosen == "conv"


@pytest.mark.qt_binding
def test_an_unfit_sigma_is_reported_before_denoising(viewer, widget, qtbot):
    ramp = np.linspace(50, 200, 96 * 120).reshape(96, 120)
    viewer.add_image(ramp + np.random.default_rng(0).normal(0, 5, ramp.shape))
    widget.form.to_remove.kind.value = GIVEN
    widget.form.to_remove.sigma.value = "90"
    qtbot.waitUntil(lambda: "far above the noise" in widget.warning.text())
    widget.form.to_remove.sigma.value = "5"
    qtbot.waitUntil(widget.warning.isHidden)


# --- running again, canceling, closing


def test_running_again_updates_the_layers_in_place(viewer, widget, run):
    viewer.add_image(image(), name="cells")
    widget.form.kind.value = "clean"
    widget.form.residual.value = True
    run(widget)
    outputs = list(viewer.layers[1:])
    assert [layer.name for layer in outputs] == [
        "cells [noisy]",
        "cells [residual]",
        "cells [denoised]",
    ]
    noisy, residual, denoised = (layer.data for layer in outputs)
    np.testing.assert_array_equal(residual, noisy.astype(int) - denoised)
    outputs[2].name = "mine"
    widget.form.seed.value = 1
    run(widget)
    assert list(viewer.layers[1:]) == outputs
    assert (outputs[0].data != noisy).any()
    widget.form.kind.value = "noisy"
    widget.form.residual.value = False
    run(widget)
    assert names(viewer) == ["cells", "mine"]


def test_another_widget_updates_the_outputs_of_the_first(viewer, widget, run):
    viewer.add_image(image())
    run(widget)
    viewer.window.remove_dock_widget(widget)
    second = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(second)
    run(second)
    assert len(viewer.layers) == 2


@pytest.mark.qt_binding
@pytest.mark.parametrize("step", ["model", "layer", "tiles", "scores"])
def test_cancel_at_each_stage_adds_nothing(
    viewer, widget, run, qtbot, monkeypatch, gate, step
):
    viewer.add_image(image((30, 16, 16)), name="stack")
    widget.form.kind.value = "clean"
    steps = {
        "model": ("loading", "load_denoiser", denoise_job.load_denoiser),
        "layer": ("reading", "prepare", denoise_job.prepare),
        "tiles": ("1 of", None, None),
        "scores": ("measuring", "score_planes", denoise_job.score_planes),
    }
    status, name, function = steps[step]
    proceed = threading.Event()
    if name is None:
        gate.let(1)
    else:
        gate.open()

        def wait_and_call(*args):
            proceed.wait(60)
            return function(*args)

        monkeypatch.setattr(denoise_job, name, wait_and_call)
    widget.run_button.click()
    qtbot.waitUntil(lambda: widget.status.text().startswith(status))
    widget.cancel_button.click()
    # At once, although the thread ends only at its next step.
    assert widget.status.text() == "cancelled"
    proceed.set()
    gate.open()
    qtbot.waitUntil(lambda: not QThreadPool.globalInstance().activeThreadCount())
    QApplication.processEvents()
    assert names(viewer) == ["stack"]
    assert widget.status.text() == "cancelled"
    assert widget.run_button.isEnabled()
    assert not widget.cancel_button.isEnabled()
    assert widget.bar.isHidden()


def test_finished_planes_can_be_kept(viewer, widget, qtbot, gate):
    layer = viewer.add_image(image((30, 16, 16)), name="stack")
    gate.let(3)
    widget.run_button.click()
    assert not widget.keep_button.isEnabled()
    qtbot.waitUntil(lambda: widget.status.text().startswith("3 of"))
    assert widget.bar.maximum() == 30
    widget.keep_button.click()
    gate.open()
    kept = viewer.layers["stack [denoised]"]
    assert kept.metadata[METADATA_KEY]["planes_denoised"] == 3
    assert "3" in widget.status.text()
    expected = denoise(layer.data, axes="TYX")[:3]
    np.testing.assert_array_equal(kept.data[:3], expected)
    assert not kept.data[3:].any()
    assert viewer.dims.current_step[0] == 2


def test_a_single_plane_cannot_be_kept_unfinished(viewer, widget, qtbot, gate):
    viewer.add_image(image((16, 16)))
    widget.run_button.click()
    qtbot.waitUntil(lambda: bool(gate.arrived))
    qtbot.wait(20)
    assert not widget.keep_button.isEnabled()
    widget.cancel_button.click()


def test_removing_the_source_ends_its_run_at_once(
    viewer, widget, qtbot, messages, gate
):
    viewer.add_image(image((5, 16, 16)), name="stack")
    gate.let(2)
    widget.run_button.click()
    qtbot.waitUntil(lambda: "left" in widget.status.text())
    viewer.layers.clear()
    assert widget.run_button.isEnabled()
    assert widget.bar.isHidden()
    gate.open()
    qtbot.waitUntil(lambda: not QThreadPool.globalInstance().activeThreadCount())
    assert not messages()
    assert not viewer.layers


def test_pixels_that_are_replaced_during_a_run_are_reported(
    viewer, widget, qtbot, messages, gate
):
    layer = viewer.add_image(image((4, 16, 16)), name="stack")

    def replace_during_run(data):
        gate.let(1)
        widget.run_button.click()
        qtbot.waitUntil(lambda: "left" in widget.status.text())
        layer.data = data

    replace_during_run(image((4, 16, 16)))
    gate.let(3)
    qtbot.waitUntil(widget.run_button.isEnabled)
    assert "is that of the earlier pixels" in messages()[-1]
    assert names(viewer) == ["stack", "stack [denoised]"]
    viewer.layers.pop()
    # A result of another shape has no place in the viewer.
    replace_during_run(image((16, 20)))
    widget.keep_button.click()
    assert "was discarded" in messages()[-1]
    assert "another shape" in widget.status.text()
    assert names(viewer) == ["stack"]
    assert len(messages()) == 2


def test_an_outcome_is_not_that_of_an_array_at_the_same_address():
    outcomes, layer, shown = Outcomes(), Image(image()), Image(image())
    options = DenoiseOptions(axes="YX")
    job = DenoiseJob(data=image(), model="auto", options=options)
    outcomes.store(layer, job, shown, None, "done")
    assert outcomes.find(layer, replace(job, seed=1), shown).status == "done"
    assert outcomes.find(layer, job, None) is None
    assert outcomes.find(layer, job, Image(image())) is None
    address = id(job.data)
    del job
    for _ in range(1000):
        job = DenoiseJob(data=np.empty((40, 56)), model="auto", options=options)
        assert outcomes.find(layer, job, shown) is None
        if id(job.data) == address:
            break


def test_all_selected_layers_are_denoised(viewer, widget, qtbot, gate):
    first, _, second = (
        viewer.add_image(image(), name=name) for name in ("first", "other", "second")
    )
    viewer.layers.selection = {first, second}
    assert widget.form.source is second
    widget.run_button.click()
    gate.open()
    qtbot.waitUntil(lambda: "first [denoised]" in viewer.layers)
    qtbot.waitUntil(widget.run_button.isEnabled)
    assert names(viewer)[3:] == ["second [denoised]", "first [denoised]"]
    assert widget.form.source is first


def test_cancel_ends_the_run_of_all_selected_layers(viewer, widget, qtbot, gate):
    layers = {viewer.add_image(image(), name=name) for name in "ab"}
    viewer.layers.selection = layers
    widget.run_button.click()
    qtbot.waitUntil(lambda: bool(gate.arrived))
    widget.cancel_button.click()
    gate.open()
    qtbot.waitUntil(lambda: not QThreadPool.globalInstance().activeThreadCount())
    qtbot.wait(100)
    assert names(viewer) == ["a", "b"]


def test_each_run_can_add_layers(viewer, widget, run):
    viewer.add_image(image(), name="cells", metadata={"exposure": 3})
    widget.form.residual.value = True
    run(widget)
    widget.form.results.value = "adds layers"
    run(widget)
    new = ["cells [residual] [1]", "cells [denoised] [1]"]
    assert names(viewer) == ["cells", "cells [residual]", "cells [denoised]", *new]
    assert all(layer.metadata["exposure"] == 3 for layer in viewer.layers)
    widget.form.results.value = "replaces the last"
    run(widget)
    assert len(viewer.layers) == 5


def test_another_scope_never_overwrites(viewer, widget, run):
    layer = viewer.add_image(image((3, 20, 24)), name="cells")
    widget.form.scope.value = "current slice"
    for plane in (0, 2, 0):
        viewer.dims.set_current_step(0, plane)
        run(widget)
    # Plane 0 was no longer the last.
    assert names(viewer)[1:] == [f"cells [denoised]{n}" for n in ("", " [1]", " [2]")]
    run(widget)
    assert len(viewer.layers) == 4
    widget.form.scope.value = "everything"
    run(widget)
    assert viewer.layers[-1].data.shape == layer.data.shape
    assert len(viewer.layers) == 5


def test_changed_settings_apply_to_the_next_run(viewer, widget, qtbot, gate):
    viewer.add_image(image((3, 16, 16)), name="stack")
    widget.form.kind.value = "clean"
    gate.let(2)
    widget.run_button.click()
    qtbot.waitUntil(lambda: "left" in widget.status.text())
    widget.form.seed.value = 9
    widget.form.kind.value = "noisy"
    other = viewer.add_image(image(), name="other")
    assert widget.form.source is other
    gate.open()
    qtbot.waitUntil(widget.run_button.isEnabled)
    provenance = viewer.layers["stack [denoised]"].metadata[METADATA_KEY]
    assert (provenance["noise"], provenance["seed"]) == ("gaussian:0.1", 0)
    assert "dB" not in widget.readout.text()


@pytest.mark.qt_binding
def test_the_theme_can_change_during_a_run(viewer, widget, qtbot, gate):
    viewer.add_image(image((3, 16, 16)))
    widget.run_button.click()
    viewer.theme = "light"
    gate.open()
    qtbot.waitUntil(widget.run_button.isEnabled)
    assert len(viewer.layers) == 2


@pytest.mark.qt_binding
def test_layers_are_changed_only_in_the_main_thread(
    viewer, widget, run, monkeypatch, gate
):
    from napari_denoise_ae._napari.denoise import run as denoise_run

    threads = []
    show = denoise_run.show_output

    def record_and_show(*args, **kwargs):
        threads.append(threading.get_ident())
        return show(*args, **kwargs)

    monkeypatch.setattr(denoise_run, "show_output", record_and_show)
    viewer.add_image(image())
    gate.open()
    run(widget)
    assert set(threads) == {threading.get_ident()}
    assert gate.arrived
    assert threading.get_ident() not in gate.arrived


@pytest.mark.qt_binding
def test_closing_the_dock_stops_all_work(viewer, widget, qtbot, gate):
    layer = viewer.add_image(image((60, 16, 16)))
    gate.let(4)
    widget.preview_box.setChecked(True)
    widget.run_button.click()
    qtbot.waitUntil(lambda: "left" in widget.status.text())
    viewer.window.remove_dock_widget(widget)
    gate.open()
    pool = QThreadPool.globalInstance()
    qtbot.waitUntil(lambda: not pool.activeThreadCount())
    assert not any(timer.isActive() for timer in widget.findChildren(QTimer))
    assert not widget._preview._timer.isActive()
    # All listeners are disconnected.
    n_tiles = len(gate.arrived)
    assert n_tiles < 60
    layer.data = image((2, 16, 16))
    viewer.add_image(image())
    viewer.dims.set_point(0, 1)
    qtbot.wait(400)
    assert len(gate.arrived) == n_tiles
    assert "Alt-B" not in [str(key) for key in viewer.keymap]


@pytest.mark.qt_binding
def test_closing_the_viewer_stops_all_work(make_napari_viewer, qtbot, gate, messages):
    viewer = make_napari_viewer()
    widget = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(widget)
    viewer.add_image(image((60, 16, 16)))
    gate.let(4)
    widget.preview_box.setChecked(True)
    widget.run_button.click()
    qtbot.waitUntil(lambda: "left" in widget.status.text())
    viewer.close()
    gate.open()
    pool = QThreadPool.globalInstance()
    qtbot.waitUntil(lambda: not pool.activeThreadCount())
    assert len(gate.arrived) < 60
    qtbot.wait(300)
    assert not messages()


# --- viewing and copying


def test_layers_can_be_removed_in_any_order(viewer, widget, run, qtbot):
    widget.form.kind.value = "clean"
    widget.form.residual.value = True
    for gone in ("cells", "cells [noisy]", "cells [denoised]", "cells [residual]"):
        widget.side_by_side.setChecked(gone in {"cells", "cells [denoised]"})
        viewer.add_image(image(), name="cells")
        run(widget)
        assert len(viewer.layers) == 4
        viewer.layers.remove(gone)
        run(widget)
        while viewer.layers:
            viewer.layers.pop(len(viewer.layers) // 2)
    widget.side_by_side.setChecked(False)
    qtbot.wait(300)
    assert widget.form.source is None


def test_a_run_keeps_the_users_grid(viewer, widget, run):
    viewer.add_image(image())
    viewer.canvas.grid.enabled = True
    run(widget)
    assert viewer.canvas.grid.enabled


@pytest.mark.parametrize("kind", ["noisy", "clean"])
@pytest.mark.parametrize(
    ("shape", "dtype"), [((16, 24, 4), np.uint8), ((3, 16, 24), np.uint16)]
)
def test_the_copied_code_gives_the_same_array(viewer, widget, run, kind, shape, dtype):
    viewer.add_image(image(shape, dtype), rgb=shape[-1] == 4, name="it's")
    widget.form.kind.value = kind
    widget.form.seed.value = 3
    run(widget)
    widget.copy_python.click()
    namespace = {"viewer": viewer}
    exec(QApplication.clipboard().text(), namespace)
    np.testing.assert_array_equal(namespace["denoised"], viewer.layers[-1].data)


@pytest.mark.qt_binding
def test_scores_are_copied(viewer, widget, run):
    assert not widget.copy_figures.isEnabled()
    viewer.add_image(image())
    run(widget)
    widget.copy_figures.click()
    assert QApplication.clipboard().text() == widget.readout.text()
