"""Frozen results that training yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..evaluation.score import Score, ScoringProgress
from ..io.download import DownloadProgress
from .images.collection import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig
    from .run_files import RunFiles


class Examples(NamedTuple):
    """A few noisy, denoised, and clean images, each (N, Y, X, channels).

    Clean images are in [0, 1]; the others may exceed it if the noise is unclipped.
    `clean` is None if there are no clean images.
    """

    noisy: NDArray[np.float32]
    denoised: NDArray[np.float32]
    clean: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class TrainingStart:
    """The images are loaded, and training is about to start or resume.

    Parameters
    ----------
    device, noise : str
        Descriptions of the device and the noise, for display.
    network : str
        Name of the network.
    n_parameters : int
        Number of trainable parameters.
    n_train, n_val : int
        Number of training and validation images; 1 and 0 if parts of a single image
        are for validation.
    n_batches, epochs : int
        Number of batches per epoch, and maximum number of epochs.
    config : TrainingConfig
        All settings.
    dataset_sha256 : str
        Checksum of the images before the split.
    has_truth : bool
        Whether images are compared with clean ones.
    history : tuple of EpochResult
        Epochs finished before the run is resumed; empty for a new run.
    notes : tuple of str
        Sentences on images that are left out or changed.
    """

    device: str
    noise: str
    network: str
    n_parameters: int
    n_train: int
    n_val: int
    n_batches: int
    epochs: int
    config: TrainingConfig
    dataset_sha256: str
    has_truth: bool
    history: tuple[EpochResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def images(self) -> str:
        """How many images there are for training and for validation, as text."""
        trained = f"{counted(self.n_train, 'image')} to train"
        if not self.n_val:
            whole = "it" if self.n_train == 1 else "them"
            return f"{trained}, parts of {whole} to validate"
        return f"{trained}, {self.n_val:,} to validate"


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One batch has been trained on.

    Parameters
    ----------
    epoch, batch : int
        Number of the epoch, and of the batch in it, from 1.
    n_batches : int
        Number of batches per epoch.
    loss : torch.Tensor
        Mean loss of the batch, 0-dimensional, on the training device. Reading it
        waits for the device, so read it rarely.
    """

    epoch: int
    batch: int
    n_batches: int
    loss: Tensor


@dataclass(frozen=True, slots=True)
class EpochResult:
    """The network has been trained for one epoch and validated.

    Parameters
    ----------
    epoch : int
        Number of the epoch, from 1.
    train_loss : float
        Mean loss over the training images during the epoch.
    val_loss : float
        Mean loss over the validation images after the epoch.
    val_psnr : float
        Mean PSNR over the validation images, in dB, for a data range of 1; NaN
        without clean images.
    is_best : bool
        Whether `val_loss`, averaged over the config's `smoothing` epochs, is lower
        than that of the best earlier epoch by more than `min_delta`. Each of the
        first `smoothing` epochs is the best so far.
    seconds : float
        Duration of the epoch, in seconds.
    """

    epoch: int
    train_loss: float
    val_loss: float
    val_psnr: float
    is_best: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class SmallerBatches:
    """Memory ran out, so every batch is now computed in `n_parts` parts."""

    n_parts: int

    @property
    def description(self) -> str:
        """A sentence that says so."""
        return (
            f"Memory ran out: each batch is computed in {self.n_parts} parts, with the "
            "same result."
        )


@dataclass(frozen=True, slots=True, eq=False)
class ValidationExamples:
    """Validation images, denoised by the current network."""

    examples: Examples


@dataclass(frozen=True, slots=True, eq=False)
class FinalExamples:
    """Images denoised by the best epoch after training.

    They are test images of CIFAR-10, otherwise validation images.
    """

    examples: Examples


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """The result of a training run.

    Parameters
    ----------
    checkpoint : Checkpoint
        The best epoch.
    history : tuple of EpochResult
        Finished epochs.
    files : RunFiles
        Paths of the checkpoint, the history, the curves, and the gallery.
    stop_reason : str
        Why training ended.
    judgment : str
        How the model compares with the one that it started from, or with a built-in
        one, without clean images; empty if it was not compared.
    test_scores : tuple of Score
        Scores of the noisy and the denoised test images. Empty if training or
        scoring was interrupted or failed, and for images in memory, which have
        no test set.
    scoring_error : str
        Why the gallery or the scoring failed; empty if neither did.
    """

    checkpoint: Checkpoint
    history: tuple[EpochResult, ...]
    files: RunFiles
    stop_reason: str
    judgment: str = ""
    test_scores: tuple[Score, ...] = ()
    scoring_error: str = ""

    @property
    def best_epoch(self) -> EpochResult:
        """The epoch with the lowest validation loss."""
        return best_epoch_of(self.history)


#: One step of a `Trainer`.
TrainerStep = BatchResult | SmallerBatches | EpochResult

#: One step of a training run, from the download to the scores.
RunStep = (
    DownloadProgress
    | TrainingStart
    | BatchResult
    | SmallerBatches
    | EpochResult
    | ValidationExamples
    | FinalExamples
    | ScoringProgress
)


def watched_losses(history: Sequence[EpochResult], smoothing: int) -> list[float]:
    """Return the loss of each epoch by which the best one is chosen.

    Parameters
    ----------
    history : sequence of EpochResult
        Finished epochs.
    smoothing : int
        Number of epochs to average over.

    Returns
    -------
    list of float
        The mean validation loss of up to `smoothing` epochs, the last of which is the
        epoch itself.
    """
    losses = [result.val_loss for result in history]
    windows = (
        losses[max(0, end - smoothing) : end] for end in range(1, len(losses) + 1)
    )
    return [sum(window) / len(window) for window in windows]


def is_improvement(history: Sequence[EpochResult], config: TrainingConfig) -> bool:
    """Return whether the last epoch of a history is the best, see `EpochResult`."""
    # Averages of fewer epochs are too noisy to compare, so the last one counts.
    if len(history) <= config.smoothing:
        return True
    watched = watched_losses(history, config.smoothing)
    best = best_epoch_of(history[:-1]).epoch
    return watched[-1] < watched[best - 1] - config.min_delta


def best_epoch_of(history: Sequence[EpochResult]) -> EpochResult:
    """Return the best epoch of a history of at least one.

    It is the last epoch whose `is_best` is true.
    """
    return next(result for result in reversed(history) if result.is_best)


def describe_duration(seconds: float) -> str:
    """Return a duration as text: seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
