"""Validate a network, and denoise the images that are shown during training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from .results import Examples

if TYPE_CHECKING:
    from threading import Event

    from numpy.typing import NDArray
    from torch import Tensor

    from ..models.networks.base import DenoisingNetwork
    from .sources.base import TrainingSource
    from .step import TrainingStep


def validate(
    step: TrainingStep, source: TrainingSource, stop: Event | None = None
) -> tuple[float, float]:
    """Return the mean loss and the mean PSNR over the validation images.

    Parameters
    ----------
    step : TrainingStep
        Its network is validated.
    source : TrainingSource
        Yields the validation images.
    stop : threading.Event, optional
        Set it to end validation early. The results are then meaningless.

    Returns
    -------
    loss, psnr : float
        The PSNR is in dB; NaN without clean images.
    """
    step.network.eval()
    losses, psnrs, n_images = [], [], 0
    with torch.inference_mode():
        for batch in source.validation():
            if stop is not None and stop.is_set():
                break
            loss, psnr = step.validate(batch)
            losses.append(loss)
            psnrs.append(psnr)
            n_images += batch.n_images
    # Reading the sums waits for the device, once.
    mean_loss, mean_psnr = (float(sum(x)) / max(n_images, 1) for x in (losses, psnrs))
    return mean_loss, mean_psnr if source.has_truth else np.nan


def denoise_validation_images(
    step: TrainingStep, source: TrainingSource, network: DenoisingNetwork, n_images: int
) -> Examples:
    """Denoise some validation images, always the same.

    Parameters
    ----------
    step : TrainingStep
        Runs the network.
    source : TrainingSource
        Yields the images; patches of the user's own images.
    network : DenoisingNetwork
        The network, on the training device.
    n_images : int
        Number of images, at most.
    """
    network.eval()
    with torch.inference_mode():
        batch = source.examples(n_images)
        noisy = batch.noisy if batch.decode is None else batch.decode(batch.noisy)
        denoised = step.denoise(batch, network)
    clean = _as_images(batch.target) if source.has_truth else None
    return Examples(_as_images(noisy), _as_images(denoised), clean)


def _as_images(tensor: Tensor) -> NDArray[np.float32]:
    """Return a tensor (N, C, Y, X) as an array (N, Y, X, C)."""
    images: NDArray[np.float32] = tensor.permute(0, 2, 3, 1).float().cpu().numpy()
    return images
