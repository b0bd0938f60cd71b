"""Panel of the Denoise widget that compares models on a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QApplication,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from ...errors import DenoiseAEError
from ...image.axes import count_colors
from ...models.builtin import fitting_model
from ..shared.layout import Note, make_button, make_row
from .baseline_job import baselines
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
    """Denoise a layer with several models outside the GUI thread.

    Each model adds a layer and a row of the table as soon as it is done. They stay
    even if other models fail.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.
    models : ModelChoice
        The available models.
    comparison : callable
        Returns the layer to denoise and its job. Raises a `DenoiseAEError` if a
        setting is invalid.

    Attributes
    ----------
    busy : Signal
        Emitted with True when a comparison starts and False when it ends.
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
        self._arrange()
        self._connect()
        self.refresh_models()
        self._on_busy(False)

    @property
    def roles(self) -> list[str]:
        """Roles of the layers made by the last comparison."""
        return self._run.roles

    @property
    def chosen(self) -> list[str]:
        """The checked models, in the order of the list."""
        return self.list.chosen

    def choose(self, models: list[str]) -> None:
        """Check these models and no others."""
        self.list.choose(models)

    def refresh_models(self) -> None:
        """List the current models."""
        self.list.set_models(self._models)

    def block(self, on: bool) -> None:
        """Disable comparing while the Denoise widget is running."""
        self._is_blocked = on
        self._update_button()

    def clear_result(self) -> None:
        """Clear the table, unless a comparison is running."""
        if not self._run.is_running:
            self.table.clear_result()
            self.notes.setText("")
            self.status.setText("")
            self.copy_figures.setEnabled(False)

    def drop(self) -> None:
        """Stop the comparison without emitting anything."""
        self._run.drop()

    # --- widgets

    def _build(self) -> None:
        self.list = ModelList()
        self.compare_button = make_button(
            "", "Add a layer for each checked model, and a row of the table."
        )
        self.cancel_button = make_button(
            "Cancel", "Stop, and keep the results of the finished models."
        )
        self.bar = QProgressBar()
        self.status, self.notes = Note(), Note()
        self.table = CompareTable()
        self.setMinimumWidth(self.table.minimumWidth())
        self.copy_figures = make_button(
            "Copy figures", "Copy the table to the clipboard."
        )
        self.copy_figures.setEnabled(False)
        self.copy_python = make_button(
            "Copy as Python",
            "Copy the equivalent Python code for the models, for napari's console.",
        )

    def _arrange(self) -> None:
        explanation = QLabel("Each denoises the same pixels.")
        explanation.setToolTip(
            "<qt>All models denoise the layer with the same noise. The noise settings "
            "above apply only to models that take a noise level.</qt>"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(explanation)
        layout.addWidget(self.list)
        layout.addLayout(make_row(self.compare_button, self.cancel_button))
        for widget in (self.bar, self.status, self.table, self.table.note, self.notes):
            layout.addWidget(widget)
        layout.addLayout(make_row(self.copy_figures, self.copy_python))

    def _connect(self) -> None:
        self.list.changed.connect(self._update_button)
        self.compare_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._run.cancel)
        self.copy_figures.clicked.connect(self.table.copy)
        self.copy_python.clicked.connect(self._copy_python)
        self._run.busy.connect(self._on_busy)
        self._run.status_changed.connect(self.status.setText)
        self._run.progressed.connect(self._show_progress)
        self._run.added.connect(self._show_result)
        self._run.failed.connect(self._show_failure)

    def _update_button(self) -> None:
        n_chosen = len(self.chosen)
        models = "model" if n_chosen == 1 else "models"
        self.compare_button.setText(f"Compare {n_chosen} {models}")
        is_free = not self._run.is_running and not self._is_blocked
        self.compare_button.setEnabled(is_free and n_chosen > 0)

    # --- comparing

    def _resolved_models(self, job: DenoiseJob) -> list[str]:
        """Return the models to compare, with "auto" resolved and without duplicates."""
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
        titles = self._models.titles() | {name: name for name in baselines()}
        models = self._resolved_models(job)
        self._run.start(layer, job, {model: titles[model] for model in models})

    def _show_progress(self, value: int, maximum: int) -> None:
        self.bar.setRange(0, maximum)
        self.bar.setValue(value)

    def _show_result(self, title: str, result: Denoised, layer: str) -> None:
        self.table.add_result(title, result, layer)
        self.copy_figures.setEnabled(True)
        for text in result.incompatibilities:
            self._add_note(f"{title}: {text}")
        self.shown.emit()

    def _show_failure(self, title: str, message: str) -> None:
        self.table.add_failure(title)
        self._add_note(f"{title}: {message}")

    def _add_note(self, text: str) -> None:
        lines = [line for line in (self.notes.text(), f"⚠ {text}") if line]
        self.notes.setText("\n".join(lines))

    def _on_busy(self, busy: bool) -> None:
        self.cancel_button.setEnabled(busy)
        self.list.setEnabled(not busy)
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)
        self._update_button()
        self.busy.emit(busy)

    def _copy_python(self) -> None:
        try:
            layer, job = self._make_job()
        except DenoiseAEError as error:
            show_error(str(error))
            return
        models = [
            each for each in self._resolved_models(job) if each not in baselines()
        ]
        code = python_code(layer.name, job, models)
        QApplication.clipboard().setText(code)
        show_info("The call is on the clipboard.")
