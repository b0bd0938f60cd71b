"""Dock widget that trains a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QFileDialog, QMessageBox, QTabWidget, QVBoxLayout, QWidget

from ...errors import DatasetError, DenoiseAEError, InvalidInputError
from ...io.cifar10 import require_cifar10
from ...training.job import TrainingJob
from ...training.run_files import RunFiles
from ..shared.dock_tab import DockTab
from ..shared.layout import breakable
from ..shared.model_choice import unwrap_proxy
from ..shared.open_checkpoint import CHECKPOINT_FILES
from ..shared.preferences import preferences
from .estimate import Estimated, Estimator
from .form import TrainForm
from .new_model import NewModel
from .progress import TrainProgress
from .run import TrainRun
from .run_bar import RunBar
from .saved_run import saved_source
from .source_specs import CIFAR10

if TYPE_CHECKING:
    import napari.viewer
    from qtpy.QtGui import QShowEvent

    from ..shared.worker import Failed
    from .steps import TrainingOutcome

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
        self.form = TrainForm(viewer)
        self.progress = TrainProgress()
        self.new_model = NewModel(viewer)
        self.controls = RunBar()
        self._run = TrainRun(self)
        self._estimator = Estimator(self, self._job_to_estimate)
        # napari's own indicators are hard to see on its dark theme.
        self.setStyleSheet("QCheckBox::indicator { border: 1px solid #8c929c; }")
        self._arrange()
        DockTab(self)
        self._connect()
        self._follow_theme()

    @property
    def is_running(self) -> bool:
        """Whether this widget is training a network."""
        return self._run.is_running

    def _arrange(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.progress, 1)
        column.addWidget(self.new_model)
        self._tabs = QTabWidget()
        self._tabs.addTab(self.form, "Settings")
        self._tabs.addTab(page, "Progress")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self._tabs, 1)
        layout.addWidget(self.controls)

    def _connect(self) -> None:
        controls, run = self.controls, self._run
        controls.train_button.clicked.connect(self._start_new)
        controls.resume_button.clicked.connect(self._resume)
        controls.finish_button.clicked.connect(self._finish_run)
        controls.cancel_button.clicked.connect(self._cancel_run)
        self.form.changed.connect(self._update_estimate)
        self._estimator.estimated.connect(self._show_estimate)
        run.busy.connect(controls.set_busy)
        run.status_changed.connect(controls.status.setText)
        run.progressed.connect(controls.show_progress)
        run.stepped.connect(self.progress.show_step)
        run.finished.connect(self._on_finished)

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
        if self.form.source.kind == CIFAR10 and not self._may_use_data(self.form.data):
            return
        if output.exists() and not self._confirm(
            "Replace the run?", f"{output} already exists. Replace that run?"
        ):
            return
        try:
            job = self._new_job(output)
        except InvalidInputError as error:
            self._mark("train_on", str(error))
            return
        self._start(job)

    def _new_job(self, output: Path) -> TrainingJob:
        return TrainingJob(
            **self.form.source.job_arguments(),
            output=output,
            preset=None if self.form.source.start_from else self.form.preset,
            settings=self.form.settings,
            device=self.form.device,
            overwrite=True,
        )

    def _resume(self) -> None:
        if not self.form.check(_CHANGEABLE):
            return
        output = self._choose_checkpoint()
        if output is None or not self._is_usable(output, resume=True):
            return
        try:
            layers = unwrap_proxy(self._viewer).layers
            run_config = RunFiles(output).run_config
            source = saved_source(run_config, layers, self.form.data)
        except InvalidInputError as error:
            self._mark("output", str(error))
            return
        if CIFAR10 in source and not self._may_use_data(Path(source[CIFAR10])):
            return
        self.form.set_value("output", str(output))
        # The epochs in the form belong to the kind of images chosen there.
        settings = self.form.settings if self.form.source.kind in source else {}
        changed = {name: settings[name] for name in _CHANGEABLE if name in settings}
        try:
            job = TrainingJob(
                **source,
                output=output,
                settings=changed,
                device=self.form.device,
                resume=True,
            )
        except InvalidInputError as error:
            self._mark("output", str(error))
            return
        self._start(job)

    def _is_usable(self, output: Path, *, resume: bool) -> bool:
        try:
            # The user is asked afterwards whether to overwrite.
            RunFiles(output).require_usable(resume=resume, overwrite=not resume)
        except DenoiseAEError as error:
            self._mark("output", str(error))
            return False
        self.form.mark("output", "")
        return True

    def _may_use_data(self, folder: Path) -> bool:
        """Return whether the data exists or the user lets the run download it."""
        if not folder.name:
            self._mark(
                "data", "Choose the folder of CIFAR-10, or one to download it to."
            )
            return False
        try:
            require_cifar10(folder)
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
            self, "Run to resume", str(self.form.output), CHECKPOINT_FILES
        )
        return Path(path) if path else None

    def _save_folders(self) -> None:
        saved = preferences()
        saved.data_folder = str(self.form.data)
        saved.checkpoint_folder = str(self.form.output.parent)

    def _start(self, job: TrainingJob) -> None:
        self._save_folders()
        if self._run.start(job):
            self._estimator.stop()
            self.controls.estimate.setText("")
            self.new_model.hide()
            self.progress.begin(
                job.files.checkpoint,
                has_test_set=job.kind == "data",
                resumes=job.resume,
            )
            self._tabs.setCurrentIndex(1)

    # --- before the start

    def showEvent(self, event: QShowEvent) -> None:
        """Estimate the run that the form describes."""
        super().showEvent(event)
        self._update_estimate()

    def _update_estimate(self) -> None:
        if not self.is_running:
            self._estimator.update(self.form.key)

    def _job_to_estimate(self) -> TrainingJob | None:
        if self.is_running or self.form.source.errors():
            return None
        try:
            return self._new_job(self.form.output)
        except InvalidInputError:
            # It is marked at its field.
            return None

    def _show_estimate(self, outcome: Estimated | Failed | None) -> None:
        text = ""
        if isinstance(outcome, Estimated):
            self.form.propose(outcome.config)
            text = outcome.text
        elif outcome is not None:
            text = outcome.message
        self.controls.estimate.setText(breakable(text))

    # --- progress and end

    def _finish_run(self) -> None:
        self.controls.set_stopping()
        self._run.finish()

    def _cancel_run(self) -> None:
        n_epochs = len(self.progress.plot.history)
        if n_epochs and not self._confirm(
            "Cancel the run?", f"Discard the run with its finished epochs ({n_epochs})?"
        ):
            return
        self.controls.set_stopping()
        self._run.cancel()

    def _on_finished(self, outcome: TrainingOutcome) -> None:
        if outcome.is_canceled:
            self.progress.discard()
        if outcome.field:
            self._mark(outcome.field, outcome.error)
        result = outcome.result
        if result is None:
            return
        if result.test_scores:
            self.progress.show_test_scores(result.test_scores)
        self.new_model.show_model(str(result.files.checkpoint))
