import threading

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool, QTimer
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_denoise_ae import add_noise, denoise
from napari_denoise_ae._napari.denoise import denoise_job
from napari_denoise_ae._napari.denoise.widget import DenoiseWidget
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.viewer.outputs import METADATA_KEY
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.evaluation.comparison import compare
from napari_denoise_ae.image.ranges import resolve_intensity_range
from napari_denoise_ae.models.builtin import builtin_models

# The function warns of what the widget says in words.
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


# --- the whole way


@pytest.mark.qt_binding
def test_from_a_clean_sample_to_figures(viewer, widget, run, qtbot):
    viewer.open_sample("napari-denoise-ae", "clean_color")
    widget.form.model.value = "conv"
    wait_for_facts(qtbot, widget)
    assert widget.form.facts.text().startswith("512 x 512 x 3, uint8, RGB, estimated")
    qtbot.waitUntil(lambda: "CIFAR-10" in widget.form.description.text())
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
    assert "estimated sigma" in widget.readout.text()


def test_a_clean_reference_gives_figures(viewer, widget, run):
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


def test_a_stack_has_figures_of_the_current_plane_and_the_mean(viewer, widget, run):
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


# --- which layer


def test_it_follows_the_active_layer_but_no_output(viewer, widget, run):
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
def test_a_layer_that_is_chosen_stays(viewer, widget):
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


def test_when_the_layer_that_was_chosen_goes_it_follows_again(viewer, widget):
    first = viewer.add_image(image())
    second = viewer.add_image(image())
    widget.form.layer.value = first
    widget.form.follow.value = False
    viewer.layers.remove(first)
    assert widget.form.source is second
    viewer.layers.clear()
    assert widget.form.source is None
    assert widget.form.facts.text() == "no image layer"


def test_opened_beside_other_layers_it_takes_the_topmost_image(viewer):
    photo = viewer.add_image(image())
    viewer.add_labels(np.zeros((4, 4), dtype=int))
    assert DenoiseWidget(viewer).form.source is photo


def test_a_renamed_layer_is_offered_by_its_name(viewer, widget):
    viewer.add_image(image(), name="old").name = "new"
    assert widget.form.layer.editor.currentText() == "new"


def test_a_pinned_layer_that_is_renamed_stays_chosen(viewer, widget):
    first = viewer.add_image(image(), name="first")
    viewer.add_image(image(), name="second")
    widget.form.layer.value = first
    widget.form.follow.value = False
    first.name = "other"
    assert widget.form.source is first
    assert widget.form.source_name == "other"
    assert not widget.form.follow.value


def test_new_pixels_are_looked_at_anew(viewer, widget, run, qtbot):
    layer = viewer.add_image(image())
    run(widget)
    layer.data = image((20, 24), np.uint16)
    wait_for_facts(qtbot, widget)
    assert widget.form.facts.text().startswith("20 x 24, uint16")
    assert not widget.copy_figures.isEnabled()


# --- what is said


def test_that_a_model_does_not_fit_is_said_before_anything_runs(
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
def test_odd_images_are_denoised(viewer, widget, run, messages, shape, dtype):
    layer = viewer.add_image(image(shape, dtype), rgb=shape[-1] == 4)
    widget.form.kind.value = "clean"
    assert run(widget).startswith("done")
    denoised = viewer.layers[-1]
    assert (denoised.data.shape, denoised.data.dtype) == (shape, dtype)
    if shape[-1] == 4:
        np.testing.assert_array_equal(denoised.data[..., 3], layer.data[..., 3])
    assert not messages()


def test_nan_and_five_dimensions(viewer, widget, run):
    data = image((1, 2, 2, 16, 16), np.float32)
    data[0, 1, 0, :4] = np.nan
    viewer.add_image(data, contrast_limits=(0, 255))
    run(widget)
    np.testing.assert_array_equal(np.isnan(viewer.layers[1].data), np.isnan(data))


def test_a_constant_clean_image_of_bytes_gets_noise_and_figures(viewer, widget, run):
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
def test_what_cannot_be_denoised_is_one_message(
    viewer, widget, run, messages, add, expected
):
    add(viewer)
    before = names(viewer)
    run(widget)
    assert len(messages()) == 1
    assert expected in messages()[0]
    assert names(viewer) == before


def test_a_wrong_setting_is_one_message(viewer, widget, run, messages):
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
def test_a_runtime_error_is_one_message(viewer, widget, run, messages, monkeypatch):
    def fail(self, batch, level=None):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Denoiser, "run_network", fail)
    viewer.add_image(image())
    assert run(widget) == "failed"
    assert messages() == ["Denoising failed: shapes do not match"]


@pytest.mark.qt_binding
def test_a_wrong_checkpoint_changes_nothing(
    viewer, widget, run, messages, qtbot, monkeypatch, tmp_path
):
    wrong = tmp_path / "wrong.pt"
    wrong.write_text("no checkpoint")
    choose = lambda *_: (str(wrong), "")  # noqa: E731
    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    widget.form.open_model.click()
    qtbot.waitUntil(lambda: bool(messages()))
    assert len(messages()) == 1
    assert "wrong.pt is not a checkpoint" in messages()[0]
    assert widget.form.model.editor.values == ("auto", *builtin_models())
    viewer.add_image(image())
    assert run(widget).startswith("done")


@pytest.mark.qt_binding
def test_a_chosen_checkpoint_is_used_and_described(
    viewer, widget, run, qtbot, monkeypatch, checkpoint
):
    choose = lambda *_: (checkpoint, "")  # noqa: E731
    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose)
    widget.form.open_model.click()
    qtbot.waitUntil(lambda: widget.form.model.value == checkpoint)
    viewer.add_image(image())
    run(widget)
    assert viewer.layers[1].metadata[METADATA_KEY]["model"] == checkpoint
    widget.form.model.value = "conv"
    assert model_choice(viewer).chosen == "conv"


# --- running again, cancelling, leaving


def test_running_again_updates_in_place(viewer, widget, run):
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


def test_another_widget_finds_what_the_first_has_made(viewer, widget, run):
    viewer.add_image(image())
    run(widget)
    viewer.window.remove_dock_widget(widget)
    second = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(second)
    run(second)
    assert len(viewer.layers) == 2


@pytest.mark.qt_binding
@pytest.mark.parametrize("step", ["model", "layer", "tiles", "figures"])
def test_cancel_at_every_stage(viewer, widget, run, qtbot, monkeypatch, gate, step):
    viewer.add_image(image((30, 16, 16)), name="stack")
    widget.form.kind.value = "clean"
    starts = {
        "model": ("loading", "load_denoiser", denoise_job.load_denoiser),
        "layer": ("reading", "prepare", denoise_job.prepare),
        "tiles": ("1 of", None, None),
        "figures": ("measuring", "score_planes", denoise_job.score_planes),
    }
    begin, name, function = starts[step]
    go_on = threading.Event()
    if name is None:
        gate.let(1)
    else:
        gate.open()

        def dawdle(*args):
            go_on.wait(60)
            return function(*args)

        monkeypatch.setattr(denoise_job, name, dawdle)
    widget.run_button.click()
    qtbot.waitUntil(lambda: widget.status.text().startswith(begin))
    widget.cancel_button.click()
    # At once, whatever the thread still does; it ends at its next step.
    assert widget.status.text() == "cancelled"
    go_on.set()
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


def test_nothing_is_kept_of_one_plane(viewer, widget, qtbot, gate):
    viewer.add_image(image((16, 16)))
    widget.run_button.click()
    qtbot.waitUntil(lambda: bool(gate.arrived))
    qtbot.wait(20)
    assert not widget.keep_button.isEnabled()
    widget.cancel_button.click()


def test_a_source_that_goes_while_it_runs_is_one_message(
    viewer, widget, qtbot, messages, gate
):
    viewer.add_image(image((5, 16, 16)), name="stack")
    gate.let(2)
    widget.run_button.click()
    qtbot.waitUntil(lambda: "left" in widget.status.text())
    viewer.layers.clear()
    gate.open()
    qtbot.waitUntil(widget.run_button.isEnabled)
    assert len(messages()) == 1
    assert "'stack' is gone" in messages()[0]
    assert not viewer.layers


def test_settings_that_change_while_it_runs_are_for_the_next_run(
    viewer, widget, qtbot, gate
):
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
def test_the_theme_changes_while_it_runs(viewer, widget, qtbot, gate):
    viewer.add_image(image((3, 16, 16)))
    widget.run_button.click()
    viewer.theme = "light"
    gate.open()
    qtbot.waitUntil(widget.run_button.isEnabled)
    assert len(viewer.layers) == 2


@pytest.mark.qt_binding
def test_only_the_main_thread_touches_layers(viewer, widget, run, monkeypatch, gate):
    from napari_denoise_ae._napari.denoise import run as denoise_run

    where = []
    show = denoise_run.show_output

    def show_and_tell(*args, **kwargs):
        where.append(threading.get_ident())
        return show(*args, **kwargs)

    monkeypatch.setattr(denoise_run, "show_output", show_and_tell)
    viewer.add_image(image())
    gate.open()
    run(widget)
    assert set(where) == {threading.get_ident()}
    assert gate.arrived
    assert threading.get_ident() not in gate.arrived


@pytest.mark.qt_binding
def test_closing_the_dock_ends_everything(viewer, widget, qtbot, gate):
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
    # Nothing listens any more.
    n_tiles = len(gate.arrived)
    assert n_tiles < 60
    layer.data = image((2, 16, 16))
    viewer.add_image(image())
    viewer.dims.set_point(0, 1)
    qtbot.wait(400)
    assert len(gate.arrived) == n_tiles
    assert "Alt-B" not in [str(key) for key in viewer.keymap]


@pytest.mark.qt_binding
def test_closing_the_viewer_ends_everything(make_napari_viewer, qtbot, gate, messages):
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


# --- looking at it, and taking it along


@pytest.mark.qt_binding
def test_side_by_side_links_contrast_limits(viewer, widget, run):
    layer = viewer.add_image(image(), name="cells")
    widget.side_by_side.setChecked(True)
    run(widget)
    assert viewer.canvas.grid.enabled
    layer.contrast_limits = (5, 100)
    assert viewer.layers["cells [denoised]"].contrast_limits == [5, 100]
    run(widget)
    widget.side_by_side.setChecked(False)
    assert not viewer.canvas.grid.enabled
    layer.contrast_limits = (7, 100)
    assert viewer.layers["cells [denoised]"].contrast_limits == [5, 100]


def test_side_by_side_ends_for_the_layers_it_began_with(viewer, widget, run):
    first = viewer.add_image(image(), name="first")
    run(widget)
    widget.side_by_side.setChecked(True)
    viewer.add_image(image(), name="second")
    widget.side_by_side.setChecked(False)
    denoised = viewer.layers["first [denoised]"]
    before = list(denoised.contrast_limits)
    first.contrast_limits = (5, 100)
    assert denoised.contrast_limits == before


def test_layers_go_in_any_order(viewer, widget, run, qtbot):
    widget.form.kind.value = "clean"
    widget.form.residual.value = True
    widget.side_by_side.setChecked(True)
    for gone in ("cells", "cells [noisy]", "cells [denoised]", "cells [residual]"):
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


def test_a_grid_of_the_user_stays(viewer, widget, run):
    viewer.add_image(image())
    viewer.canvas.grid.enabled = True
    run(widget)
    assert viewer.canvas.grid.enabled


@pytest.mark.qt_binding
def test_the_key_flips_between_before_and_after(viewer, widget, run):
    viewer.add_image(image(), name="cells")
    flip = next(func for key, func in viewer.keymap.items() if str(key) == "Alt+B")
    flip(viewer)
    run(widget)
    after = viewer.layers["cells [denoised]"]
    flip(viewer)
    assert not after.visible
    flip(viewer)
    assert after.visible


@pytest.mark.parametrize("kind", ["noisy", "clean"])
@pytest.mark.parametrize(
    ("shape", "dtype"), [((16, 24, 4), np.uint8), ((3, 16, 24), np.uint16)]
)
def test_the_copied_call_gives_the_same_array(viewer, widget, run, kind, shape, dtype):
    viewer.add_image(image(shape, dtype), rgb=shape[-1] == 4, name="it's")
    widget.form.kind.value = kind
    widget.form.seed.value = 3
    run(widget)
    widget.copy_python.click()
    names_there = {"viewer": viewer}
    exec(QApplication.clipboard().text(), names_there)
    np.testing.assert_array_equal(names_there["denoised"], viewer.layers[-1].data)


@pytest.mark.qt_binding
def test_figures_are_copied(viewer, widget, run):
    assert not widget.copy_figures.isEnabled()
    viewer.add_image(image())
    run(widget)
    widget.copy_figures.click()
    assert QApplication.clipboard().text() == widget.readout.text()
