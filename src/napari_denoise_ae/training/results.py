"""What the trainer yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


class Examples(NamedTuple):
    """A few images to look at, each (N, Y, X, channels), mostly in [0, 1].

    Noise that is not clipped leaves the range.
    """

    noisy: NDArray[np.float32]
    denoised: NDArray[np.float32]
    clean: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One batch has been trained on.

    Parameters
    ----------
    epoch, batch : int
        Which one, from 1.
    n_batches : int
        Batches in an epoch.
    loss : torch.Tensor
        Its mean loss, without dimensions, still on the training device:
        reading it waits for the device, so read it seldom.
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
        Which one, from 1.
    train_loss : float
        Mean loss over the epoch's training images, while they were trained on.
    val_loss : float
        Mean loss over the validation images after the epoch.
    val_psnr : float
        Mean PSNR over the validation images, in dB, data range 1.
    is_best : bool
        Whether `val_loss` is lower than that of every epoch before, by at
        least the config's `min_delta`.
    seconds : float
        Time that the epoch took.
    """

    epoch: int
    train_loss: float
    val_loss: float
    val_psnr: float
    is_best: bool
    seconds: float
