"""The generalized Anscombe transform and its exact unbiased inverse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .curve import NoiseCurve

# Of photon counts of 0 without read noise; nothing clean lies lower.
_LOWEST_STABILIZED = math.sqrt(1.5)


def anscombe(values: NDArray[Any], curve: NoiseCurve) -> NDArray[np.float64]:
    """Turn Poisson-Gaussian noise into noise of variance 1.

    Parameters
    ----------
    values : numpy.ndarray
        A noisy image or a part of it, any shape and numeric dtype.
    curve : NoiseCurve
        Its noise.

    Returns
    -------
    numpy.ndarray
        float64, the same shape, 0 and above; NaN stays NaN. From 4 photons
        upwards the variance is 1 within about 6 %. Below it falls towards 0
        where there is no read noise, and rises to 1.2 at most where it is
        about 2 photons.

    Notes
    -----
    The generalized Anscombe transform, as in [1]_: 2/a sqrt(a x + 3/8 a^2 + b)
    for a gain a and an offset variance b; 0 where the root is not defined.

    References
    ----------
    .. [1] Mäkitalo and Foi, Optimal inversion of the generalized Anscombe
       transformation for Poisson-Gaussian noise, 2013,
       :doi:`10.1109/TIP.2012.2202675`.
    """
    gain, offset = curve.gain, curve.offset_variance
    root = gain * np.asarray(values, np.float64) + 3 / 8 * gain**2 + offset
    stabilized: NDArray[np.float64] = 2 / gain * np.sqrt(np.maximum(root, 0.0))
    return stabilized


def inverse_anscombe(
    stabilized: NDArray[Any], curve: NoiseCurve
) -> NDArray[np.float64]:
    """Take a denoised image back from `anscombe`.

    Parameters
    ----------
    stabilized : numpy.ndarray
        The stabilized image after denoising, any shape and float dtype.
    curve : NoiseCurve
        The one that was given to `anscombe`.

    Returns
    -------
    numpy.ndarray
        float64, the same shape, in the units of the image; NaN stays NaN. No
        value is below minus offset variance by gain, which is the pedestal,
        lowered a little by read noise.

    Notes
    -----
    The exact unbiased inverse of Mäkitalo and Foi, in its closed form ([1]_ for
    photon counts, [2]_ for Poisson-Gaussian noise). The plain inverse of the
    root would be too low at few photons: denoising averages roots, and the
    mean of roots is below the root of the mean. For D, the denoised value, and
    c = sqrt(3/2), they find the photons

    D^2 / 4 + c / (4 D) - 11 / (8 D^2) + 5 c / (8 D^3) - 1/8 - s^2

    with s the read noise in photons. An image of gain a has the intensity a
    times the photons above its pedestal; there the terms of s and of the
    pedestal add up to -b / a, for b the offset variance.

    References
    ----------
    .. [1] Mäkitalo and Foi, A closed-form approximation of the exact unbiased
       inverse of the Anscombe variance-stabilizing transformation, 2011,
       :doi:`10.1109/TIP.2011.2121085`.
    .. [2] Mäkitalo and Foi, Optimal inversion of the generalized Anscombe
       transformation for Poisson-Gaussian noise, 2013,
       :doi:`10.1109/TIP.2012.2202675`.
    """
    mean = np.maximum(np.asarray(stabilized, np.float64), _LOWEST_STABILIZED)
    c = math.sqrt(1.5)
    inverse = 1 / mean
    photons = mean**2 / 4 - 1 / 8
    photons += c / 4 * inverse - 11 / 8 * inverse**2 + 5 / 8 * c * inverse**3
    intensities: NDArray[np.float64] = (
        curve.gain * photons - curve.offset_variance / curve.gain
    )
    return intensities
