"""What the training worker sends to the widget, beside the steps of the run itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...io.download import DownloadProgress
from ...training.results import (
    EpochResult,
    FinalExamples,
    TrainingStart,
    ValidationExamples,
)

if TYPE_CHECKING:
    from ...training.results import TrainingResult


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Progress of training; `seconds_left` is the time that all epochs would take."""

    epoch: int
    epochs: int
    batch: int
    n_batches: int
    loss: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class ScoreProgress:
    """Number of test images that have been scored, and of all test images."""

    done: int
    total: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """The end of a run.

    Parameters
    ----------
    result : TrainingResult or None
        What was reached; None before the first epoch was finished.
    stop_reason : str
        Why the run ended, unless it failed.
    error : str
        What failed; empty if nothing did.
    field : str
        The field of the form that can fix it, if there is one.
    """

    result: TrainingResult | None = None
    stop_reason: str = ""
    error: str = ""
    field: str = ""


#: Batches and scored images are sent in plain numbers, and not all of them.
Step = (
    DownloadProgress
    | TrainingStart
    | BatchProgress
    | EpochResult
    | ValidationExamples
    | FinalExamples
    | ScoreProgress
)
