from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

from napari_denoise_ae import add_noise, denoise
from napari_denoise_ae._napari.denoise import compare_job, denoise_job
from napari_denoise_ae._napari.denoise.baseline_job import baselines
from napari_denoise_ae._napari.denoise.compare_table import CompareTable
from napari_denoise_ae._napari.denoise.result import Denoised
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.shared.noise_form import GIVEN
from napari_denoise_ae._napari.viewer.outputs import METADATA_KEY
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.evaluation.comparison import compare
from napari_denoise_ae.image.intensity import IntensityRange
from napari_denoise_ae.image.ranges import resolve_intensity_range
from napari_denoise_ae.models.builtin import builtin_models
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

from synthetic import make_record, random_checkpoint, smooth_photo  # isort: skip

# The function warns of the same things as the widget.
pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)

N_SMALL_PARAMETERS = sum(w.numel() for w in random_checkpoint().state_dict.values())


def image(shape=(40, 56), dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


def names(viewer):
    return [layer.name for layer in viewer.layers]


@pytest.fixture
def small(viewer, tmp_path):
    """Add a checkpoint with a small network to the models, and return its path."""
    path = tmp_path / "small.pt"
    save_checkpoint(random_checkpoint(record=make_record()), path)
    model_choice(viewer).choose(str(path))
    return str(path)


@pytest.fixture
def panel(small, widget):
    widget.compare.choose(["conv", small])
    return widget.compare


@pytest.fixture
def run(qtbot, panel):
    """Return a function that presses Compare, waits, and returns the status."""

    def press_and_wait():
        panel.compare_button.click()
        qtbot.waitUntil(panel.compare_button.isEnabled)
        return panel.status.text()

    return press_and_wait


def title_of(small, viewer):
    return model_choice(viewer).titles()[small]


def test_the_best_figure_of_each_column_is_bold(qtbot):
    table = CompareTable()
    qtbot.addWidget(table)
    clean = np.zeros((16, 16), np.uint8)
    for title, level in (("worse", 20), ("best", 5), ("middle", 10)):
        noisy, denoised = clean + np.uint8(30), clean + np.uint8(level)
        scores = compare(
            clean, noisy, denoised, axes="YX", data_range=IntensityRange(0, 255)
        )
        result = Denoised(
            noisy=noisy, denoised=denoised, prepared=None, scores={(): scores}
        )
        table.add_result(title, result, "cells")
    table.add_failure("failed")
    bold = [table.item(row, 1).font().bold() for row in range(5)]
    assert bold == [False, False, True, False, False]


@pytest.mark.qt_binding
def test_each_model_adds_a_layer_and_a_row(viewer, widget, panel, run, small):
    clean = image((40, 56, 3))
    viewer.add_image(clean, name="photo", rgb=True)
    widget.form.kind.value = "clean"
    widget.form.noise.value = "gaussian:0..0.3"
    widget.form.seed.value = 5
    assert run() == "done"
    title = title_of(small, viewer)
    assert names(viewer) == [
        "photo",
        "photo [noisy]",
        "photo [by conv]",
        f"photo [by {title}]",
    ]
    noisy = add_noise(clean, "gaussian:0..0.3", rng=5, axes="YXS")
    np.testing.assert_array_equal(viewer.layers[1].data, noisy)
    scale = resolve_intensity_range(clean)
    rows = [line.split("\t") for line in panel.table.text().splitlines()]
    assert rows[0] == ["model", "PSNR", "SSIM", "weights", "time"]
    weights = {"conv": "186,371", title: f"{N_SMALL_PARAMETERS:,}"}
    results = zip(viewer.layers[2:], rows[2:4], ("conv", small), strict=True)
    for layer, row, model in results:
        expected = denoise(noisy, model=model, axes="YXS", intensity_range=scale)
        np.testing.assert_array_equal(layer.data, expected)
        assert layer.metadata[METADATA_KEY]["model"] == model
        scores = compare(clean, noisy, expected, axes="YXS", data_range=scale)
        assert row[1:3] == [
            f"{scores.psnr_denoised:.2f}",
            f"{scores.ssim_denoised:.3f}",
        ]
        assert row[3] == weights[row[0]]
        assert row[4].endswith(" s")
    assert rows[1][:2] == ["noisy", f"{scores.psnr_noisy:.2f}"]
    assert str(scale) in panel.table.note.text()
    assert panel.table.item(1, 3).text() == "186k"


@pytest.mark.parametrize("rgb", [False, True])
def test_a_classical_method_is_compared_on_request(viewer, widget, panel, run, rgb):
    clean = smooth_photo(40, 56, 3 if rgb else 1) * 255
    stack = np.stack([clean.astype(np.uint8)] * 2)
    viewer.add_image(stack if rgb else stack[..., 0], rgb=rgb, name="cells")
    widget.form.kind.value = "clean"
    assert "non-local means" not in panel.chosen
    panel.choose(["non-local means"])
    assert run() == "done"
    shown = viewer.layers["cells [by non-local means]"]
    assert (shown.data.shape, shown.data.dtype) == (viewer.layers[0].data.shape, "u1")
    table = panel.table
    before, after = (float(table.item(row, 1).text()) for row in range(2))
    assert after > before + 3
    assert table.item(1, 3).text() == ""
    pixels = viewer.layers[0].data.astype(float)
    pixels[..., 0] = np.nan
    viewer.layers[0].data = pixels
    run()
    assert "without data" in panel.notes.text()


def test_without_a_clean_image_there_is_no_psnr(viewer, panel, run):
    layer = viewer.add_image(image(), name="cells")
    before = layer.data.copy()
    run()
    assert len(viewer.layers) == 3
    np.testing.assert_array_equal(layer.data, before)
    assert "noisy" not in [panel.table.item(row, 0).text() for row in range(2)]
    assert panel.table.isColumnHidden(1)
    assert "no PSNR" in panel.table.note.text()


def test_a_clean_reference_gives_scores_of_a_stack(viewer, widget, panel, run):
    clean, noisy = image((3, 16, 24)), image((3, 16, 24), np.uint8)[::-1]
    reference = viewer.add_image(clean, name="clean")
    viewer.add_image(noisy, name="noisy")
    widget.form.reference.value = reference
    run()
    denoised = viewer.layers["noisy [by conv]"].data
    scale = resolve_intensity_range(clean)
    expected = compare(clean, noisy, denoised, axes="TYX", data_range=scale)
    assert panel.table.item(1, 1).text() == f"{expected.psnr_denoised:.2f}"
    assert "means of 3 planes" in panel.table.note.text()


def test_the_model_residual_does_not_replace_the_residual_layer(
    viewer, widget, panel, run, qtbot
):
    viewer.add_image(image((16, 16)), name="cells")
    panel.choose(["residual"])
    run()
    for residual in (True, False):
        widget.form.residual.value = residual
        widget.run_button.click()
        qtbot.waitUntil(widget.run_button.isEnabled)
        assert "cells [by residual]" in names(viewer)
        assert ("cells [residual]" in names(viewer)) == residual


@pytest.mark.qt_binding
def test_the_section_is_collapsed_and_its_width_reserved(viewer, widget, panel):
    assert panel.isHidden()
    assert widget.minimumSizeHint().width() >= panel.table.minimumWidth()
    widget.compare_section.button.click()
    assert not panel.isHidden()
    widget.compare_section.button.click()
    assert panel.isHidden()


def test_incompatibilities_are_shown_for_each_model(viewer, widget, panel, run, small):
    gray = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    viewer.add_image(gray, name="ramp")
    run()
    notes = panel.notes.text().splitlines()
    assert any(note.startswith("⚠ conv: ") for note in notes)
    assert any(note.startswith(f"⚠ {title_of(small, viewer)}: ") for note in notes)


def test_a_tiny_image_is_denoised(viewer, panel, run):
    viewer.add_image(image((5, 3)))
    assert run() == "done"
    assert viewer.layers[-1].data.shape == (5, 3)


def test_running_again_updates_the_layers_in_place(viewer, widget, panel, run):
    viewer.add_image(image(), name="cells")
    widget.form.kind.value = "clean"
    run()
    before = list(viewer.layers)
    old = before[-1].data.copy()
    widget.form.seed.value = 3
    run()
    assert list(viewer.layers) == before
    assert (before[-1].data != old).any()
    widget.form.kind.value = "noisy"
    run()
    assert "cells [noisy]" not in names(viewer)


def test_other_results_stay_if_a_model_fails(
    viewer, widget, panel, run, small, messages
):
    Path(small).write_bytes(b"not a checkpoint any more")
    viewer.add_image(image(), name="cells")
    assert run() == "done"
    assert names(viewer) == ["cells", "cells [by conv]"]
    assert "failed" in panel.table.text()
    assert "not a checkpoint" in panel.notes.text()
    assert not messages()


@pytest.mark.qt_binding
def test_a_runtime_error_of_one_model_does_not_stop_the_next(
    viewer, widget, panel, run, small, monkeypatch
):
    run_network = Denoiser.run_network

    def fail(self, batch, level=None):
        if self.checkpoint.name == "conv":
            raise RuntimeError("shapes do not match")
        return run_network(self, batch, level)

    monkeypatch.setattr(Denoiser, "run_network", fail)
    viewer.add_image(image(), name="cells")
    run()
    assert names(viewer) == ["cells", f"cells [by {title_of(small, viewer)}]"]
    assert panel.notes.text().startswith(
        "⚠ conv: Denoising failed: shapes do not match"
    )


def test_after_an_error_at_any_stage_the_panel_is_usable(
    viewer, widget, panel, run, messages, monkeypatch
):
    viewer.add_image(image(), name="cells")
    panel.choose(["conv", next(iter(baselines()))])
    for stage, error in (
        ("prepare", OSError),
        ("load_denoiser", OSError),
        ("denoise_prepared", MemoryError),
        ("run_baseline", RuntimeError),
    ):

        def fail(*_, stage=stage, error=error):
            raise error(f"injected into {stage}")

        with monkeypatch.context() as patch:
            patch.setattr(compare_job, stage, fail)
            is_for_all = stage == "prepare"
            assert run() == ("failed" if is_for_all else "done")
        shown = messages()[-1] if is_for_all else panel.notes.text()
        assert f"injected into {stage}" in shown.replace("\u200b", "")
    assert len(messages()) == 1
    assert run() == "done"
    assert "injected" not in panel.notes.text()
    assert "failed" not in panel.table.text()


def test_an_unsupported_layer_shows_one_message(viewer, panel, run, messages):
    run()
    viewer.add_image(np.full((8, 8), np.inf), contrast_limits=(0, 1))
    assert run() == "failed"
    assert len(messages()) == 2
    assert "no image layer" in messages()[0]
    assert "infinite" in messages()[1]
    assert len(viewer.layers) == 1


@pytest.mark.qt_binding
def test_cancel_keeps_the_results_of_finished_models(
    viewer, widget, panel, qtbot, gate, small
):
    viewer.add_image(image((10, 16, 16)), name="stack")
    gate.let(13)
    panel.compare_button.click()
    assert not widget.run_button.isEnabled()
    qtbot.waitUntil(lambda: "2 of 2: 3 of 10" in panel.status.text())
    assert panel.bar.maximum() > panel.bar.value() > panel.bar.maximum() / 2
    assert " left" in panel.status.text()
    panel.cancel_button.click()
    assert panel.status.text() == "cancelled: 1 of 2 models are done"
    gate.open()
    qtbot.waitUntil(lambda: not QThreadPool.globalInstance().activeThreadCount())
    QApplication.processEvents()
    assert names(viewer) == ["stack", "stack [by conv]"]
    assert panel.table.rowCount() == 1
    assert panel.bar.isHidden()
    assert panel.compare_button.isEnabled()
    assert widget.run_button.isEnabled()


def test_comparing_is_disabled_while_denoising(viewer, widget, panel, gate):
    viewer.add_image(image((10, 16, 16)))
    widget.run_button.click()
    assert not panel.compare_button.isEnabled()
    widget.cancel_button.click()
    assert panel.compare_button.isEnabled()


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_removing_or_replacing_the_pixels_shows_one_message(
    viewer, panel, qtbot, gate, messages, change
):
    layer = viewer.add_image(image((5, 16, 16)), name="stack")
    gate.let(2)
    panel.compare_button.click()
    qtbot.waitUntil(lambda: " left" in panel.status.text())
    if change == "removed":
        viewer.layers.clear()
    else:
        layer.data = image((16, 20))
    gate.open()
    qtbot.waitUntil(panel.compare_button.isEnabled)
    assert len(messages()) == 1
    assert change in messages()[0]
    assert not [each for each in viewer.layers if each is not layer]


@pytest.mark.qt_binding
def test_closing_the_dock_stops_the_comparison(viewer, widget, panel, qtbot, gate):
    viewer.add_image(image((60, 16, 16)))
    gate.let(2)
    panel.compare_button.click()
    qtbot.waitUntil(lambda: " left" in panel.status.text())
    viewer.window.remove_dock_widget(widget)
    gate.open()
    pool = QThreadPool.globalInstance()
    qtbot.waitUntil(lambda: not pool.activeThreadCount())
    assert len(gate.arrived) < 60
    assert len(viewer.layers) == 1


def test_side_by_side_links_all_results(viewer, widget, panel, run):
    layer = viewer.add_image(image(), name="cells")
    widget.side_by_side.setChecked(True)
    run()
    assert viewer.canvas.grid.enabled
    layer.contrast_limits = (5, 100)
    for output in viewer.layers[1:]:
        assert output.contrast_limits == [5, 100]


@pytest.mark.qt_binding
def test_new_models_are_listed_and_checked(viewer, widget, panel, small, tmp_path):
    panel.choose(["conv"])
    newer = str(copyfile(small, tmp_path / "newer.pt"))
    model_choice(viewer).choose(newer)
    assert panel.chosen == ["conv", newer]
    panel.choose([])
    assert not panel.compare_button.isEnabled()


def test_the_builtin_models_are_checked_initially(viewer, widget):
    # "auto" stands for these two.
    others = [model for model in builtin_models() if model not in ("gray", "rgb")]
    assert widget.compare.chosen == ["auto", *others]


def test_noise_settings_apply_only_to_models_that_take_a_noise_level(
    viewer, widget, panel, run, small
):
    layer = viewer.add_image(image(), name="cells")
    model_choice(viewer).choose("auto")
    widget.form.to_remove.kind.value = GIVEN
    widget.form.to_remove.sigma.value = "30"
    widget.form.to_remove.strength.setValue(0.5)
    panel.choose(["auto", "gray", "conv", small])
    assert run() == "done"
    # The model that "auto" stands for is compared once.
    title = title_of(small, viewer)
    made = [f"cells [by {each}]" for each in ("gray", "conv", title)]
    assert names(viewer)[1:] == made
    assert "failed" not in panel.table.text()
    options = {"sigma": 30.0, "strength": 0.5}
    expected = denoise(layer.data, model="gray", **options)
    results = {each.name: each for each in viewer.layers}
    np.testing.assert_array_equal(results["cells [by gray]"].data, expected)
    conv = results["cells [by conv]"]
    np.testing.assert_array_equal(conv.data, denoise(layer.data, model="conv"))
    assert "measured_noise" not in conv.metadata[METADATA_KEY]
    panel.copy_python.click()
    namespace = {"viewer": viewer}
    exec(QApplication.clipboard().text(), namespace)
    for model, name in {"gray": "gray", "conv": "conv", small: title}.items():
        np.testing.assert_array_equal(
            namespace["denoised"][model], results[f"cells [by {name}]"].data
        )


def test_another_layer_clears_the_table(viewer, panel, run):
    viewer.add_image(image())
    run()
    assert panel.copy_figures.isEnabled()
    viewer.add_image(image())
    assert panel.table.rowCount() == 0
    assert not panel.copy_figures.isEnabled()


@pytest.mark.qt_binding
@pytest.mark.parametrize("kind", ["noisy", "clean"])
def test_scores_and_code_are_copied(viewer, widget, panel, run, small, kind):
    viewer.add_image(image((16, 24), np.uint16), name="it's")
    widget.form.kind.value = kind
    run()
    panel.copy_figures.click()
    assert QApplication.clipboard().text() == panel.table.text()
    panel.copy_python.click()
    namespace = {"viewer": viewer}
    exec(QApplication.clipboard().text(), namespace)
    assert list(namespace["denoised"]) == ["conv", small]
    for layer, result in zip(
        viewer.layers[-2:], namespace["denoised"].values(), strict=True
    ):
        np.testing.assert_array_equal(layer.data, result)


def test_the_layer_is_prepared_once_for_all_models(
    viewer, widget, panel, run, monkeypatch
):
    prepared = []
    prepare = denoise_job.prepare
    monkeypatch.setattr(
        compare_job, "prepare", lambda job: prepared.append(job) or prepare(job)
    )
    viewer.add_image(image())
    widget.form.kind.value = "clean"
    run()
    assert len(prepared) == 1
