from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QFileDialog
from superqt.utils import WorkerBase

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.files.widget import FilesWidget
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.shared.noise_form import GIVEN
from napari_denoise_ae.cli.main import main
from napari_denoise_ae.files import batch
from napari_denoise_ae.io import source as source_module
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

from synthetic import make_record, random_checkpoint  # isort: skip

MODEL = random_checkpoint(record=make_record(), in_channels=1)
SHAPE = (5, 24, 32)
N_TILES = 5


def stack(number):
    rng = np.random.default_rng(number)
    return rng.integers(0, 256, SHAPE, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three stacks and a file that is not an image."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        tifffile.imwrite(
            folder / f"{number}.tif", stack(number), metadata={"axes": "TYX"}
        )
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture
def small(viewer, tmp_path):
    """Choose a checkpoint with a small network, and return its path."""
    path = tmp_path / "small.pt"
    save_checkpoint(MODEL, path)
    model_choice(viewer).choose(str(path))
    return str(path)


@pytest.fixture
def widget(viewer, small, qtbot):
    widget = FilesWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Denoise files")
    qtbot.waitUntil(lambda: widget._takes_noise_level is not None)
    return widget


@pytest.fixture
def run(qtbot, widget):
    """Return a function that presses the button, waits, and returns the status."""

    def press_and_wait():
        widget.run_button.click()
        qtbot.waitUntil(lambda: not widget.is_running)
        return widget.status.text()

    return press_and_wait


def files_in(folder):
    return sorted(folder.glob("*.tif"))


def states(widget):
    return [widget.table.state(file) for file in widget.table.files]


@pytest.mark.qt_binding
def test_files_are_denoised_into_the_suggested_folder(widget, run, folder):
    widget.add(files_in(folder))
    assert widget.run_button.text() == "Denoise 3 files"
    assert states(widget) == ["waiting"] * 3
    assert run() == "3 done"
    assert states(widget) == ["done"] * 3
    for number in range(3):
        written = tifffile.imread(folder / "denoised" / f"{number}.tif")
        expected = denoise(stack(number), model=MODEL, axes="TYX")
        np.testing.assert_array_equal(written, expected)


@pytest.mark.qt_binding
def test_results_can_be_float32(widget, run, folder):
    widget.add(files_in(folder))
    widget.dtype.value = "float32"
    assert run() == "3 done"
    written = tifffile.imread(folder / "denoised" / "0.tif")
    expected = denoise(stack(0), model=MODEL, axes="TYX", dtype="float32")
    assert written.dtype == np.float32
    np.testing.assert_array_equal(written, expected)


def test_a_png_in_the_list_is_refused_for_float32(widget, run, folder, messages):
    imagecodecs.imwrite(folder / "3.png", stack(0)[0])
    widget.add([*files_in(folder), folder / "3.png"])
    widget.dtype.value = "float32"
    assert run() == "failed"
    assert len(messages()) == 1
    assert "PNG files cannot store float32" in messages()[0]
    assert not (folder / "denoised").exists()


def test_unchanged_denoised_files_are_skipped(widget, run, folder):
    widget.add(files_in(folder))
    run()
    tifffile.imwrite(folder / "1.tif", stack(9), metadata={"axes": "TYX"})
    assert run() == "1 done, 2 skipped"
    assert states(widget) == ["skipped", "done", "skipped"]


@pytest.mark.qt_binding
def test_adding_a_folder_adds_its_images_once(qtbot, monkeypatch, widget, folder):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(folder))
    widget.add_folder.click()
    qtbot.waitUntil(lambda: len(widget.table.files) == 3)
    assert list(widget.table.files) == files_in(folder)
    widget.add(files_in(folder))
    assert len(widget.table.files) == 3


def test_a_folder_without_images_shows_a_message(
    qtbot, monkeypatch, widget, tmp_path, messages
):
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path / "empty")
    )
    widget.add_folder.click()
    qtbot.waitUntil(lambda: bool(messages()))
    assert "There are no images" in messages()[0]
    assert not widget.run_button.isEnabled()


@pytest.mark.qt_binding
def test_files_can_be_added_and_removed(monkeypatch, widget, folder):
    chosen = [str(file) for file in files_in(folder)]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_args: (chosen, ""))
    widget.add_files.click()
    widget.table.selectRow(1)
    widget.remove.click()
    assert [file.name for file in widget.table.files] == ["0.tif", "2.tif"]
    widget.table.clearSelection()
    widget.remove.click()
    assert widget.table.files == ()
    assert not widget.run_button.isEnabled()


@pytest.mark.qt_binding
def test_a_failed_file_is_reported_and_the_run_continues(widget, run, folder):
    (folder / "1.tif").write_bytes(b"not a TIFF")
    widget.add(files_in(folder))
    assert run() == "2 done, 1 failed"
    assert states(widget) == ["done", "failed", "done"]
    assert "1.tif" in widget.notes.text().replace("\u200b", "")
    assert not (folder / "denoised" / "1.tif").exists()


def test_after_an_error_at_any_stage_the_widget_is_usable(
    widget, run, folder, messages, monkeypatch
):
    widget.add(files_in(folder)[:1])
    before_all = ("_prepare_folders", "choose_device", "LoadedModels")
    for stage in (*before_all, "FileDenoising"):

        def fail(*_, stage=stage):
            raise RuntimeError(f"injected into {stage}")

        with monkeypatch.context() as patch:
            patch.setattr(batch, stage, fail)
            status = run()
        is_first = stage in before_all
        assert status == ("failed" if is_first else "1 failed")
        shown = messages()[-1] if is_first else widget.notes.text()
        assert f"injected into {stage}" in shown.replace("\u200b", "")
    assert run() == "1 done"


def test_an_output_folder_is_required(widget, folder, messages):
    widget.add(files_in(folder))
    widget.output.value = ""
    widget.run_button.click()
    assert not widget.is_running
    assert messages() == ["Choose a folder for the results."]


def test_the_folder_of_the_inputs_is_refused_as_output(widget, run, folder, messages):
    widget.add(files_in(folder))
    widget.output.value = str(folder)
    assert run() == "failed"
    assert "would replace the images" in messages()[0]
    assert states(widget) == ["waiting"] * 3


def test_other_files_are_replaced_only_if_requested(widget, run, folder):
    other = folder / "denoised" / "0.tif"
    other.parent.mkdir()
    other.write_bytes(b"mine")
    widget.add(files_in(folder)[:1])
    assert run() == "1 failed"
    assert other.read_bytes() == b"mine"
    widget.overwrite.value = True
    assert run() == "1 done"
    assert tifffile.imread(other).shape == SHAPE


@pytest.mark.qt_binding
def test_the_status_shows_the_progress_and_the_time_left(qtbot, gate, widget, folder):
    widget.add(files_in(folder))
    gate.let(N_TILES + 2)
    widget.run_button.click()
    qtbot.waitUntil(lambda: widget.status.text().startswith("file 2 of 3, about "))
    assert widget.status.text().endswith(" s left")


@pytest.mark.qt_binding
def test_cancel_keeps_only_finished_files(qtbot, gate, widget, folder):
    widget.add(files_in(folder))
    gate.let(N_TILES + 2)
    widget.run_button.click()
    first, second, _ = widget.table.files
    qtbot.waitUntil(lambda: "%" in widget.table.state(second))
    widget.cancel_button.click()
    gate.open()
    qtbot.waitUntil(lambda: not widget.is_running)
    assert widget.status.text() == "cancelled, 1 done"
    assert states(widget) == ["done", "waiting", "waiting"]
    visible = [path.name for path in (folder / "denoised").glob("*")]
    assert [name for name in visible if name.endswith(".tif")] == [first.name]
    assert not [name for name in visible if name.startswith(".writing-")]
    # The next run continues.
    widget.run_button.click()
    qtbot.waitUntil(lambda: not widget.is_running)
    assert widget.status.text() == "2 done, 1 skipped"


@pytest.mark.qt_binding
def test_quitting_napari_stops_the_run(qtbot, gate, widget, folder, monkeypatch):
    """napari requests its workers to quit, and waits for them."""
    request_quit = WorkerBase.quit
    monkeypatch.setattr(
        WorkerBase, "quit", lambda worker: (request_quit(worker), gate.open())
    )
    widget.add(files_in(folder))
    gate.let(N_TILES + 2)
    widget.run_button.click()
    second = widget.table.files[1]
    qtbot.waitUntil(lambda: "%" in widget.table.state(second))
    WorkerBase.await_workers(120_000)
    assert [path.name for path in (folder / "denoised").glob("*.tif")] == ["0.tif"]


def test_a_missing_file_fails_even_if_its_name_is_a_pattern(widget, run, folder):
    """The name of the missing file is a glob pattern that matches another file."""
    tifffile.imwrite(folder / "scan[1].tif", stack(0), metadata={"axes": "TYX"})
    tifffile.imwrite(folder / "scan1.tif", stack(0), metadata={"axes": "TYX"})
    widget.add([folder / "scan[1].tif", *files_in(folder)[:1]])
    (folder / "scan[1].tif").unlink()
    assert run() == "1 done, 1 failed"
    assert states(widget) == ["failed", "done"]
    assert "no file" in widget.notes.text()


def test_a_shared_reason_is_shown_once(widget, run, folder):
    widget.add(files_in(folder))
    widget.axes.value = "YX"
    assert run() == "3 failed"
    assert widget.notes.text().startswith("⚠ 3 files: ")
    assert "\n" not in widget.notes.text()


def test_no_file_stays_open(widget, run, folder):
    tifffile.imwrite(
        folder / "0.tif", stack(0), metadata={"axes": "TYX"}, compression="zlib"
    )
    widget.add(files_in(folder))
    assert run() == "3 done"
    assert source_module._opened.cache_info().currsize == 0


def test_an_invalid_model_is_marked_and_disables_the_button(
    qtbot, viewer, widget, folder, tmp_path
):
    widget.add(files_in(folder))
    (tmp_path / "bad.pt").write_bytes(b"not a checkpoint")
    model_choice(viewer).choose(str(tmp_path / "bad.pt"))
    qtbot.waitUntil(lambda: bool(widget.model.message))
    assert "not a checkpoint" in widget.model.message
    assert not widget.run_button.isEnabled()
    model_choice(viewer).choose("gray")
    assert widget.model.message == ""
    assert widget.run_button.isEnabled()


@pytest.mark.qt_binding
def test_closing_the_dock_stops_the_run(qtbot, gate, viewer, widget, folder):
    widget.add(files_in(folder))
    gate.let(N_TILES + 2)
    widget.run_button.click()
    second = widget.table.files[1]
    qtbot.waitUntil(lambda: "%" in widget.table.state(second))
    viewer.window.remove_dock_widget(widget)
    assert not widget.is_running
    gate.open()
    qtbot.waitUntil(lambda: not QThreadPool.globalInstance().activeThreadCount())
    written = [path.name for path in (folder / "denoised").glob("*.tif")]
    assert written == ["0.tif"]


def test_the_model_is_shared_and_determines_the_fields(qtbot, viewer, widget):
    assert widget.model.value == model_choice(viewer).chosen
    model_choice(viewer).choose("conv")
    assert widget.model.value == "conv"
    qtbot.waitUntil(lambda: widget._takes_noise_level is False)
    assert widget.noise.isHidden()
    widget.model.value = "gray"
    assert model_choice(viewer).chosen == "gray"
    assert not widget.noise.isHidden()


def test_a_given_sigma_and_axes_are_used(viewer, widget, run, folder):
    tifffile.imwrite(folder / "0.tif", stack(0), metadata=None)
    model_choice(viewer).choose("gray")
    widget.noise.kind.value = GIVEN
    widget.noise.sigma.value = "60"
    widget.axes.value = "CYX"
    widget.add([Path(folder, "0.tif")])
    assert run() == "1 done"
    expected = denoise(stack(0), model="gray", sigma=60.0, axes="CYX")
    written = tifffile.imread(folder / "denoised" / "0.tif")
    np.testing.assert_array_equal(written, expected)


def test_an_invalid_sigma_shows_a_message_and_nothing_runs(
    viewer, widget, folder, messages
):
    model_choice(viewer).choose("gray")
    widget.noise.kind.value = GIVEN
    widget.noise.sigma.value = "loud"
    widget.add(files_in(folder))
    widget.run_button.click()
    assert not widget.is_running
    assert "sigma" in messages()[0]


def test_results_of_the_command_are_skipped(widget, run, small, folder):
    files = [str(file) for file in files_in(folder)]
    assert main(["denoise", *files, str(folder / "denoised"), "--model", small]) == 0
    widget.add(files_in(folder))
    assert run() == "3 skipped"


def test_frames_of_files_are_averaged(widget, folder):
    widget.add(files_in(folder))
    widget._set_takes_noise_level(True)
    widget.frames.value = 1
    assert widget._job().options.frames == 1
    widget._set_takes_noise_level(False)
    assert widget.frames.isHidden()
    assert widget._job().options.frames == 0
