"""The noise level from wavelets, as used for models trained on one noise level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .windows import noise_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Below this side there are too few wavelet coefficients to tell anything.
_SMALLEST_ESTIMATE = 8
# Three quarters of a standard normal distribution lie below it.
_NORMAL_QUARTILE = 0.6744897501960817


def wavelet_sigma(plane: NDArray[Any], *, channel_axis: int | None = None) -> float:
    """Estimate the standard deviation of white noise in an image.

    Parameters
    ----------
    plane : numpy.ndarray
        One image, (Y, X), or with color channels at `channel_axis`.
    channel_axis : int, optional
        Axis of the color channels, whose estimates are averaged.

    Returns
    -------
    float
        Standard deviation in the image's units; NaN where the image is
        smaller than 8 pixels, constant, or has no finite window.

    Notes
    -----
    The median absolute deviation of the finest diagonal wavelet coefficients
    (Donoho and Johnstone 1994 [1]_), as `skimage.restoration.estimate_sigma`
    has it. In images wider or higher than 512 pixels five windows of 256
    pixels at fixed relative places are used, and the median of their results.

    References
    ----------
    .. [1] Donoho and Johnstone, Ideal spatial adaptation by wavelet
       shrinkage, 1994, :doi:`10.1093/biomet/81.3.425`.
    """
    image = plane[..., np.newaxis]
    if channel_axis is not None:
        image = np.moveaxis(plane, channel_axis, -1)
    height, width = image.shape[:2]
    return wavelet_sigma_of_windows(
        [image[window] for window in noise_windows((height, width))]
    )


def wavelet_sigma_of_windows(windows: Sequence[NDArray[Any]]) -> float:
    """Estimate the noise of an image of which only some windows are at hand.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        (Y, X, channels), those that `noise_windows` names.

    Returns
    -------
    float
        What `wavelet_sigma` returns for the whole image.
    """
    estimates = [
        _estimate_sigma(np.asarray(window[..., channel], dtype=np.float64))
        for window in windows
        for channel in range(window.shape[-1])
    ]
    known = [estimate for estimate in estimates if not math.isnan(estimate)]
    return float(np.median(known)) if known else math.nan


def _estimate_sigma(channel: NDArray[np.float64]) -> float:
    if min(channel.shape) < _SMALLEST_ESTIMATE or not np.isfinite(channel).all():
        return math.nan
    if np.ptp(channel) == 0:
        return math.nan
    import pywt

    # As skimage.restoration.estimate_sigma, which warns if all coefficients are 0;
    # warnings can only be ignored for all threads of the program at once.
    details = pywt.dwtn(channel, wavelet="db2")["dd"]
    details = np.abs(details[details != 0])
    return float(np.median(details) / _NORMAL_QUARTILE) if details.size else math.nan
