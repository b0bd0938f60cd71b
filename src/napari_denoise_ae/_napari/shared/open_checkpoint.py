"""Open a model from a file dialog, or one dropped on the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog

from .model_choice import model_choice
from .model_facts import load_model_facts
from .worker import Failed, Task

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from .model_facts import ModelFacts

#: What file dialogs offer.
CHECKPOINT_FILES = "Checkpoints (*.safetensors *.pt)"
_MODEL_FILES = "Models (*.safetensors *.pt *.onnx *.zip)"
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
