"""What the training worker sends to the widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...io.download import DownloadProgress

if TYPE_CHECKING:
    from pathlib import Path

    from ...evaluation.score import Score
    from ...training.results import EpochResult
    from .job import Examples


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What to train; everything but the device has been checked.

    Parameters
    ----------
    data : pathlib.Path
        Folder of CIFAR-10.
    download : bool
        Whether it is to be fetched first.
    output : pathlib.Path
        The checkpoint.
    preset : str or None
        None on `resume`, where the run has one already.
    settings : dict
        Fields of `TrainingConfig`; on `resume` those that may change.
    device : str
        See `choose_device`.
    resume, overwrite : bool
        See `RunFiles.require_usable`.
    """

    data: Path
    download: bool
    output: Path
    preset: str | None
    settings: dict[str, Any]
    device: str
    resume: bool
    overwrite: bool


@dataclass(frozen=True, slots=True, eq=False)
class TrainingStart:
    """A run is about to begin, or to go on after the epochs in `history`.

    The examples are what the network makes of validation images by then.
    """

    device: str
    noise: str
    n_train: int
    n_val: int
    history: tuple[EpochResult, ...]
    examples: Examples


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a run is; `seconds_left` is the time that all epochs would take."""

    epoch: int
    epochs: int
    batch: int
    n_batches: int
    loss: float
    seconds_left: float


@dataclass(frozen=True, slots=True, eq=False)
class EpochProgress:
    """An epoch is over."""

    result: EpochResult
    examples: Examples


@dataclass(frozen=True, slots=True, eq=False)
class FinalPictures:
    """Training is over; what the best epoch makes of a few images of the test set."""

    examples: Examples


@dataclass(frozen=True, slots=True)
class ScoreProgress:
    """How many images of the test set have been scored."""

    done: int
    total: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """How a run ended.

    Parameters
    ----------
    stop_reason : str
        Why it ended, where nothing went wrong.
    checkpoint : pathlib.Path or None
        Where the best epoch lies; None before the first was finished.
    best : EpochResult or None
        That epoch.
    test_scores : tuple of Score
        How the noisy and the denoised images of the test set do; empty if
        they were not scored.
    not_scored : str
        Why they were not.
    error : str
        What went wrong; empty if nothing did.
    field : str
        The field of the form that can mend it, if there is one.
    """

    stop_reason: str = ""
    checkpoint: Path | None = None
    best: EpochResult | None = None
    test_scores: tuple[Score, ...] = ()
    not_scored: str = ""
    error: str = ""
    field: str = ""


Step = (
    DownloadProgress
    | TrainingStart
    | BatchProgress
    | EpochProgress
    | FinalPictures
    | ScoreProgress
)
