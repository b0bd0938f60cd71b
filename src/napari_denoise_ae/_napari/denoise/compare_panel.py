"""The part of the Denoise widget that compares models on one layer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...errors import DenoiseAEError
from ...image.axes import count_colors
from ...models.builtin import DEFAULT_MODEL, builtin_models, fitting_model
from ..shared.layout import Note, breakable, make_row
from ..shared.worker import Running, say_duration
from ..viewer.outputs import remove_output, show_output
from .compare_job import ModelDone, ModelFailed, ModelStarted, run_comparison
from .compare_table import CompareTable
from .job import Started
from .provenance import provenance
from .python_code import python_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image
    from napari.viewer import Viewer

    from ...denoising.array import Progress
    from ..shared.model_choice import ModelChoice
    from ..shared.worker import Failed
    from .job import DenoiseJob

    Step = str | ModelStarted | Started | Progress | ModelDone | ModelFailed

# Models that the list shows without being scrolled.
_N_ROWS = 5
_ROW_HEIGHT = 22  # pixels
# Parts of the progress bar that a model has.
_PARTS = 1000


@dataclass(slots=True, eq=False)
class _Comparison:
    """A layer being denoised by one model after another."""

    layer: Image
    titles: dict[str, str]
    running: Running | None = None
    began: float = 0.0
    finished: list[str] = field(default_factory=list)
    current: str = ""


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
        Whether it is comparing, when that changes.
    shown : Signal
        Layers have come.
    roles : list of str
        What the layers of the last comparison are to their source.
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
        self._viewer, self._models = viewer, models
        self._make_job = comparison
        self._run: _Comparison | None = None
        self.roles: list[str] = []
        self._build()
        self.refresh_models()
        self._set_running(None, "")

    @property
    def chosen(self) -> list[str]:
        """The models that are checked, in the order of the list."""
        return [
            item.data(Qt.ItemDataRole.UserRole)
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        ]

    def choose(self, models: list[str]) -> None:
        """Check these models and no others."""
        for item in self._items():
            is_chosen = item.data(Qt.ItemDataRole.UserRole) in models
            item.setCheckState(_state(is_chosen))

    def refresh_models(self) -> None:
        """Offer the models that are known now."""
        known = {item.data(Qt.ItemDataRole.UserRole) for item in self._items()}
        # At first those that come along and the chosen one, later what comes new.
        first = {DEFAULT_MODEL, *builtin_models(), self._models.chosen}
        # It is one of these.
        first -= {fitting_model(DEFAULT_MODEL, n_colors) for n_colors in (1, 3)}
        new = set(self._models.models) - known if known else first
        checked = {*self.chosen, *new}
        self.list.clear()
        for model, title in self._models.titles().items():
            item = QListWidgetItem(title)
            item.setData(Qt.ItemDataRole.UserRole, model)
            item.setToolTip(model)
            item.setSizeHint(QSize(0, _ROW_HEIGHT))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(_state(model in checked))
            self.list.addItem(item)
        n_rows = min(self.list.count(), _N_ROWS)
        self.list.setFixedHeight(_ROW_HEIGHT * n_rows + 8)
        self._show_number()

    def block(self, on: bool) -> None:
        """Let nothing be compared while something else is denoised."""
        self._is_blocked = on
        self._show_number()

    def clear_result(self) -> None:
        """Show no figures, unless they are being made."""
        if self._run is None:
            self.table.clear_result()
            self.notes.setText("")
            self.status.setText("")
            self.copy_figures.setEnabled(False)

    def drop(self) -> None:
        """Stop, and hear no more of it."""
        run, self._run = self._run, None
        if run is not None and run.running is not None:
            run.running.drop()

    # --- what it is made of

    def _build(self) -> None:
        self._is_blocked = False
        what = QLabel("Each denoises the same pixels.")
        what.setToolTip(
            "<qt>The layer, with the same noise for all. Only the models that take a "
            "noise level are told what is said of it above.</qt>"
        )
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setToolTip("<qt>Models to compare. Default: those built in.</qt>")
        self.list.itemChanged.connect(self._show_number)
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(what)
        layout.addWidget(self.list)
        layout.addLayout(make_row(self.compare_button, self.cancel_button))
        for widget in (self.bar, self.status, self.table, self.table.note, self.notes):
            layout.addWidget(widget)
        layout.addLayout(make_row(self.copy_figures, self.copy_python))
        self.compare_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._cancel)
        self.copy_figures.clicked.connect(self.table.copy)
        self.copy_python.clicked.connect(self._copy_python)

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    def _show_number(self) -> None:
        n_chosen = len(self.chosen)
        models = "model" if n_chosen == 1 else "models"
        self.compare_button.setText(f"Compare {n_chosen} {models}")
        is_free = self._run is None and not self._is_blocked
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
        models, titles = self._fitting(job), self._models.titles()
        self.clear_result()
        self.roles = []
        run = _Comparison(layer, {model: titles[model] for model in models})
        self._set_running(run, "starting")
        if job.noise is None:
            # That of an earlier run would seem to be what is compared.
            remove_output(self._viewer, layer, "noisy")
        run.running = Running(
            run_comparison,
            job,
            models,
            yielded=self._show_step,
            returned=self._finish,
            # napari shows what nobody foresaw by itself.
            errored=lambda: self._end("failed"),
        )

    def _show_step(self, step: Step) -> None:
        run = self._run
        if run is None:
            return
        if isinstance(step, ModelDone):
            self._show_result(run, step)
        elif isinstance(step, ModelFailed):
            run.finished.append(step.model)
            self.table.add_failure(run.titles[step.model])
            self._note(f"{run.titles[step.model]}: {step.message}")
        elif isinstance(step, ModelStarted):
            run.current = step.model
        elif isinstance(step, Started):
            run.began = run.began or time.monotonic()
        elif isinstance(step, str):
            self._tell(run, step)
        else:
            self._show_progress(run, step)

    def _show_progress(self, run: _Comparison, step: Progress) -> None:
        part = (len(run.finished) + step.done / step.total) / len(run.titles)
        self.bar.setRange(0, _PARTS * len(run.titles))
        self.bar.setValue(round(part * self.bar.maximum()))
        seconds = (time.monotonic() - run.began) * (1 / part - 1)
        self._tell(
            run, f"{step.done} of {step.total} tiles, {say_duration(seconds)} left"
        )

    def _tell(self, run: _Comparison, text: str) -> None:
        if run.current:
            number = len(run.finished) + 1
            text = f"{run.titles[run.current]}, {number} of {len(run.titles)}: {text}"
        self.status.setText(breakable(text))

    def _show_result(self, run: _Comparison, done: ModelDone) -> None:
        viewer, layer, result = self._viewer, run.layer, done.result
        if layer not in viewer.layers:
            self._end("the layer is gone")
            show_warning(f"The layer {layer.name!r} is gone, and its results with it.")
            return
        title, known = run.titles[done.job.model], provenance(done.job, result)
        if done.job.noise is not None and not self.roles:
            show_output(viewer, layer, "noisy", result.noisy, known)
        # A model may be called "residual"; so is the layer of what was removed.
        role = f"by {title}"
        show_output(viewer, layer, role, result.denoised, known)
        self.roles.append(role)
        run.finished.append(done.job.model)
        self.table.add_result(title, result, layer.name)
        self.copy_figures.setEnabled(True)
        for misfit in result.misfits:
            self._note(f"{title}: {misfit}")
        self.shown.emit()

    def _note(self, text: str) -> None:
        lines = [line for line in (self.notes.text(), f"⚠ {text}") if line]
        self.notes.setText("\n".join(lines))

    def _cancel(self) -> None:
        if self._run is not None:
            n_done, n_models = len(self._run.finished), len(self._run.titles)
            self._end(f"cancelled: {n_done} of {n_models} models are done")

    def _finish(self, outcome: Failed | None) -> None:
        if outcome is None:
            self._end("done")
            return
        self._end("failed")
        show_error(outcome.message)

    def _end(self, status: str) -> None:
        self.drop()
        self._set_running(None, status)

    def _set_running(self, run: _Comparison | None, status: str) -> None:
        self._run = run
        is_running = run is not None
        self.cancel_button.setEnabled(is_running)
        self.list.setEnabled(not is_running)
        self.bar.setVisible(is_running)
        self.bar.setRange(0, 0)
        self.status.setText(status)
        self._show_number()
        self.busy.emit(is_running)

    def _copy_python(self) -> None:
        try:
            layer, job = self._make_job()
        except DenoiseAEError as error:
            show_error(str(error))
            return
        code = python_code(layer.name, job, self._fitting(job))
        QApplication.clipboard().setText(code)
        show_info("The call is on the clipboard.")


def _state(is_checked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if is_checked else Qt.CheckState.Unchecked
