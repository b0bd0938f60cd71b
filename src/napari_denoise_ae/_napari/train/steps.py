"""Steps that the training worker sends to the widget, besides those of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...io.download import DownloadProgress
from ...training.results import (
    EpochResult,
    FinalExamples,
    SmallerBatches,
    TrainingStart,
    ValidationExamples,
)

if TYPE_CHECKING:
    from ...training.results import TrainingResult


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Progress of training.

    `seconds_left` assumes that all epochs run.
    """

    epoch: int
    epochs: int
    batch: int
    n_batches: int
    loss: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class ScoreProgress:
    """Progress of scoring: the number of scored test images and of all of them."""

    done: int
    total: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """Outcome of a run.

    Parameters
    ----------
    result : TrainingResult or None
        The result; None if no epoch was finished.
    stop_reason : str
        Why the run ended; empty if it failed.
    error : str
        The error message; empty if the run did not fail.
    field : str
        The form field that caused the error, if any.
    is_canceled : bool
        Whether the run was discarded.
    """

    result: TrainingResult | None = None
    stop_reason: str = ""
    error: str = ""
    field: str = ""
    is_canceled: bool = False


#: A step for the widget. Progress steps are sent as numbers, batches at intervals.
Step = (
    DownloadProgress
    | TrainingStart
    | BatchProgress
    | SmallerBatches
    | EpochResult
    | ValidationExamples
    | FinalExamples
    | ScoreProgress
)
