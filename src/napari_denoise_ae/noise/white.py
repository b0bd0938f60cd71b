"""Measure noise whose neighboring pixels are independent."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .anscombe import anscombe
from .curve import LEAST_GROWTH, fit_noise_curve
from .estimators import estimate_sigma
from .noise_estimate import GAUSSIAN, POISSON_GAUSSIAN, NoiseEstimate
from .setting import AUTO, NoiseSetting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .curve import NoiseFit


def measure_white(planes: list[Any], setting: NoiseSetting) -> NoiseEstimate:
    """Measure noise whose neighboring pixels are independent."""
    fit = _fit(list(chain.from_iterable(planes)), setting)
    if fit is not None:
        return NoiseEstimate(
            kind=POISSON_GAUSSIAN,
            gain=fit.curve.gain,
            offset_variance=fit.curve.offset_variance,
        )
    sigma = estimate_sigma(planes)
    return NoiseEstimate(sigma=0.0 if math.isnan(sigma) else sigma)


def _fit(windows: list[NDArray[np.float64]], setting: NoiseSetting) -> NoiseFit | None:
    """Fit a line if the noise grows, or is said to grow, with the intensity."""
    if setting.noise_type == GAUSSIAN:
        return None
    if setting.noise_type != AUTO:
        return fit_noise_curve(windows)
    try:
        fit = fit_noise_curve(windows)
    except InvalidInputError:
        return None
    return fit if fit.growth >= LEAST_GROWTH else None


def stabilize(
    windows: Sequence[NDArray[Any]], noise: NoiseEstimate
) -> list[NDArray[np.float64]]:
    """Return windows on the scale on which the noise has one level."""
    if noise.curve is None:
        return [np.asarray(window, dtype=np.float64) for window in windows]
    return [anscombe(window, noise.curve) for window in windows]
