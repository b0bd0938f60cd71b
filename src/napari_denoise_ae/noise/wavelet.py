"""Estimate the noise level from wavelets, for models trained on one noise level."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .windows import noise_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Smaller windows have too few wavelet coefficients for an estimate.
_SMALLEST_SIDE = 8
# The third quartile of the standard normal distribution.
_NORMAL_QUARTILE = 0.6744897501960817


def wavelet_sigma(plane: NDArray[Any], *, channel_axis: int | None = None) -> float:
    """Estimate the standard deviation of white noise in an image.

    Parameters
    ----------
    plane : numpy.ndarray
        One image, (Y, X), or with color channels at `channel_axis`.
    channel_axis : int, optional
        Axis of the color channels; the result is the median of their estimates.

    Returns
    -------
    float
        Standard deviation in the image's units. NaN if a side is shorter than 8
        pixels, the image is constant, or no window is finite.

    Notes
    -----
    The estimate is the median absolute deviation of the finest diagonal wavelet
    coefficients (Donoho and Johnstone 1994 [1]_), as in
    `skimage.restoration.estimate_sigma`. If a side is longer than 512 pixels, the
    result is the median over five windows of 256 pixels at fixed relative positions.

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
    """Estimate the noise level of an image from some of its windows.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        The windows that `noise_windows` selects, each (Y, X, channels).

    Returns
    -------
    float
        Standard deviation in the image's units, the same as `wavelet_sigma` returns
        for the whole image.
    """
    estimates = [
        _estimate_sigma(np.asarray(window[..., channel], dtype=np.float64))
        for window in windows
        for channel in range(window.shape[-1])
    ]
    known = [estimate for estimate in estimates if not math.isnan(estimate)]
    return float(np.median(known)) if known else math.nan


def _estimate_sigma(channel: NDArray[np.float64]) -> float:
    if min(channel.shape) < _SMALLEST_SIDE or not np.isfinite(channel).all():
        return math.nan
    if np.ptp(channel) == 0:
        return math.nan
    import pywt

    # The same as skimage.restoration.estimate_sigma, which is not called because it
    # warns if all coefficients are 0, and Python can only ignore warnings in all
    # threads at once.
    details = pywt.dwtn(channel, wavelet="db2")["dd"]
    details = np.abs(details[details != 0])
    return float(np.median(details) / _NORMAL_QUARTILE) if details.size else math.nan
