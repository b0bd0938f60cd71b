"""Training in a thread of its own: what goes in, what comes out on the way."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari.qt.threading import GeneratorWorker

from ...errors import DenoiseAEError, DeviceError
from ...io.cifar10 import load_training_images
from ...io.download import fetch_cifar10
from ...models.config import preset_config
from ...training.run_files import RunFiles
from .steps import (
    BatchProgress,
    EpochProgress,
    FinalPictures,
    ScoreProgress,
    TrainingOutcome,
    TrainingStart,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from threading import Event

    import numpy as np
    from numpy.typing import NDArray

    from ...evaluation.score import Score
    from ...io.cifar10 import ImageSet
    from ...models.config import TrainingConfig
    from ...training.results import BatchResult
    from ...training.run import TrainingRun
    from ...training.trainer import Trainer
    from .steps import Step, TrainingJob

    # Noisy, denoised and clean, each (N, Y, X, channels) in [0, 1].
    Examples = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

# Images that are shown: of validation after each epoch, of the test set at the end.
_N_EXAMPLES = 4
_N_TEST_EXAMPLES = 6
# The window is told of a batch at most this often, in seconds.
_INTERVAL = 0.2


def make_worker(job: TrainingJob, stop: Event) -> GeneratorWorker:
    """Return a worker that trains until the end, or until `stop` is set.

    It yields steps and returns a `TrainingOutcome`; the best epoch is kept.
    """
    # Not by napari's create_worker, which connects slots of its own: in napari
    # 0.9.2 that for errors fails with PySide6.
    return GeneratorWorker(_train_to_the_end, job, stop)


def _train_to_the_end(
    job: TrainingJob, stop: Event
) -> Generator[Step, None, TrainingOutcome]:
    try:
        _require_device(job.device)
        if job.download:
            yield from fetch_cifar10(job.data, stop)
        if stop.is_set():
            return TrainingOutcome("stopped by you before training began")
        run = _prepare(job)
    except DeviceError as error:
        return TrainingOutcome(error=str(error), field="device")
    except (DenoiseAEError, RuntimeError, MemoryError, OSError) as error:
        return TrainingOutcome(error=_describe(error))
    try:
        with _one_core_left(run.trainer.device.device.type):
            yield from _train(run, stop)
            return (yield from _finish(run, job.data, stop))
    # RuntimeError is torch's own; napari's workers end without a word on one.
    except (DenoiseAEError, RuntimeError, MemoryError, OSError) as error:
        return TrainingOutcome(error=_describe(error), **_reached(run))


def load_images(folder: Path, n_test: int) -> ImageSet:
    """Load the images to train on; `n_test` of the test images are not among them."""
    return load_training_images(folder, n_test=n_test)


def _require_device(name: str) -> None:
    # Found out before a download; torch is imported here, not when napari starts.
    from ...models.devices import choose_device

    choose_device(name)


def _prepare(job: TrainingJob) -> TrainingRun:
    from ...training.api import prepare_run

    config = _config(job)
    changes = dict(job.settings)
    if job.resume and config.schedule == "cosine":
        # Such a schedule is stretched over the epochs that the run began with.
        changes.pop("epochs", None)
    return prepare_run(
        load_images(job.data, config.n_test),
        preset=job.preset,
        output=job.output,
        device=job.device,
        resume=job.resume,
        overwrite=job.overwrite,
        progress=False,
        settings=changes,
    )


def _config(job: TrainingJob) -> TrainingConfig:
    """Return what a new run is told, or what the run to resume was told."""
    if job.resume:
        from ...models.training_state import load_training_state

        return load_training_state(RunFiles(job.output).state).record.config
    return preset_config(job.preset or "conv", **job.settings)


def _train(run: TrainingRun, stop: Event) -> Iterator[Step]:
    from ...training.results import EpochResult

    trainer = run.trainer
    yield TrainingStart(
        device=str(trainer.device),
        noise=trainer.config.noise_model.description,
        n_train=trainer.n_train,
        n_val=trainer.n_val,
        history=tuple(trainer.history),
        examples=trainer.example_images(_N_EXAMPLES),
    )
    clock = _Clock(trainer)
    for result in run.steps(stop):
        if isinstance(result, EpochResult):
            yield EpochProgress(result, trainer.example_images(_N_EXAMPLES))
        elif clock.is_due():
            yield clock.progress(result)


def _finish(
    run: TrainingRun, folder: Path, stop: Event
) -> Generator[Step, None, TrainingOutcome]:
    trainer = run.trainer
    if not trainer.history:
        return TrainingOutcome("stopped by you before the first epoch was finished")
    run.write_end()
    reason = trainer.stop_reason
    if stop.is_set() and not reason:
        reason = f"stopped by you after epoch {len(trainer.history)}"
    scores, not_scored = yield from _test(run, folder, stop)
    return TrainingOutcome(
        reason, **_reached(run), test_scores=scores, not_scored=not_scored
    )


def _test(
    run: TrainingRun, folder: Path, stop: Event
) -> Generator[Step, None, tuple[tuple[Score, ...], str]]:
    """Show and score the test set; what was trained is kept, whatever happens.

    Returns the scores, or why there are none.
    """
    from ...training.gallery import save_gallery

    try:
        yield FinalPictures(_test_examples(run, folder))
        save_gallery(run, folder)
        if stop.is_set():
            return (), "the run was stopped"
        scores = yield from _score(run, folder, stop)
    except (DenoiseAEError, RuntimeError, MemoryError, OSError) as error:
        return (), str(error).rstrip(".")
    return scores, "" if scores else "stopped by you"


def _test_examples(run: TrainingRun, folder: Path) -> Examples:
    import numpy as np

    from ...denoising.denoiser import Denoiser
    from ...evaluation.apply import denoise_together
    from ...evaluation.pairs import noisy_pairs
    from ...io.cifar10 import load_test_images

    trainer = run.trainer
    n_images = min(_N_TEST_EXAMPLES, trainer.config.n_test)
    images = list(load_test_images(folder, n_test=n_images).images)
    # The same noise as in the gallery and in the scores.
    pairs = noisy_pairs(images, trainer.config.noise, seed=0)
    noisy = np.stack([pair.input_range.normalize(pair.noisy) for pair in pairs])
    clean = np.stack([pair.data_range.normalize(pair.clean) for pair in pairs])
    denoised = denoise_together(noisy, Denoiser(trainer.checkpoint(), trainer.device))
    as_shown = [unit.astype(np.float32) for unit in (noisy, denoised, clean)]
    return as_shown[0], as_shown[1], as_shown[2]


def _score(
    run: TrainingRun, folder: Path, stop: Event
) -> Generator[ScoreProgress, None, tuple[Score, ...]]:
    from ...evaluation.score import Score
    from ...evaluation.test_set import score_test_set

    checkpoint, device = run.trainer.checkpoint(), run.trainer.device
    scores, start = [], time.perf_counter()
    for step in score_test_set(checkpoint, folder, device, stop=stop):
        if isinstance(step, Score):
            scores.append(step)
        else:
            seconds = time.perf_counter() - start
            seconds_left = seconds * (step.total / step.done - 1)
            yield ScoreProgress(step.done, step.total, seconds_left)
    return tuple(scores)


def _reached(run: TrainingRun) -> dict[str, Any]:
    if not run.trainer.history:
        return {}
    return {"checkpoint": run.files.checkpoint, "best": run.trainer.best_epoch}


def _describe(error: Exception) -> str:
    if isinstance(error, DenoiseAEError):
        return str(error)
    return f"Training failed ({type(error).__name__}): {error}"


class _Clock:
    """Decide which batches are worth telling, and estimate the time left."""

    def __init__(self, trainer: Trainer) -> None:
        self._epochs = trainer.config.epochs
        self._n_done_before = len(trainer.history) * trainer.n_batches
        self._start = time.perf_counter()
        self._last = 0.0

    def is_due(self) -> bool:
        """Whether the last batch that was told is long enough ago."""
        now = time.perf_counter()
        if now - self._last < _INTERVAL:
            return False
        self._last = now
        return True

    def progress(self, result: BatchResult) -> BatchProgress:
        """Turn a batch's result into plain numbers."""
        n_done = (result.epoch - 1) * result.n_batches + result.batch
        n_left = self._epochs * result.n_batches - n_done
        seconds = time.perf_counter() - self._start
        return BatchProgress(
            epoch=result.epoch,
            epochs=self._epochs,
            batch=result.batch,
            n_batches=result.n_batches,
            loss=float(result.loss),
            seconds_left=seconds / (n_done - self._n_done_before) * n_left,
        )


@contextmanager
def _one_core_left(device_type: str) -> Iterator[None]:
    """Leave a core to the window while this thread computes on the others."""
    import torch

    before = torch.get_num_threads()
    if device_type == "cpu":
        # Of threads that exist only this one is changed; those that torch meets
        # for the first time meanwhile take its number over.
        torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
