"""Status of a training run as text and as the value of a progress bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...io.download import DownloadProgress
from ...training.results import FinalExamples
from ..shared.layout import breakable
from .steps import BatchProgress, ScoreProgress

if TYPE_CHECKING:
    from ...training.results import TrainingResult
    from .steps import Step, TrainingOutcome


@dataclass(frozen=True, slots=True)
class Status:
    """Status of a run.

    Parameters
    ----------
    text : str
        The status as text.
    value, maximum : int
        Value and maximum of a progress bar; both 0 if the progress is unknown.
    """

    text: str
    value: int
    maximum: int


def status_of(step: Step) -> Status | None:
    """Return the status after a step; None if the step does not change it."""
    if isinstance(step, BatchProgress):
        return _status_of_batch(step)
    if isinstance(step, FinalExamples):
        text = "The model is saved. Denoising some test images…"
        return Status(text, 0, 0)
    if isinstance(step, ScoreProgress):
        text = (
            f"The model is saved. Scoring: {step.done:,} of {step.total:,} test "
            f"images, {_duration(step.seconds_left)} left"
        )
        return Status(text, step.done, step.total)
    if isinstance(step, DownloadProgress):
        done, total = step.done // 10**6, step.total // 10**6
        return Status(f"Downloading CIFAR-10: {done} of {total or 170} MB", done, total)
    return None


def _status_of_batch(step: BatchProgress) -> Status:
    text = (
        f"Epoch {step.epoch} of {step.epochs}, batch {step.batch} of "
        f"{step.n_batches}, at most {_duration(step.seconds_left)} left"
    )
    n_done = (step.epoch - 1) * step.n_batches + step.batch
    return Status(text, n_done, step.epochs * step.n_batches)


def describe_outcome(outcome: TrainingOutcome) -> str:
    """Describe in a few lines how a run ended."""
    lines = [f"Ended: {outcome.stop_reason}."] if outcome.stop_reason else []
    if outcome.error:
        lines.append("Failed.")
    if outcome.result is None:
        return "\n".join([*lines, "No epoch was finished."])
    best, path = outcome.result.best_epoch, str(outcome.result.files.checkpoint)
    return "\n".join(
        [
            *lines,
            f"Best: epoch {best.epoch}, {best.val_psnr:.2f} dB.",
            _describe_scores(outcome.result),
            f"Checkpoint: {breakable(path)}",
            "It is selected in the Denoise widget.",
        ]
    )


def _describe_scores(result: TrainingResult) -> str:
    if result.test_scores:
        return f"Test images: {result.test_scores[-1].psnr_mean:.2f} dB."
    reason = f": {result.scoring_error.rstrip('.')}" if result.scoring_error else ""
    return f"Test images were not scored{breakable(reason)}."


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
