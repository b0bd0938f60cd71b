"""Buttons to use the model of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from ...models.builtin import DEFAULT_MODEL
from ..shared.layout import make_button, make_row
from ..shared.model_choice import model_choice, unwrap_proxy

if TYPE_CHECKING:
    from napari.viewer import Viewer

_PLUGIN = "napari-denoise-ae"


class NewModel(QWidget):  # type: ignore[misc]
    """Denoise with a new model, compare it, and find its file. Hidden without one.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers and of the Denoise widget.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = unwrap_proxy(viewer)
        self._path = ""
        self.denoise_button = make_button(
            "Denoise layer", "Denoise the selected layer with the new model."
        )
        self.compare_button = make_button(
            "Compare",
            "Denoise the selected layer with the new and with the built-in model, and "
            "show the results side by side.",
        )
        self.copy_button = make_button("Copy path", "Copy the path of the checkpoint.")
        self.folder_button = make_button(
            "Open folder", "Open the folder of the checkpoint."
        )
        self.denoise_button.clicked.connect(self._denoise)
        self.compare_button.clicked.connect(self._compare)
        self.copy_button.clicked.connect(self._copy_path)
        self.folder_button.clicked.connect(self._open_folder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(make_row(self.denoise_button, self.compare_button))
        layout.addLayout(make_row(self.copy_button, self.folder_button))
        self.hide()

    def show_model(self, path: str) -> None:
        """Choose a checkpoint in the widgets of the viewer, and show the buttons."""
        self._path = path
        model_choice(self._viewer).choose(path)
        self.show()

    def _denoise(self) -> None:
        self._denoise_widget().run_button.click()

    def _compare(self) -> None:
        widget = self._denoise_widget()
        widget.compare_section.expand()
        widget.compare.choose([DEFAULT_MODEL, self._path])
        widget.side_by_side.setChecked(True)
        widget.compare.compare_button.click()

    def _denoise_widget(self) -> Any:
        """Open the Denoise widget, or raise it, and choose the model there."""
        dock, widget = self._viewer.window.add_plugin_dock_widget(
            _PLUGIN, "Denoise", tabify=True
        )
        dock.show()
        dock.raise_()
        model_choice(self._viewer).choose(self._path)
        return widget

    def _copy_path(self) -> None:
        QApplication.clipboard().setText(self._path)
        show_info("The path is on the clipboard.")

    def _open_folder(self) -> None:
        folder = Path(self._path).absolute().parent
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            show_warning(f"No program opens the folder {folder}.")
