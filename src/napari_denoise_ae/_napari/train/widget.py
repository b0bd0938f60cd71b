"""The dock widget that trains a network."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from napari.utils.theme import get_theme
from qtpy.QtWidgets import (
    QDockWidget,
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
from ...training.run_files import RunFiles
from ..shared.layout import breakable
from ..shared.model_choice import model_choice
from ..shared.preferences import preferences
from .form import TrainForm
from .job import make_worker
from .progress import TrainProgress
from .steps import (
    BatchProgress,
    EpochProgress,
    FinalPictures,
    ScoreProgress,
    TrainingJob,
    TrainingStart,
)

if TYPE_CHECKING:
    import napari.viewer

    from ...io.download import DownloadProgress
    from .steps import Step, TrainingOutcome

# One training at a time in the whole program, also where a closed dock's run is
# still coming to its end: they would share the cores, and perhaps their files.
_RUNNING: set[Event] = set()
# What may differ from the run that is resumed.
_CHANGEABLE = ("epochs", "patience")


class TrainWidget(QWidget):  # type: ignore[misc]
    """Train a network outside the GUI thread, and watch it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose Denoise widget gets the model; napari passes it.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._stop_signal: Event | None = None
        self.form = TrainForm()
        self.progress = TrainProgress()
        self.train_button = _button("Train", "Start a new run with these settings.")
        self.resume_button = _button(
            "Resume…",
            "Go on with a run that was stopped: choose its checkpoint. Its settings "
            "stay, only epochs, patience and device are taken from here; with the "
            "schedule cosine the epochs stay too.",
        )
        self.stop_button = _button(
            "Stop", "End the run and keep its best epoch; also while it is scored."
        )
        self._bar = QProgressBar()
        self._status = QLabel("Ready.")
        self._lay_out()
        self.train_button.clicked.connect(self._start_new)
        self.resume_button.clicked.connect(self._start_again)
        self.stop_button.clicked.connect(self._stop_run)
        self._follow_theme()
        self._set_running(None)

    @property
    def is_running(self) -> bool:
        """Whether a run of this widget goes on."""
        return self._stop_signal is not None

    def _lay_out(self) -> None:
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

    def _follow_theme(self) -> None:
        theme_changed = self._viewer.events.theme
        theme_changed.connect(self._take_theme)
        # The viewer can outlive the widget.
        self.destroyed.connect(lambda: theme_changed.disconnect(self._take_theme))
        self._take_theme()

    def _take_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.progress.plot.set_colors(theme.background.as_hex(), theme.text.as_hex())

    # --- starting ----------------------------------------------------------

    def _start_new(self) -> None:
        output = self.form.output
        if not self.form.check() or not self._is_usable(output, resume=False):
            return
        download = self._must_download()
        if download is None:
            return
        if output.exists() and not self._confirm(
            "Replace the run?", f"{output} is there already. Replace that run?"
        ):
            return
        self._remember()
        self._start(
            TrainingJob(
                data=self.form.data,
                download=download,
                output=output,
                preset=self.form.preset,
                settings=self.form.settings,
                device=self.form.device,
                resume=False,
                overwrite=True,
            )
        )

    def _start_again(self) -> None:
        if not self.form.check(_CHANGEABLE):
            return
        output = self._choose_checkpoint()
        if output is None or not self._is_usable(output, resume=True):
            return
        download = self._must_download()
        if download is None:
            return
        self.form.set_value("output", str(output))
        self._remember()
        settings = self.form.settings
        self._start(
            TrainingJob(
                data=self.form.data,
                download=download,
                output=output,
                preset=None,
                settings={name: settings[name] for name in _CHANGEABLE},
                device=self.form.device,
                resume=True,
                overwrite=False,
            )
        )

    def _is_usable(self, output: Path, *, resume: bool) -> bool:
        try:
            # Whether to overwrite is asked afterwards.
            RunFiles(output).require_usable(resume=resume, overwrite=not resume)
        except DenoiseAEError as error:
            self._mark("output", str(error))
            return False
        self.form.mark("output", "")
        return True

    def _must_download(self) -> bool | None:
        """Whether the data is to be fetched; None if it is neither there nor to be."""
        if not self.form.data.name:
            self._mark("data", "Choose the folder of CIFAR-10, or one to fetch it to.")
            return None
        try:
            require_cifar10(self.form.data)
        except DatasetError as error:
            question = f"{error}\n\nFetch it now to that folder (170 MB)?"
            if self._confirm("CIFAR-10 is not there", question):
                return True
            self._mark("data", str(error))
            return None
        return False

    def _mark(self, name: str, message: str) -> None:
        self._tabs.setCurrentWidget(self.form)
        self.form.mark(name, message)

    def _confirm(self, title: str, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        answer = QMessageBox.question(self, title, question, yes | no, no)
        return bool(answer == yes)

    def _choose_checkpoint(self) -> Path | None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Run to go on with", str(self.form.output), "Checkpoints (*.pt)"
        )
        return Path(path) if path else None

    def _remember(self) -> None:
        kept = preferences()
        kept.data_folder = str(self.form.data)
        kept.checkpoint_folder = str(self.form.output.parent)

    def _start(self, job: TrainingJob) -> None:
        if _RUNNING:
            show_error("A training run is still going on. Stop it first.")
            return
        stop = Event()
        _RUNNING.add(stop)
        worker = make_worker(job, stop)
        worker.yielded.connect(self._show_step)
        worker.returned.connect(self._finish)
        # By napari, when it ends: the files of the last epoch are whole.
        worker.aborted.connect(self._set_idle)
        worker.errored.connect(self._set_failed)
        worker.finished.connect(lambda: _RUNNING.discard(stop))
        self._stop_when_closed(stop)
        self._set_running(stop)
        self.progress.clear()
        self._tabs.setCurrentWidget(self.progress)
        self._status.setText("Preparing: loading torch and the images…")
        worker.start()

    def _stop_when_closed(self, stop: Event) -> None:
        # A hidden dock goes on training. A dock that is closed for good is
        # deleted, but this widget can outlive it.
        self.destroyed.connect(lambda _: stop.set())
        dock = self.parent()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        if dock is not None:
            dock.destroyed.connect(lambda _: stop.set())

    # --- while it runs -----------------------------------------------------

    def _stop_run(self) -> None:
        if self._stop_signal is not None:
            self._stop_signal.set()
            self.stop_button.setEnabled(False)
            self._status.setText("Stopping…")

    def _show_step(self, step: Step) -> None:
        if isinstance(step, TrainingStart):
            self.progress.show_start(step)
        elif isinstance(step, EpochProgress):
            self.progress.show_epoch(step)
        elif isinstance(step, BatchProgress):
            self.progress.show_batch(step)
            self._show_batch(step)
        elif isinstance(step, FinalPictures):
            self.progress.show_test_pictures(step)
            self._bar.setMaximum(0)
            self._tell("The model is saved. Drawing what it makes of test images…")
        elif isinstance(step, ScoreProgress):
            self._show_test(step)
        else:
            self._show_download(step)

    def _show_batch(self, step: BatchProgress) -> None:
        self._bar.setMaximum(step.epochs * step.n_batches)
        self._bar.setValue((step.epoch - 1) * step.n_batches + step.batch)
        self._tell(
            f"Epoch {step.epoch} of {step.epochs}, batch {step.batch} of "
            f"{step.n_batches}, at most {_duration(step.seconds_left)} left"
        )

    def _show_test(self, step: ScoreProgress) -> None:
        self._bar.setMaximum(step.total)
        self._bar.setValue(step.done)
        self._tell(
            f"The model is saved. Scoring it: {step.done:,} of {step.total:,} test "
            f"images, {_duration(step.seconds_left)} left"
        )

    def _show_download(self, step: DownloadProgress) -> None:
        done, total = step.done // 10**6, step.total // 10**6
        self._bar.setMaximum(total)
        self._bar.setValue(done)
        self._tell(f"Fetching CIFAR-10: {done} of {total or 170} MB")

    def _tell(self, text: str) -> None:
        if self._stop_signal is not None and not self._stop_signal.is_set():
            self._status.setText(text)

    # --- the end -----------------------------------------------------------

    def _finish(self, outcome: TrainingOutcome) -> None:
        self._set_running(None)
        lines = [f"Ended: {outcome.stop_reason}."] if outcome.stop_reason else []
        if outcome.error:
            lines.append("Failed.")
            show_error(outcome.error)
        if outcome.field:
            self._mark(outcome.field, outcome.error)
        if outcome.checkpoint is None or outcome.best is None:
            lines.append("Nothing was kept.")
        else:
            best = outcome.best
            lines.append(f"Best: epoch {best.epoch}, {best.val_psnr:.2f} dB.")
            lines += self._show_scores(outcome)
            lines.append(f"Checkpoint: {breakable(str(outcome.checkpoint))}")
            lines.append("It is chosen in the Denoise widget.")
            model_choice(self._viewer).choose(str(outcome.checkpoint))
        self._status.setText("\n".join(lines))

    def _show_scores(self, outcome: TrainingOutcome) -> list[str]:
        if outcome.test_scores:
            self.progress.show_test_scores(outcome.test_scores)
            denoised = outcome.test_scores[-1]
            return [f"Test images: {denoised.psnr_mean:.2f} dB."]
        if outcome.not_scored:
            return [f"Test images were not scored: {breakable(outcome.not_scored)}."]
        return []

    def _set_idle(self) -> None:
        self._set_running(None)
        self._status.setText("Stopped.")

    def _set_failed(self, error: Exception) -> None:
        # What nobody foresaw; napari does not show it.
        self._set_running(None)
        self._status.setText("Failed.")
        show_error(f"Training failed ({type(error).__name__}): {error}")

    def _set_running(self, stop: Event | None) -> None:
        self._stop_signal = stop
        self.train_button.setEnabled(stop is None)
        self.resume_button.setEnabled(stop is None)
        self.stop_button.setEnabled(stop is not None)
        self._bar.setMaximum(0 if stop is not None else 1)
        self._bar.setVisible(stop is not None)


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
