"""Apply a model to normalized images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..denoising.array import Denoising
from ..denoising.model_ranges import without_ignored
from ..denoising.options import DenoiseOptions
from ..noise.setting import NoiseSetting
from .fitting import denoisers_of, fitting_denoiser
from .pairs import plane_axes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from .fitting import ScoredModel
    from .pairs import Pair

    # Denoises a normalized image, (Y, X, channels); noise may exceed [0, 1].
    Method = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def apply_model(
    unit: NDArray[np.float64],
    *,
    denoiser: ScoredModel,
    setting: NoiseSetting | None = None,
) -> NDArray[np.float64]:
    """Denoise a normalized image.

    Parameters
    ----------
    unit : numpy.ndarray
        (Y, X, channels), normalized to [0, 1]; noise may exceed it.
    denoiser : ScoredModel
        The model, or the models of which the one that fits the colors is used.
    setting : NoiseSetting, optional
        Noise settings for a model that takes a noise level; other models ignore
        them. None means that the noise level is estimated.

    Returns
    -------
    numpy.ndarray
        Denoised image, same shape and range.
    """
    options = DenoiseOptions(
        axes=plane_axes(unit),
        intensity_range=(0.0, 1.0),
        **(setting or NoiseSetting()).non_defaults(),
    )
    fitting = fitting_denoiser(denoiser, unit.shape[-1])
    run = Denoising(unit, fitting, without_ignored(fitting.checkpoint, options))
    for _ in run:
        pass
    return run.result


def denoise_together(
    unit: NDArray[np.float64],
    denoiser: Denoiser,
    setting: NoiseSetting | None = None,
) -> NDArray[np.float64]:
    """Denoise small images in one batch, with the same result as `apply_model`.

    Parameters
    ----------
    unit : numpy.ndarray
        (N, Y, X, channels), normalized to [0, 1]; noise may exceed it. The number
        of channels must be that of the model, unless the model has one channel.
    denoiser, setting
        See `apply_model`.

    Returns
    -------
    numpy.ndarray
        Denoised images, same shape and range.
    """
    import torch

    network = denoiser.network
    if not network.uses_range:
        # Each image is scaled by its own noise level or intensities.
        denoised = [
            apply_model(image, denoiser=denoiser, setting=setting) for image in unit
        ]
        return np.stack(denoised)
    clipped = np.clip(unit, 0.0, 1.0)
    batch = clipped.astype(np.float32).transpose(0, 3, 1, 2)  # (N, channels, Y, X)
    shape = batch.shape
    if network.in_channels == 1:
        batch = batch.reshape(-1, 1, *shape[2:])  # one channel at a time
    output = denoiser.run_network(torch.from_numpy(batch)).cpu().numpy()
    return output.reshape(shape).transpose(0, 2, 3, 1) + (unit - clipped)


def denoise_pair(pair: Pair, method: Method) -> NDArray[np.float64]:
    """Denoise the noisy image of a pair.

    Parameters
    ----------
    pair : Pair
        Noisy image and clean image.
    method : callable
        Method that denoises a normalized image.

    Returns
    -------
    numpy.ndarray
        (Y, X, channels), in the intensities of the pair, clipped as for scoring.
    """
    return as_scored(pair, method(pair.input_range.normalize(pair.noisy)))


def as_scored(pair: Pair, denoised: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert a normalized result to the intensities of a pair; clip it if required."""
    result: NDArray[np.float64] = pair.input_range.denormalize(denoised)
    if not pair.clip:
        return result
    return np.clip(result, pair.data_range.low, pair.data_range.high)


def count_parameters(denoiser: ScoredModel) -> int:
    """Count the parameters of a model, or of all models used under its name."""
    return sum(each.network.n_parameters for each in denoisers_of(denoiser))
