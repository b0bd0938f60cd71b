"""Open a model from a file dialog, or one dropped on the viewer or a widget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QFileDialog

from .model_choice import model_choice
from .model_facts import load_model_facts
from .worker import Failed, Task

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtCore import QMimeData
    from qtpy.QtWidgets import QWidget

    from .model_facts import ModelFacts

#: What file dialogs offer.
CHECKPOINT_FILES = "Checkpoints (*.safetensors *.pt)"
_SUFFIXES = (".safetensors", ".pt", ".onnx", ".zip")
_MODEL_FILES = f"Models ({' '.join(f'*{suffix}' for suffix in _SUFFIXES)})"
#: The kinds of model files, for tooltips.
MODEL_FILES_NOTE = (
    "a checkpoint (.safetensors, .pt), an ONNX file (.onnx), or a bioimage.io package "
    "(.zip)"
)


def ask_for_checkpoint(parent: QWidget, viewer: Viewer) -> None:
    """Ask the user for the file of a model and open it."""
    path, _ = QFileDialog.getOpenFileName(parent, "Open a model", "", _MODEL_FILES)
    if path:
        open_checkpoint(viewer, path)


def open_checkpoint(viewer: Viewer, path: str) -> None:
    """Choose a model in all widgets of a viewer, if it can be loaded.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    path : str
        The file. If it cannot be loaded, napari shows the error and nothing changes.
    """

    def choose(outcome: ModelFacts | Failed) -> None:
        if isinstance(outcome, Failed):
            show_error(outcome.message)
        else:
            model_choice(viewer).choose(path)

    Task(load_model_facts, path, returned=choose)


class ModelDrop(QObject):  # type: ignore[misc]
    """Opens a model file that is dropped on a widget.

    Parameters
    ----------
    widget : QWidget
        The widget. Other files cannot be dropped on it.
    viewer : napari.viewer.Viewer
        The viewer whose model is chosen.
    """

    def __init__(self, widget: QWidget, viewer: Viewer) -> None:
        super().__init__(widget)
        self._viewer = viewer
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        """Accept a model file, and open it."""
        kind = event.type()
        if kind not in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            return False
        path = _model_file(event.mimeData())
        event.setAccepted(bool(path))
        if path and kind == QEvent.Type.Drop:
            open_checkpoint(self._viewer, path)
        return True


def _model_file(dragged: QMimeData) -> str:
    """Return the path of a single model file; empty for anything else."""
    paths = [url.toLocalFile() for url in dragged.urls()]
    is_model = len(paths) == 1 and Path(paths[0]).suffix.lower() in _SUFFIXES
    return paths[0] if is_model else ""
