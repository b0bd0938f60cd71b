"""Training in a thread of its own: the steps of a run, as the widget shows them."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from napari.qt.threading import GeneratorWorker

from ...errors import DenoiseAEError, DeviceError
from ...evaluation.score import ScoringProgress
from ...training.results import BatchResult, FinalExamples, TrainingStart
from .steps import BatchProgress, ScoreProgress, TrainingOutcome

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from threading import Event

    from ...training.job import TrainingJob
    from ...training.results import RunStep
    from .steps import Step

# Batches are shown at most this often, in seconds.
_INTERVAL = 0.2
# RuntimeError is torch's own; napari's workers end silently on one.
_FAILURES = (DenoiseAEError, RuntimeError, MemoryError, OSError)


def make_worker(job: TrainingJob, stop: Event) -> GeneratorWorker:
    """Return a worker that trains until the end, or until `stop` is set.

    It yields steps and returns a `TrainingOutcome`; the best epoch is kept.
    """
    # Not by napari's create_worker, which connects slots of its own: in napari
    # 0.9.2 that for errors fails with PySide6.
    return GeneratorWorker(_train, job, stop)


def _train(job: TrainingJob, stop: Event) -> Generator[Step, None, TrainingOutcome]:
    # It imports torch, which must not happen when napari starts.
    from ...training.run import TrainingRun

    try:
        run = TrainingRun(_without_fixed_epochs(job), stop)
    except DeviceError as error:
        return TrainingOutcome(error=str(error), field="device")
    except _FAILURES as error:
        return TrainingOutcome(error=_describe(error))
    try:
        with _one_core_left(run.device.device.type):
            yield from _shown(run.steps())
    except _FAILURES as error:
        return TrainingOutcome(run.result, error=_describe(error))
    return TrainingOutcome(run.result, run.stop_reason)


def _without_fixed_epochs(job: TrainingJob) -> TrainingJob:
    """Leave out the epochs of the form if the run to resume cannot change its own."""
    from ...models.training_state import load_training_state

    if not job.resume:
        return job
    # A cosine schedule is stretched over the epochs that the run began with.
    config = load_training_state(job.files.state).record.config
    kept = {"patience"} if config.schedule == "cosine" else job.settings.keys()
    settings = {name: job.settings[name] for name in job.settings.keys() & kept}
    return replace(job, settings=settings)


def _shown(steps: Iterable[RunStep]) -> Iterator[Step]:
    """Pass steps on; batches seldom, and progress with the time that is left."""
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
    """Decide which steps are worth showing, and estimate the time left.

    Parameters
    ----------
    n_before : int
        What was done before the clock started.
    """

    def __init__(self, n_before: int = 0) -> None:
        self._n_before = n_before
        self._start = time.perf_counter()
        self._last = 0.0

    def is_due(self) -> bool:
        """Return whether the last step that was shown is long enough ago."""
        now = time.perf_counter()
        if now - self._last < _INTERVAL:
            return False
        self._last = now
        return True

    def seconds_left(self, n_done: int, n_total: int) -> float:
        """Return the time that the rest takes at the speed so far."""
        seconds = time.perf_counter() - self._start
        return seconds / (n_done - self._n_before) * (n_total - n_done)


def _describe(error: Exception) -> str:
    if isinstance(error, DenoiseAEError):
        return str(error)
    return f"Training failed ({type(error).__name__}): {error}"


@contextmanager
def _one_core_left(device_type: str) -> Iterator[None]:
    """Leave a core to the window while this thread computes on the others."""
    import torch

    before = torch.get_num_threads()
    if device_type == "cpu":
        # Of the threads that exist, only this one is changed; threads that torch
        # first meets in the meantime take its number.
        torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
