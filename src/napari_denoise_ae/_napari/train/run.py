"""Train a network outside the GUI thread and report the progress."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QDockWidget

from .job import make_worker
from .status import describe_outcome, status_of

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from ...training.job import TrainingJob
    from .steps import Step, TrainingOutcome

# The stop signals of all runs, to allow one run at a time in the whole process, even
# while the run of a closed dock is ending: runs would compete for cores and files.
_RUNNING: set[Event] = set()


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
        self._stop_signal: Event | None = None

    @property
    def is_running(self) -> bool:
        """Whether a network is being trained."""
        return self._stop_signal is not None

    def start(self, job: TrainingJob) -> bool:
        """Start training, and return True, unless another run is in progress."""
        if _RUNNING:
            show_error("A training run is still in progress. Stop it first.")
            return False
        stop = Event()
        _RUNNING.add(stop)
        worker = make_worker(job, stop)
        worker.yielded.connect(self._show_step)
        worker.returned.connect(self._finish)
        # napari aborts workers when it quits; the files of the last epoch are complete.
        worker.aborted.connect(self._on_abort)
        worker.errored.connect(self._on_error)
        worker.finished.connect(lambda: _RUNNING.discard(stop))
        self._stop_when_closed(stop)
        self._set_running(stop)
        self.status_changed.emit("Preparing: loading torch and the images…")
        worker.start()
        return True

    def stop(self) -> None:
        """End the run and keep its best epoch."""
        if self._stop_signal is not None:
            self._stop_signal.set()
            self.status_changed.emit("Stopping…")

    def _stop_when_closed(self, stop: Event) -> None:
        # Hiding a dock does not stop training. Closing it deletes the dock, but its
        # widget can outlive it.
        self._owner.destroyed.connect(lambda _: stop.set())
        dock = self._owner.parent()
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        if dock is not None:
            dock.destroyed.connect(lambda _: stop.set())

    def _set_running(self, stop: Event | None) -> None:
        self._stop_signal = stop
        self.busy.emit(stop is not None)

    def _show_step(self, step: Step) -> None:
        self.stepped.emit(step)
        status = status_of(step)
        if status is None:
            return
        self.progressed.emit(status.value, status.maximum)
        if self._stop_signal is not None and not self._stop_signal.is_set():
            self.status_changed.emit(status.text)

    def _finish(self, outcome: TrainingOutcome) -> None:
        self._set_running(None)
        if outcome.error:
            show_error(outcome.error)
        self.status_changed.emit(describe_outcome(outcome))
        self.finished.emit(outcome)

    def _on_abort(self) -> None:
        self._set_running(None)
        self.status_changed.emit("Stopped.")

    def _on_error(self, error: Exception) -> None:
        # An unexpected error. napari does not show errors of this kind of worker.
        self._set_running(None)
        self.status_changed.emit("Failed.")
        show_error(f"Training failed ({type(error).__name__}): {error}")
