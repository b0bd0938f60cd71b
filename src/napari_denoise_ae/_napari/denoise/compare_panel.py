"""The part of the Denoise widget that compares models on one layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QApplication,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...errors import DenoiseAEError
from ...image.axes import count_colors
from ...models.builtin import fitting_model
from ..shared.layout import Note, make_row
from .compare_run import CompareRun
from .compare_table import CompareTable
from .model_list import ModelList
from .python_code import python_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image
    from napari.viewer import Viewer

    from ..shared.model_choice import ModelChoice
    from .job import DenoiseJob
    from .result import Denoised


class ComparePanel(QWidget):  # type: ignore[misc]
    """Denoise a layer with several models, outside the GUI thread.

    Each gives a layer that is named after it and a row of the table, as soon as
    it is done; what is there stays, whatever becomes of the others.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    models : ModelChoice
        Which models there are.
    comparison : callable
        Returns the layer to denoise, and how. Raises what a user has to know.

    Attributes
    ----------
    busy : Signal
        Emitted with whether models are being compared, when that changes.
    shown : Signal
        Emitted after a layer has been added.
    """

    busy = Signal(bool)
    shown = Signal()

    def __init__(
        self,
        viewer: Viewer,
        models: ModelChoice,
        comparison: Callable[[], tuple[Image, DenoiseJob]],
    ) -> None:
        super().__init__()
        self._models = models
        self._make_job = comparison
        self._run = CompareRun(viewer)
        self._is_blocked = False
        self._build()
        self._lay_out()
        self._connect()
        self.refresh_models()
        self._on_busy(False)

    @property
    def roles(self) -> list[str]:
        """The roles of the layers that the last comparison has made."""
        return self._run.roles

    @property
    def chosen(self) -> list[str]:
        """The models that are checked, in the order of the list."""
        return self.list.chosen

    def choose(self, models: list[str]) -> None:
        """Check these models and no others."""
        self.list.choose(models)

    def refresh_models(self) -> None:
        """Offer the models that are known now."""
        self.list.offer(self._models)

    def block(self, on: bool) -> None:
        """Let nothing be compared while something else is denoised."""
        self._is_blocked = on
        self._show_number()

    def clear_result(self) -> None:
        """Show no figures, unless they are being made."""
        if not self._run.is_running:
            self.table.clear_result()
            self.notes.setText("")
            self.status.setText("")
            self.copy_figures.setEnabled(False)

    def drop(self) -> None:
        """Stop, and hear no more of it."""
        self._run.drop()

    # --- what it is made of

    def _build(self) -> None:
        self.list = ModelList()
        self.compare_button = QPushButton()
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop; the models that are done stay.")
        self.bar = QProgressBar()
        self.status, self.notes = Note(), Note()
        self.table = CompareTable()
        self.setMinimumWidth(self.table.minimumWidth())
        self.copy_figures = QPushButton("Copy figures")
        self.copy_figures.setEnabled(False)
        self.copy_python = QPushButton("Copy as Python")
        self.copy_python.setToolTip("The same as a call, for napari's console.")

    def _lay_out(self) -> None:
        what = QLabel("Each denoises the same pixels.")
        what.setToolTip(
            "<qt>The layer, with the same noise for all. Only the models that take a "
            "noise level are told what is said of it above.</qt>"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(what)
        layout.addWidget(self.list)
        layout.addLayout(make_row(self.compare_button, self.cancel_button))
        for widget in (self.bar, self.status, self.table, self.table.note, self.notes):
            layout.addWidget(widget)
        layout.addLayout(make_row(self.copy_figures, self.copy_python))

    def _connect(self) -> None:
        self.list.changed.connect(self._show_number)
        self.compare_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._run.cancel)
        self.copy_figures.clicked.connect(self.table.copy)
        self.copy_python.clicked.connect(self._copy_python)
        self._run.busy.connect(self._on_busy)
        self._run.status_changed.connect(self.status.setText)
        self._run.progressed.connect(self._show_progress)
        self._run.added.connect(self._show_result)
        self._run.failed.connect(self._show_failure)

    def _show_number(self) -> None:
        n_chosen = len(self.chosen)
        models = "model" if n_chosen == 1 else "models"
        self.compare_button.setText(f"Compare {n_chosen} {models}")
        is_free = not self._run.is_running and not self._is_blocked
        self.compare_button.setEnabled(is_free and n_chosen > 0)

    # --- comparing

    def _fitting(self, job: DenoiseJob) -> list[str]:
        """Return the models to compare: each once, and by its own name."""
        n_colors = count_colors(job.data.shape, job.axes)
        models = (fitting_model(model, n_colors) for model in self.chosen)
        return list(dict.fromkeys(models))

    def _start(self) -> None:
        try:
            layer, job = self._make_job()
        except DenoiseAEError as error:
            show_error(str(error))
            return
        self.clear_result()
        titles = self._models.titles()
        fitting = self._fitting(job)
        self._run.start(layer, job, {model: titles[model] for model in fitting})

    def _show_progress(self, value: int, maximum: int) -> None:
        self.bar.setRange(0, maximum)
        self.bar.setValue(value)

    def _show_result(self, title: str, result: Denoised, layer: str) -> None:
        self.table.add_result(title, result, layer)
        self.copy_figures.setEnabled(True)
        for text in result.incompatibilities:
            self._note(f"{title}: {text}")
        self.shown.emit()

    def _show_failure(self, title: str, message: str) -> None:
        self.table.add_failure(title)
        self._note(f"{title}: {message}")

    def _note(self, text: str) -> None:
        lines = [line for line in (self.notes.text(), f"⚠ {text}") if line]
        self.notes.setText("\n".join(lines))

    def _on_busy(self, busy: bool) -> None:
        self.cancel_button.setEnabled(busy)
        self.list.setEnabled(not busy)
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)
        self._show_number()
        self.busy.emit(busy)

    def _copy_python(self) -> None:
        try:
            layer, job = self._make_job()
        except DenoiseAEError as error:
            show_error(str(error))
            return
        code = python_code(layer.name, job, self._fitting(job))
        QApplication.clipboard().setText(code)
        show_info("The call is on the clipboard.")
