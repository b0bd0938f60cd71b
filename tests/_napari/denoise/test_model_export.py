"""The chosen model is exported from the window."""

from __future__ import annotations

import sys
from threading import Event

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog, QInputDialog
from synthetic import random_checkpoint

from napari_denoise_ae._napari.denoise import model_export
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.export import onnx_file

for name in ("onnx", "onnxruntime", "onnxscript"):
    pytest.importorskip(name)


@pytest.fixture
def choose(monkeypatch):
    """Return a function that makes the dialog return a file and a kind of file."""

    def choose(path, kind=model_export._ONNX):
        def answer(_parent, _title, proposed, kinds):
            assert proposed.endswith(".onnx")
            assert kind in kinds.split(";;")
            return str(path), kind

        monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)

    return choose


def plain(text):
    return text.replace("\u200b", "")


def test_a_model_is_exported_and_the_file_is_named(
    viewer, widget, choose, messages, qtbot, tmp_path, monkeypatch
):
    # Converting a network takes seconds, and is tested without a window.
    monkeypatch.setattr(onnx_file, "onnx_bytes", lambda *_: b"a graph")
    monkeypatch.setattr(onnx_file, "compare", lambda *_: 0.0)
    made, make_graph = [], onnx_file.make_graph

    def make_and_note(checkpoint, *, standalone):
        made.append((checkpoint.name, standalone))
        return make_graph(checkpoint, standalone=standalone)

    monkeypatch.setattr(onnx_file, "make_graph", make_and_note)
    save_checkpoint(random_checkpoint(), tmp_path / "mine.pt")
    form, export = widget.form, widget.form.export
    assert export.isHidden()
    widget._models.choose(str(tmp_path / "mine.pt"))
    choose(tmp_path / "mine", model_export._STANDALONE)
    form.export_model.trigger()
    assert plain(export.note.text()) == "Exporting mine.pt: starting…"
    assert not export.bar.isHidden()
    form.export_model.trigger()
    assert messages()[-1].startswith("An export is running")
    qtbot.waitUntil(lambda: not export.is_running)
    path = tmp_path / "mine.onnx"
    assert plain(export.note.text()) == f"Exported to {path}"
    assert export.bar.isHidden()
    assert path.read_bytes() == b"a graph"
    assert made == [("mine.pt", True)]

    # A name that the dialog has not asked about is not replaced.
    form.export_model.trigger()
    assert messages()[-1] == f"{path} exists. To replace it, choose this name."

    # An error is one sentence; a package of an own model needs an author.
    answers = iter([("", True), ("CC-BY-4.0", True)])
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: next(answers))
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: next(answers))
    # The name that is proposed ends in .onnx.
    choose(tmp_path / "mine.onnx", model_export._PACKAGE)
    form.export_model.trigger()
    qtbot.waitUntil(lambda: not export.is_running)
    assert "A package names the authors" in messages()[-1]
    assert plain(export.note.text()).startswith("Not exported: A package names")
    assert not (tmp_path / "mine.zip").exists()

    # Dialogs that are closed change nothing.
    text = export.note.text()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("", False))
    form.export_model.trigger()
    choose("", "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    form.export_model.trigger()
    assert export.note.text() == text

    # The model of auto is that of the layer.
    viewer.add_image(np.zeros((8, 8, 3), np.uint8), rgb=True)
    assert not export.isHidden()
    form.model.value = "auto"
    assert export.isHidden()
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    choose(tmp_path / "auto.onnx")
    form.export_model.trigger()
    assert plain(export.note.text()) == "Exporting rgb: starting…"
    qtbot.waitUntil(lambda: not export.is_running)
    assert "pip install 'napari-denoise-ae[onnx]'" in messages()[-1]


def test_a_canceled_export_writes_nothing(widget, choose, qtbot, tmp_path, monkeypatch):
    reached, go_on = Event(), Event()

    def wait(*_):
        reached.set()
        assert go_on.wait(60)

    monkeypatch.setattr(onnx_file, "load_trainable", wait)
    choose(tmp_path / "gray.onnx")
    export = widget.form.export
    widget.form.export_model.trigger()
    qtbot.waitUntil(reached.is_set)
    text = "Exporting gray: loading the model…"
    qtbot.waitUntil(lambda: plain(export.note.text()) == text)
    export.cancel_button.click()
    assert export.note.text() == "The export was canceled. No file was written."
    assert not export.is_running
    go_on.set()
    from napari.qt.threading import WorkerBase

    WorkerBase.await_workers(60_000)
    assert list(tmp_path.glob("*.onnx")) == []
