"""Train a network in a worker thread and pass its steps to the widget."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

from ...errors import DatasetError, DenoiseAEError, DeviceError, InvalidInputError
from ...evaluation.score import ScoringProgress
from ...training.results import BatchResult, FinalExamples, TrainingStart
from ..shared.worker import ClosingWorker
from .steps import BatchProgress, ScoreProgress, TrainingOutcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from ...training.job import TrainingJob
    from ...training.results import RunStep
    from .steps import Step

# Minimum interval between two batches that are shown, in seconds.
_INTERVAL = 0.2
# torch raises RuntimeError, on which napari's workers end silently.
_FAILURES = (DenoiseAEError, RuntimeError, MemoryError, OSError)


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """Signals from the widget to its run.

    Parameters
    ----------
    stop : threading.Event
        Set to end the run after the current batch.
    cancel : threading.Event
        Set before `stop` to end the run as if it had never started.
    """

    stop: Event = field(default_factory=Event)
    cancel: Event = field(default_factory=Event)


def make_worker(job: TrainingJob, signals: Signals) -> ClosingWorker:
    """Return a worker that trains until the run ends or is told to stop.

    It yields `Step` objects and returns a `TrainingOutcome`.
    """
    # napari's create_worker is not used: in napari 0.9.2, the slot that it connects
    # for errors fails with PySide6.
    return ClosingWorker(_train, job, signals)


def _train(
    job: TrainingJob, signals: Signals
) -> Generator[Step, None, TrainingOutcome]:
    # Imported here, because it imports torch.
    from ...training.run import TrainingRun

    try:
        run = TrainingRun(_without_fixed_epochs(job), signals.stop, signals.cancel)
    except DeviceError as error:
        return TrainingOutcome(error=str(error), field="device")
    except _FAILURES as error:
        return TrainingOutcome(error=_describe(error))
    try:
        with _leave_one_core(run.device.device.type):
            yield from _widget_steps(run.steps())
    except (DatasetError, InvalidInputError) as error:
        # Before the first epoch, the images are to blame.
        is_own = job.kind != "data" and run.result is None
        field = ("output" if job.resume else "images") if is_own else ""
        return TrainingOutcome(run.result, error=str(error), field=field)
    except _FAILURES as error:
        return TrainingOutcome(run.result, error=_describe(error))
    if signals.cancel.is_set():
        return TrainingOutcome(is_canceled=True)
    return TrainingOutcome(run.result, run.stop_reason)


def _without_fixed_epochs(job: TrainingJob) -> TrainingJob:
    """Remove the epochs from the settings if the resumed run must keep its own."""
    from ...models.training_state import load_training_state

    if not job.resume:
        return job
    # A cosine schedule depends on the number of epochs.
    config = load_training_state(job.files.state).record.config
    names = {"patience"} if config.schedule == "cosine" else job.settings.keys()
    settings = {name: job.settings[name] for name in job.settings.keys() & names}
    return replace(job, settings=settings)


def _widget_steps(steps: Iterable[RunStep]) -> Iterator[Step]:
    """Convert the steps of a run: add the time left, and skip most batches."""
    epochs, clock = 0, _Clock()
    for step in steps:
        if isinstance(step, TrainingStart):
            epochs = step.epochs
            clock = _Clock(len(step.history) * step.n_batches)
        elif isinstance(step, FinalExamples):
            clock = _Clock()
        if isinstance(step, BatchResult):
            if clock.is_due():
                yield _batch_progress(step, epochs, clock)
        elif isinstance(step, ScoringProgress):
            seconds_left = clock.seconds_left(step.done, step.total)
            yield ScoreProgress(step.done, step.total, seconds_left)
        else:
            yield step


def _batch_progress(step: BatchResult, epochs: int, clock: _Clock) -> BatchProgress:
    n_done = (step.epoch - 1) * step.n_batches + step.batch
    return BatchProgress(
        epoch=step.epoch,
        epochs=epochs,
        batch=step.batch,
        n_batches=step.n_batches,
        loss=float(step.loss),
        seconds_left=clock.seconds_left(n_done, epochs * step.n_batches),
    )


class _Clock:
    """Limits how often batches are shown, and estimates the time left.

    Parameters
    ----------
    n_before : int
        Number of batches done before the clock started.
    """

    def __init__(self, n_before: int = 0) -> None:
        self._n_before = n_before
        self._start = time.perf_counter()
        self._last_shown = 0.0

    def is_due(self) -> bool:
        """Return whether enough time has passed since the last step that was shown."""
        now = time.perf_counter()
        if now - self._last_shown < _INTERVAL:
            return False
        self._last_shown = now
        return True

    def seconds_left(self, n_done: int, n_total: int) -> float:
        """Estimate the remaining time from the average speed so far."""
        seconds = time.perf_counter() - self._start
        return seconds / (n_done - self._n_before) * (n_total - n_done)


def _describe(error: Exception) -> str:
    if isinstance(error, DenoiseAEError):
        return str(error)
    return f"Training failed ({type(error).__name__}): {error}"


@contextmanager
def _leave_one_core(device_type: str) -> Iterator[None]:
    """Leave one CPU core to the GUI while this thread computes."""
    import torch

    before = torch.get_num_threads()
    if device_type == "cpu":
        # This affects only the current thread, and threads that use torch for the
        # first time meanwhile.
        torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
