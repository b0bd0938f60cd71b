"""Find the bounds at which noisy values are clipped, and undo the bias of clipping.

The mean of noisy values that are clipped at a bound is not the clean value: above it
at the lower bound, below it at the upper one. Denoising returns that mean.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.namespace import as_type_of, namespace_of
from .patches import is_clipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .noise_estimate import NoiseEstimate

    #: The lowest and the highest intensity, or None where nothing is clipped.
    Bounds = tuple[float | None, float | None]

# Clipping does not affect clean values this many sigma away from the bound.
_FARTHEST = 5.0
# Steps of the table, each 1/100 sigma.
_N_STEPS = 1000


def find_bounds(windows: Sequence[NDArray[Any]]) -> Bounds:
    """Find the lowest and the highest intensity, if noisy values are clipped there.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Regions of one image, (Y, X, channels), NaN where nothing is known.

    Returns
    -------
    tuple of float or None
        None where the values do not pile up.
    """
    found: list[list[float]] = [[], []]
    n_channels = windows[0].shape[-1] if windows else 0
    for channel in range(n_channels):
        images = [window[..., channel] for window in windows]
        for number, bound in enumerate(is_clipped(images)):
            if bound is not None:
                found[number].append(bound)
    lows, highs = found
    return min(lows, default=None), max(highs, default=None)


def undo_clipping(denoised: Any, noise: NoiseEstimate, strength: float) -> Any:
    """Correct the bias of denoised values near the bounds of clipped noise.

    Parameters
    ----------
    denoised : numpy.ndarray or torch.Tensor
        Denoised intensities in the image's units, floating point, any shape; NaN
        stays NaN.
    noise : NoiseEstimate
        The noise and its bounds.
    strength : float
        Fraction of the noise that was removed; the correction is reduced below 1.

    Returns
    -------
    numpy.ndarray or torch.Tensor
        Same shape. Unchanged far from the bounds, and within them.

    Notes
    -----
    Inverts m(x) = E[clip(x + sigma(x) n)], n ~ N(0, 1), as in [1]_.

    References
    ----------
    .. [1] Foi, Clipped noisy images: heteroskedastic modeling and practical
       denoising, 2009, :doi:`10.1016/j.sigpro.2009.04.035`.
    """
    low, high = noise.bounds
    corrected = denoised
    if low is not None:
        corrected = _undo_at(corrected, low, noise, strength, above=True)
    if high is not None:
        corrected = _undo_at(corrected, high, noise, strength, above=False)
    return corrected


def _undo_at(
    values: Any, bound: float, noise: NoiseEstimate, strength: float, *, above: bool
) -> Any:
    sign = 1.0 if above else -1.0
    sigma_at = _level_over_intensity(noise)
    # The level may grow away from the bound.
    reach = _FARTHEST * float(sigma_at(np.array([bound]))[0])
    reach = _FARTHEST * float(sigma_at(np.array([bound + sign * reach]))[0])
    if not reach > 0.0:
        return values
    distances = np.linspace(0.0, reach, _N_STEPS + 1)
    sigmas = sigma_at(bound + sign * distances)
    means = _mean_of_clipped(distances, sigmas)
    from_bound = sign * (values - bound)
    # Not a plain comparison, because of NaN.
    if from_bound.min() >= means[-1]:
        return values
    near = from_bound < means[-1]
    x = from_bound[near]
    wanted = _interpolate(x, as_type_of(x, means), as_type_of(x, distances))
    corrected = values + 0.0
    corrected[near] += sign * min(strength, 1.0) * (wanted - x)
    return corrected


def _interpolate(x: Any, xs: Any, ys: Any) -> Any:
    """Interpolate in an ascending table; beyond its ends, ``ys`` is constant."""
    x = x.clip(xs[0], xs[-1])
    after = namespace_of(x).searchsorted(xs, x).clip(1, len(xs) - 1)
    before = after - 1
    slope = (ys[after] - ys[before]) / (xs[after] - xs[before])
    return ys[before] + slope * (x - xs[before])


def _mean_of_clipped(
    distances: NDArray[np.float64], sigmas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return E[max(x + sigma n, 0)] for clean distances x from the bound."""
    from scipy.special import ndtr

    ratios = distances / np.maximum(sigmas, np.finfo(float).tiny)
    density = np.exp(-np.square(ratios) / 2.0) / math.sqrt(2.0 * math.pi)
    means: NDArray[np.float64] = distances * ndtr(ratios) + sigmas * density
    # Strictly ascending, even where noise grows faster than the intensity.
    return np.maximum.accumulate(means)


def _level_over_intensity(
    noise: NoiseEstimate,
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    curve = noise.curve
    if curve is None:
        return lambda intensities: np.full_like(intensities, noise.sigma)
    return lambda intensities: np.sqrt(curve.variance(intensities))
