"""Train a network outside the GUI thread and report the progress."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QDockWidget

from .activity import TrainActivity
from .job import Signals, make_worker
from .status import describe_outcome, status_of

if TYPE_CHECKING:
    from threading import Event

    from qtpy.QtWidgets import QWidget

    from ...training.job import TrainingJob
    from .steps import Step, TrainingOutcome

# The stop signals of all runs, to allow one run at a time in the whole process, even
# while the run of a closed dock is ending: runs would compete for cores and files.
_RUNNING: set[Event] = set()


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A run, and its bar in napari's activity dock."""

    signals: Signals
    activity: TrainActivity


class TrainRun(QObject):  # type: ignore[misc]
    """Run of the Train widget, outside the GUI thread.

    Parameters
    ----------
    owner : QWidget
        The widget that shows the run. The run ends when it or its dock is deleted.

    Attributes
    ----------
    busy : Signal
        Emitted with True when training starts and False when it ends.
    status_changed : Signal
        Emitted with the status of the run as text.
    progressed : Signal
        Emitted with the value and the maximum of a progress bar.
    stepped : Signal
        Emitted with each `Step`.
    finished : Signal
        Emitted with the `TrainingOutcome` when a run has ended.
    """

    busy = Signal(bool)
    status_changed = Signal(str)
    progressed = Signal(int, int)
    stepped = Signal(object)
    finished = Signal(object)

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._run: _Run | None = None

    @property
    def is_running(self) -> bool:
        """Whether a network is being trained."""
        return self._run is not None

    def start(self, job: TrainingJob) -> bool:
        """Start training, and return True, unless another run is in progress."""
        if _RUNNING:
            show_error(
                "A training run is still in progress. Finish or cancel it first."
            )
            return False
        signals = Signals()
        _RUNNING.add(signals.stop)
        worker = make_worker(job, signals)
        worker.yielded.connect(self._show_step)
        worker.returned.connect(self._finish)
        # napari aborts workers when it quits; the files of the last epoch are complete.
        worker.aborted.connect(self._on_abort)
        worker.errored.connect(self._on_error)
        worker.finished.connect(lambda: _RUNNING.discard(signals.stop))
        activity = TrainActivity(job.files.checkpoint.name)
        self._end_when_closed(signals.stop, activity)
        self._run = _Run(signals, activity)
        self.busy.emit(True)
        self.status_changed.emit("Preparing: loading torch and the images…")
        worker.start()
        return True

    def finish(self) -> None:
        """End the run and keep its best epoch."""
        self._stop("Finishing: keeping the best epoch…")

    def cancel(self) -> None:
        """End the run and keep nothing of it."""
        if self._run is not None:
            self._run.signals.cancel.set()
            self._stop("Canceling…")

    def _stop(self, status: str) -> None:
        if self._run is not None:
            self._run.signals.stop.set()
            self.status_changed.emit(status)

    def _end_when_closed(self, stop: Event, activity: TrainActivity) -> None:
        # Hiding a dock does not stop training. Closing it deletes the dock, but its
        # widget can outlive it.
        closing = ExitStack()
        closing.callback(activity.close)
        closing.callback(stop.set)
        self._owner.destroyed.connect(lambda _: closing.close())
        dock = self._owner.parent()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        if dock is not None:
            dock.destroyed.connect(lambda _: closing.close())

    def _end(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.activity.close()
        self.busy.emit(False)

    def _show_step(self, step: Step) -> None:
        self.stepped.emit(step)
        status, run = status_of(step), self._run
        if status is None or run is None:
            return
        self.progressed.emit(status.value, status.maximum)
        if not run.signals.stop.is_set():
            self.status_changed.emit(status.text)
        # Last, because napari's bar lets Qt handle other events.
        run.activity.show_status(status)

    def _finish(self, outcome: TrainingOutcome) -> None:
        self._end()
        if outcome.error:
            show_error(outcome.error)
        self.status_changed.emit(describe_outcome(outcome))
        self.finished.emit(outcome)

    def _on_abort(self) -> None:
        self._end()
        self.status_changed.emit("Stopped.")

    def _on_error(self, error: Exception) -> None:
        # An unexpected error. napari does not show errors of this kind of worker.
        self._end()
        self.status_changed.emit("Failed.")
        show_error(f"Training failed ({type(error).__name__}): {error}")
