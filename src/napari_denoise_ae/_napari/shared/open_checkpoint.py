"""Opening a checkpoint file: from the widget's button, or dropped on the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog

from .model_choice import model_choice
from .model_facts import look_at_model
from .worker import Failed, Running

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from .model_facts import ModelFacts


def ask_for_checkpoint(parent: QWidget, viewer: Viewer) -> None:
    """Let the user choose a file, and open it; see `open_checkpoint`."""
    path, _ = QFileDialog.getOpenFileName(
        parent, "Open a checkpoint", "", "Checkpoints (*.pt)"
    )
    if path:
        open_checkpoint(viewer, path)


def open_checkpoint(viewer: Viewer, path: str) -> None:
    """Choose a checkpoint in all widgets of a viewer, if it can be used.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    path : str
        The file. If it is of no use, that is told, and nothing else changes.
    """

    def choose(outcome: ModelFacts | Failed) -> None:
        if isinstance(outcome, Failed):
            show_error(outcome.message)
        else:
            model_choice(viewer).choose(path)

    Running(look_at_model, path, returned=choose)
