"""Dock widget that trains a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.theme import get_theme
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ...errors import DatasetError, DenoiseAEError
from ...io.cifar10 import require_cifar10
from ...training.job import TrainingJob
from ...training.results import (
    EpochResult,
    FinalExamples,
    SmallerBatches,
    TrainingStart,
    ValidationExamples,
)
from ...training.run_files import RunFiles
from ..shared.model_choice import model_choice
from ..shared.preferences import preferences
from .form import TrainForm
from .progress import TrainProgress
from .run import TrainRun
from .steps import BatchProgress

if TYPE_CHECKING:
    import napari.viewer

    from .steps import Step, TrainingOutcome

# Settings that may change when a run is resumed.
_CHANGEABLE = ("epochs", "patience")


class TrainWidget(QWidget):  # type: ignore[misc]
    """Train a network outside the GUI thread and show its progress.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer, passed by napari. Its widgets get the trained model.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.form = TrainForm()
        self.progress = TrainProgress()
        self.train_button = _button("Train", "Start a new run with these settings.")
        self.resume_button = _button(
            "Resume…",
            "Resume a stopped run: choose its checkpoint. The run keeps its settings; "
            "only epochs, patience and device are taken from this form. With the "
            "schedule cosine, the epochs are kept too.",
        )
        self.stop_button = _button(
            "Stop", "End the run, or its scoring, and keep the best epoch."
        )
        self._run = TrainRun(self)
        self._bar = QProgressBar()
        self._status = QLabel("Ready.")
        self._arrange()
        self._connect()
        self._follow_theme()
        self._on_busy(False)

    @property
    def is_running(self) -> bool:
        """Whether this widget is training a network."""
        return self._run.is_running

    def _arrange(self) -> None:
        self._tabs = QTabWidget()
        self._tabs.addTab(self.form, "Settings")
        self._tabs.addTab(self.progress, "Progress")
        self._status.setWordWrap(True)
        buttons = QHBoxLayout()
        for button in (self.train_button, self.resume_button, self.stop_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self._tabs, 1)
        layout.addLayout(buttons)
        layout.addWidget(self._bar)
        layout.addWidget(self._status)

    def _connect(self) -> None:
        self.train_button.clicked.connect(self._start_new)
        self.resume_button.clicked.connect(self._resume)
        self.stop_button.clicked.connect(self._stop)
        self._run.busy.connect(self._on_busy)
        self._run.status_changed.connect(self._status.setText)
        self._run.progressed.connect(self._show_progress)
        self._run.stepped.connect(self._show_step)
        self._run.finished.connect(self._finish)

    def _follow_theme(self) -> None:
        theme_changed = self._viewer.events.theme
        theme_changed.connect(self._apply_theme)
        # The viewer can outlive the widget.
        self.destroyed.connect(lambda: theme_changed.disconnect(self._apply_theme))
        self._apply_theme()

    def _apply_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.progress.plot.set_colors(theme.background.as_hex(), theme.text.as_hex())

    # --- starting

    def _start_new(self) -> None:
        output = self.form.output
        if not self.form.check() or not self._is_usable(output, resume=False):
            return
        if not self._may_use_data():
            return
        if output.exists() and not self._confirm(
            "Replace the run?", f"{output} already exists. Replace that run?"
        ):
            return
        self._save_folders()
        self._start(
            TrainingJob(
                data=self.form.data,
                output=output,
                preset=self.form.preset,
                settings=self.form.settings,
                device=self.form.device,
                overwrite=True,
                download=True,
            )
        )

    def _resume(self) -> None:
        if not self.form.check(_CHANGEABLE):
            return
        output = self._choose_checkpoint()
        if output is None or not self._is_usable(output, resume=True):
            return
        if not self._may_use_data():
            return
        self.form.set_value("output", str(output))
        self._save_folders()
        settings = self.form.settings
        self._start(
            TrainingJob(
                data=self.form.data,
                output=output,
                settings={name: settings[name] for name in _CHANGEABLE},
                device=self.form.device,
                resume=True,
                download=True,
            )
        )

    def _is_usable(self, output: Path, *, resume: bool) -> bool:
        try:
            # The user is asked afterwards whether to overwrite.
            RunFiles(output).require_usable(resume=resume, overwrite=not resume)
        except DenoiseAEError as error:
            self._mark("output", str(error))
            return False
        self.form.mark("output", "")
        return True

    def _may_use_data(self) -> bool:
        """Return whether the data exists or the user lets the run download it."""
        if not self.form.data.name:
            self._mark(
                "data", "Choose the folder of CIFAR-10, or one to download it to."
            )
            return False
        try:
            require_cifar10(self.form.data)
        except DatasetError as error:
            question = f"{error}\n\nDownload it to this folder now (170 MB)?"
            if not self._confirm("CIFAR-10 not found", question):
                self._mark("data", str(error))
                return False
        return True

    def _mark(self, name: str, message: str) -> None:
        self._tabs.setCurrentWidget(self.form)
        self.form.mark(name, message)

    def _confirm(self, title: str, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        answer = QMessageBox.question(self, title, question, yes | no, no)
        return bool(answer == yes)

    def _choose_checkpoint(self) -> Path | None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Run to resume", str(self.form.output), "Checkpoints (*.pt)"
        )
        return Path(path) if path else None

    def _save_folders(self) -> None:
        saved = preferences()
        saved.data_folder = str(self.form.data)
        saved.checkpoint_folder = str(self.form.output.parent)

    def _start(self, job: TrainingJob) -> None:
        if self._run.start(job):
            self.progress.clear()
            self._tabs.setCurrentWidget(self.progress)

    # --- progress and end

    def _stop(self) -> None:
        self.stop_button.setEnabled(False)
        self._run.stop()

    def _on_busy(self, busy: bool) -> None:
        self.train_button.setEnabled(not busy)
        self.resume_button.setEnabled(not busy)
        self.stop_button.setEnabled(busy)
        self._bar.setMaximum(0 if busy else 1)
        self._bar.setVisible(busy)

    def _show_progress(self, value: int, maximum: int) -> None:
        self._bar.setMaximum(maximum)
        self._bar.setValue(value)

    def _show_step(self, step: Step) -> None:
        if isinstance(step, TrainingStart):
            self.progress.show_start(step)
        elif isinstance(step, SmallerBatches):
            self.progress.show_remark(step.description)
        elif isinstance(step, EpochResult):
            self.progress.show_epoch(step)
        elif isinstance(step, ValidationExamples):
            self.progress.show_validation(step.examples)
        elif isinstance(step, BatchProgress):
            self.progress.show_batch(step)
        elif isinstance(step, FinalExamples):
            self.progress.show_test_set(step.examples)

    def _finish(self, outcome: TrainingOutcome) -> None:
        if outcome.field:
            self._mark(outcome.field, outcome.error)
        result = outcome.result
        if result is None:
            return
        if result.test_scores:
            self.progress.show_test_scores(result.test_scores)
        model_choice(self._viewer).choose(str(result.files.checkpoint))


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button
