"""Status of a training run as text and as the value of a progress bar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...io.download import DownloadProgress
from ...training.results import FinalExamples, describe_duration
from ..shared.layout import breakable
from .steps import BatchProgress, ScoreProgress

if TYPE_CHECKING:
    from ...training.results import EpochResult, TrainingResult
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
    time_left : str
        The time left as text; empty if it is unknown.
    """

    text: str
    value: int
    maximum: int
    time_left: str = ""


def status_of(step: Step) -> Status | None:
    """Return the status after a step; None if the step does not change it."""
    if isinstance(step, BatchProgress):
        return _status_of_batch(step)
    if isinstance(step, FinalExamples):
        text = "The model is saved. Denoising some test images…"
        return Status(text, 0, 0)
    if isinstance(step, ScoreProgress):
        left = f"{describe_duration(step.seconds_left)} left"
        text = (
            f"The model is saved. Scoring: {step.done:,} of {step.total:,} test "
            f"images, {left}"
        )
        return Status(text, step.done, step.total, left)
    if isinstance(step, DownloadProgress):
        done, total = step.done // 10**6, step.total // 10**6
        return Status(f"Downloading CIFAR-10: {done} of {total or 170} MB", done, total)
    return None


def _status_of_batch(step: BatchProgress) -> Status:
    left = f"at most {describe_duration(step.seconds_left)} left"
    text = (
        f"Epoch {step.epoch} of {step.epochs}, batch {step.batch} of "
        f"{step.n_batches}, {left}"
    )
    n_done = (step.epoch - 1) * step.n_batches + step.batch
    return Status(text, n_done, step.epochs * step.n_batches, left)


def describe_outcome(outcome: TrainingOutcome) -> str:
    """Describe in a few lines how a run ended."""
    if outcome.is_canceled:
        return "Canceled. Nothing of this run was kept."
    lines = [f"Ended: {outcome.stop_reason}."] if outcome.stop_reason else []
    if outcome.error:
        lines.append("Failed.")
    if outcome.result is None:
        return "\n".join([*lines, "No epoch was finished."])
    best, path = outcome.result.best_epoch, str(outcome.result.files.checkpoint)
    judgment = outcome.result.judgment
    return "\n".join(
        [
            *lines,
            f"Best: epoch {best.epoch}, {_describe_quality(best)}.",
            *_describe_scores(outcome.result),
            *([f"{judgment[:1].upper()}{judgment[1:]}."] if judgment else []),
            f"Checkpoint: {breakable(path)}",
            "It is selected in the Denoise widget.",
        ]
    )


def _describe_quality(best: EpochResult) -> str:
    if math.isnan(best.val_psnr):
        return f"validation loss {best.val_loss:.5f}"
    return f"{best.val_psnr:.2f} dB"


def _describe_scores(result: TrainingResult) -> list[str]:
    if result.test_scores:
        return [f"Test images: {result.test_scores[-1].psnr_mean:.2f} dB."]
    record = result.checkpoint.record
    if record is not None and record.images and not result.scoring_error:
        # Images of the user have no test set.
        return []
    reason = f": {result.scoring_error.rstrip('.')}" if result.scoring_error else ""
    return [f"Test images were not scored{breakable(reason)}."]
