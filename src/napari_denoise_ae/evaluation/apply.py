"""Apply a model to images that are mostly in [0, 1], as scoring needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..denoising.array import Denoising
from .pairs import plane_axes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..noise.setting import NoiseSetting
    from .pairs import Pair

    # Takes (Y, X, channels), mostly in [0, 1], and returns the same.
    Method = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def apply_model(
    unit: NDArray[np.float64],
    *,
    denoiser: Denoiser,
    setting: NoiseSetting | None = None,
) -> NDArray[np.float64]:
    """Denoise one image.

    Parameters
    ----------
    unit : numpy.ndarray
        (Y, X, channels), mostly in [0, 1].
    denoiser : Denoiser
        The model.
    setting : NoiseSetting, optional
        Noise settings for a model that takes a noise level; other models
        ignore them. None means that the level is estimated.

    Returns
    -------
    numpy.ndarray
        The same shape.
    """
    if not denoiser.network.takes_noise_level:
        setting = None
    run = Denoising(
        unit,
        denoiser,
        axes=plane_axes(unit),
        intensity_range=(0.0, 1.0),
        setting=setting,
    )
    for _ in run:
        pass
    return run.result


def denoise_together(
    unit: NDArray[np.float64],
    denoiser: Denoiser,
    setting: NoiseSetting | None = None,
) -> NDArray[np.float64]:
    """Denoise small images in one batch; the result is that of `apply_model`.

    Parameters
    ----------
    unit : numpy.ndarray
        (N, Y, X, channels), mostly in [0, 1], with the model's channels; a model
        with one channel takes any number.
    denoiser, setting
        See `apply_model`.

    Returns
    -------
    numpy.ndarray
        The same shape.
    """
    if denoiser.network.takes_noise_level:
        # Each image has a scaling of its own.
        each = [
            apply_model(image, denoiser=denoiser, setting=setting) for image in unit
        ]
        return np.stack(each)
    within = np.clip(unit, 0.0, 1.0)
    batch = within.astype(np.float32).transpose(0, 3, 1, 2)  # (N, channels, Y, X)
    shape = batch.shape
    if denoiser.network.in_channels == 1:
        batch = batch.reshape(-1, 1, *shape[2:])  # each channel by itself
    denoised = denoiser.run_network(batch).reshape(shape).transpose(0, 2, 3, 1)
    return denoised + (unit - within)


def denoise_pair(pair: Pair, method: Method) -> NDArray[np.float64]:
    """Return the noisy image of a pair denoised, in its intensities, as scored."""
    return as_scored(pair, method(pair.input_range.normalize(pair.noisy)))


def as_scored(pair: Pair, denoised: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intensities of a result in [0, 1], clipped if the pair says so."""
    result = pair.input_range.denormalize(denoised)
    if not pair.clip:
        return result
    return np.clip(result, pair.data_range.low, pair.data_range.high)


def count_parameters(denoiser: Denoiser) -> int:
    """Return the number of parameters of a model."""
    return sum(parameter.numel() for parameter in denoiser.network.parameters())
