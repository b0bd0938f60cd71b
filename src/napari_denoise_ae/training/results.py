"""The frozen results that training yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..evaluation.score import Score, ScoringProgress
from ..io.download import DownloadProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ..models.checkpoint import Checkpoint
    from .run_files import RunFiles


class Examples(NamedTuple):
    """A few images to look at, each (N, Y, X, channels), mostly in [0, 1].

    Noise that is not clipped leaves the range.
    """

    noisy: NDArray[np.float32]
    denoised: NDArray[np.float32]
    clean: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrainingStart:
    """The images are loaded, and training is about to begin or to resume.

    Parameters
    ----------
    device, noise : str
        The device and the noise, for a user to read.
    network : str
        Name of the network.
    n_parameters : int
        Its trainable parameters.
    n_train, n_val : int
        Training and validation images.
    n_batches, epochs : int
        Batches in an epoch, and the most epochs to train.
    history : tuple of EpochResult
        The epochs before a run that is resumed.
    """

    device: str
    noise: str
    network: str
    n_parameters: int
    n_train: int
    n_val: int
    n_batches: int
    epochs: int
    history: tuple[EpochResult, ...]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One batch has been trained on.

    Parameters
    ----------
    epoch, batch : int
        Their numbers, from 1.
    n_batches : int
        Batches in an epoch.
    loss : torch.Tensor
        Its mean loss, without dimensions, on the training device. Reading it
        waits for the device, so read it seldom.
    """

    epoch: int
    batch: int
    n_batches: int
    loss: Tensor


@dataclass(frozen=True, slots=True)
class EpochResult:
    """One epoch has been trained and validated.

    Parameters
    ----------
    epoch : int
        Its number, from 1.
    train_loss : float
        Mean loss over the training images, while they were trained on.
    val_loss : float
        Mean loss over the validation images after the epoch.
    val_psnr : float
        Mean PSNR over the validation images, in dB, data range 1.
    is_best : bool
        Whether `val_loss` is lower than in every epoch before, by more than the
        config's `min_delta`.
    seconds : float
        Time that the epoch took.
    """

    epoch: int
    train_loss: float
    val_loss: float
    val_psnr: float
    is_best: bool
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class ValidationExamples:
    """Validation images, denoised by the network as it is now."""

    examples: Examples


@dataclass(frozen=True, slots=True, eq=False)
class FinalExamples:
    """Images denoised by the best epoch, after training.

    They are of the test set, or for images in memory of the validation images.
    """

    examples: Examples


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """What a training run has reached.

    Parameters
    ----------
    checkpoint : Checkpoint
        The best epoch.
    history : tuple of EpochResult
        The finished epochs.
    files : RunFiles
        Paths of the checkpoint, the history, the curves and the gallery.
    stop_reason : str
        Why training ended.
    test_scores : tuple of Score
        Scores of the noisy and of the denoised images of the test set. Empty if
        training or scoring was interrupted, and for images in memory, which have
        no test set.
    scoring_error : str
        Why the test set could not be scored; empty if it could.
    """

    checkpoint: Checkpoint
    history: tuple[EpochResult, ...]
    files: RunFiles
    stop_reason: str
    test_scores: tuple[Score, ...] = ()
    scoring_error: str = ""

    @property
    def best_epoch(self) -> EpochResult:
        """The epoch with the lowest validation loss."""
        return best_epoch_of(self.history)


#: One step of a training run, from the download to the scores.
RunStep = (
    DownloadProgress
    | TrainingStart
    | BatchResult
    | EpochResult
    | ValidationExamples
    | FinalExamples
    | ScoringProgress
)


def best_epoch_of(history: Sequence[EpochResult]) -> EpochResult:
    """Return the epoch with the lowest validation loss; there must be one."""
    return next(result for result in reversed(history) if result.is_best)
