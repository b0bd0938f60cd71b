"""The record of a training run that is stored in its checkpoint."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .._version import __version__
from ..models.record import TrainingRecord
from ..noise.wavelet import wavelet_sigma

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig
    from ..models.networks.base import DenoisingNetwork
    from .results import EpochResult
    from .sources.base import TrainingSource


def begin_record(
    config: TrainingConfig,
    source: TrainingSource,
    network: DenoisingNetwork,
    device: torch.device,
    noisy: Iterable[NDArray[Any]],
    start_from: Checkpoint | None = None,
) -> TrainingRecord:
    """Make the record of a run that has not trained yet.

    Parameters
    ----------
    config : TrainingConfig
        The settings.
    source : TrainingSource
        The source of the batches.
    network : DenoisingNetwork
        The network.
    device : torch.device
        Training device.
    noisy : iterable of numpy.ndarray
        Noisy validation images, (Y, X, channels), to estimate the noise level from.
    start_from : Checkpoint, optional
        The trained network that the run starts from.

    Returns
    -------
    TrainingRecord
        The record; the fields that depend on the epochs are empty or NaN.
    """
    return TrainingRecord(
        config=config,
        dataset=source.name,
        dataset_sha256=source.sha256,
        n_train=source.n_train,
        n_val=source.n_val,
        epochs_run=0,
        best_epoch=0,
        stop_reason="",
        val_loss=np.nan,
        val_psnr=np.nan,
        noise_estimate=_estimate_noise_percentiles(noisy),
        receptive_field_radius=network.receptive_field_radius,
        stride=network.stride,
        device=str(device),
        package_version=__version__,
        torch_version=str(torch.__version__),
        date="",
        images=source.images,
        noise=source.noise,
        started_from="" if start_from is None else start_from.name,
    )


def update_record(
    record: TrainingRecord,
    history: Sequence[EpochResult],
    best: EpochResult,
    stop_reason: str,
) -> TrainingRecord:
    """Add the results of the finished epochs to a record.

    Parameters
    ----------
    record : TrainingRecord
        The record to start from; it is not changed.
    history : sequence of EpochResult
        Finished epochs.
    best : EpochResult
        The best of them.
    stop_reason : str
        Why training ended; empty if it has not.

    Returns
    -------
    TrainingRecord
        The updated record, with the current time as its date.
    """
    return replace(
        record,
        epochs_run=len(history),
        best_epoch=best.epoch,
        stop_reason=stop_reason,
        val_loss=best.val_loss,
        val_psnr=best.val_psnr,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _estimate_noise_percentiles(
    noisy: Iterable[NDArray[Any]],
) -> tuple[float, float, float]:
    """Return the 5th, 50th, and 95th percentiles of the images' noise levels."""
    estimates = [wavelet_sigma(image, channel_axis=-1) for image in noisy]
    usable = [estimate for estimate in estimates if not np.isnan(estimate)]
    if not usable:
        return np.nan, np.nan, np.nan
    low, middle, high = np.percentile(usable, (5, 50, 95))
    return float(low), float(middle), float(high)
