"""Estimate the level of white noise in an image, even in the presence of texture.

It is measured at high frequencies in the patches with the least energy at low ones. In
white noise the two are independent, so the selection does not favor patches whose noise
is low by chance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .patches import patches_of_channels
from .spectrum import (
    high_frequency_variances,
    low_and_high,
    low_frequency_energy,
    smoothest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# The darker and the brighter half of the patches contribute equally: noise often grows
# with intensity, and only dark regions may be smooth.
_BRIGHTNESS_GROUPS = 2
_SMOOTHEST_FRACTION = 0.1
_FEWEST_SMOOTHEST = 100
# White noise has energy in all patches: relative to its variance, this quantile of
# the mean square of the 36 high frequencies is that of the chi-squared distribution.
_QUIET_QUANTILE, _QUIET_QUANTILE_OF_WHITE = 0.05, 0.647


def estimate_sigma_of_windows(windows: Sequence[NDArray[Any]]) -> float:
    """Estimate the standard deviation of white noise in an image.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Regions of one image, (Y, X, channels), any numeric dtype, see
        `noise_windows`. Patches that contain NaN or infinity are skipped.

    Returns
    -------
    float
        Standard deviation in the image's units: the square root of the variance
        averaged over the channels. NaN if there is no patch of 8 x 8 pixels that is
        finite and not constant, or nearly all pixels are clipped.

    See Also
    --------
    napari_denoise_ae.noise.wavelet.wavelet_sigma_of_windows :
        A simpler estimate, which mistakes fine texture for noise and fails if pixels
        take few distinct values, as photon counts do.

    Notes
    -----
    The smoothest tenth of the patches of 8 x 8 pixels is selected by the energy of
    the low frequencies of their cosine transform. The variance of the noise is the
    median, over the high frequencies, of their mean squares in these patches, much
    as in [1]_. The median ignores the few frequencies that make up a texture.

    If the image is clipped, as photographs are, patches that touch the bound are
    excluded if enough remain, otherwise those with the most clipped pixels; zeros of
    photon counts do not count as clipping. If the noise grows with the intensity, the
    result is an intermediate value, closer to that of dark regions; `fit_noise_curve`
    measures the dependence.

    References
    ----------
    .. [1] Colom and Buades, Analysis and extension of the Ponomarenko et al.
       method, estimating a noise curve from a single image, 2013,
       :doi:`10.5201/ipol.2013.45`.
    """
    return sigma_of_patches(patches_of_channels(windows))


def sigma_of_patches(channels: Sequence[NDArray[np.float64]]) -> float:
    """Estimate the standard deviation of white noise from patches of each channel.

    Parameters
    ----------
    channels : sequence of numpy.ndarray
        What `patches_of_channels` returns.

    Returns
    -------
    float
        See `estimate_sigma_of_windows`.
    """
    variances = [_variance(patches) for patches in channels if len(patches)]
    return math.sqrt(sum(variances) / len(variances)) if variances else math.nan


def _variance(patches: NDArray[np.float64]) -> float:
    energies = low_frequency_energy(patches)
    by_brightness = np.argsort(patches.mean(axis=1))
    smooth = [
        group[smoothest(energies[group], _SMOOTHEST_FRACTION, _FEWEST_SMOOTHEST)]
        for group in np.array_split(by_brightness, _BRIGHTNESS_GROUPS)
    ]
    return float(np.median(high_frequency_variances(patches[np.concatenate(smooth)])))


def level_of_quietest(channels: Sequence[NDArray[np.float64]]) -> float:
    """Estimate the level of white noise from the patches with the least of it.

    Parameters
    ----------
    channels : sequence of numpy.ndarray
        What `patches_of_channels` returns.

    Returns
    -------
    float
        Standard deviation, less exact than `sigma_of_patches`, but not too high if
        only few patches are smooth. At least half of that. Infinity without patches.
    """
    _, high = low_and_high()
    energies = [np.square(each @ high.T).mean(axis=1) for each in channels if len(each)]
    if not energies:
        return math.inf
    found = float(np.quantile(np.concatenate(energies), _QUIET_QUANTILE))
    least = sigma_of_patches(channels) / 2.0
    return max(math.sqrt(found / _QUIET_QUANTILE_OF_WHITE), least)
