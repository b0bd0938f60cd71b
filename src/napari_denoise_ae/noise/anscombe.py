"""The generalized Anscombe transform and its exact unbiased inverse.

`anscombe` and `inverse_anscombe` take NumPy arrays. Their formulas, `stabilized_of` and
`intensities_of`, take tensors as well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .curve import NoiseCurve

# Stabilized value of 0 photons without read noise: the lowest of a clean image.
_LOWEST_STABILIZED = math.sqrt(1.5)
# From this number of photons on, stabilized counts have a standard deviation of 1.
_ENOUGH_PHOTONS = 4.0
_MOST_COUNTS = 32


def anscombe(values: NDArray[Any], curve: NoiseCurve) -> NDArray[np.float64]:
    """Stabilize Poisson-Gaussian noise to a variance of 1.

    Parameters
    ----------
    values : numpy.ndarray
        Noisy image or region, any shape and numeric dtype.
    curve : NoiseCurve
        Its noise.

    Returns
    -------
    numpy.ndarray
        Stabilized values of at least 0, float64, same shape; NaN stays NaN. From
        4 photons upwards the variance is 1 within about 6 %. Below, it falls
        towards 0 without read noise, and rises to at most 1.2 with a read noise of
        about 2 photons.

    Notes
    -----
    The generalized Anscombe transform, as in [1]_: 2/a sqrt(a x + 3/8 a^2 + b)
    for gain a and offset variance b; 0 where the argument of the root is negative.

    References
    ----------
    .. [1] Mäkitalo and Foi, Optimal inversion of the generalized Anscombe
       transformation for Poisson-Gaussian noise, 2013,
       :doi:`10.1109/TIP.2012.2202675`.
    """
    stabilized: NDArray[np.float64] = stabilized_of(
        np.asarray(values, np.float64), curve.gain, curve.offset_variance
    )
    return stabilized


def inverse_anscombe(
    stabilized: NDArray[Any], curve: NoiseCurve
) -> NDArray[np.float64]:
    """Invert `anscombe` for a denoised image.

    Parameters
    ----------
    stabilized : numpy.ndarray
        Denoised stabilized image, any shape and floating-point dtype.
    curve : NoiseCurve
        The curve that was passed to `anscombe`.

    Returns
    -------
    numpy.ndarray
        Intensities in the units of the image, float64, same shape; NaN stays NaN.
        The minimum is minus offset variance / gain, which is the pedestal less a
        small contribution of the read noise.

    Notes
    -----
    The exact unbiased inverse of Mäkitalo and Foi in closed form ([1]_ for photon
    counts, [2]_ for Poisson-Gaussian noise). The algebraic inverse would be biased
    low at few photons: denoising averages roots, and the mean of roots is below
    the root of the mean. For a denoised value D and c = sqrt(3/2), the number of
    photons is

    D^2 / 4 + c / (4 D) - 11 / (8 D^2) + 5 c / (8 D^3) - 1/8 - s^2

    with read noise s in photons. The intensity is the pedestal plus gain a times
    the photons; the terms of s and of the pedestal add up to -b / a for offset
    variance b.

    References
    ----------
    .. [1] Mäkitalo and Foi, A closed-form approximation of the exact unbiased
       inverse of the Anscombe variance-stabilizing transformation, 2011,
       :doi:`10.1109/TIP.2011.2121085`.
    .. [2] Mäkitalo and Foi, Optimal inversion of the generalized Anscombe
       transformation for Poisson-Gaussian noise, 2013,
       :doi:`10.1109/TIP.2012.2202675`.
    """
    intensities: NDArray[np.float64] = intensities_of(
        np.asarray(stabilized, np.float64), curve.gain, curve.offset_variance
    )
    return intensities


def stabilized_of(values: Any, gain: Any, offset_variance: Any) -> Any:
    """Compute the formula of `anscombe` for arrays or tensors.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        Floating point, any shape.
    gain, offset_variance : float, numpy.ndarray or torch.Tensor
        See `NoiseCurve`; broadcast with `values`.

    Returns
    -------
    numpy.ndarray or torch.Tensor
        The type of `values`.
    """
    root = gain * values + 3 / 8 * gain**2 + offset_variance
    return 2 / gain * root.clip(0.0) ** 0.5


def intensities_of(stabilized: Any, gain: Any, offset_variance: Any) -> Any:
    """Compute the formula of `inverse_anscombe` for arrays or tensors.

    The parameters are those of `stabilized_of`. It is differentiable.
    """
    mean = stabilized.clip(_LOWEST_STABILIZED)
    c = math.sqrt(1.5)
    inverse = 1 / mean
    photons = mean**2 / 4 - 1 / 8
    photons = photons + c / 4 * inverse - 11 / 8 * inverse**2 + 5 / 8 * c * inverse**3
    return gain * photons - offset_variance / gain


def stabilized_sigma(photons: float) -> float:
    """Return the standard deviation of a stabilized photon count.

    Parameters
    ----------
    photons : float
        Its mean, at least 0.

    Returns
    -------
    float
        At most 1: 0.34 at 0.1 photons, 0.68 at 0.5, 0.96 at 2, and 1 from 4 upwards.
    """
    if photons >= _ENOUGH_PHOTONS:
        return 1.0
    counts = np.arange(_MOST_COUNTS)
    # Poisson probabilities; the largest count is improbable.
    factorials = np.cumprod(np.maximum(counts, 1), dtype=np.float64)
    chances = math.exp(-photons) * photons**counts / factorials
    roots = 2.0 * np.sqrt(counts + 3 / 8)
    variance = float(chances @ np.square(roots) - np.square(chances @ roots))
    return math.sqrt(min(max(variance, 0.0), 1.0))
