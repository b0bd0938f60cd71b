"""Normalize images for networks that take a noise level.

Such a network works at any intensities: its input is centered at 0 and scaled by the
spread of the image, and it gets the noise level on the same scale. Center, spread and
noise level are measured in a few windows of an image or a stack, so that lazy, larger
than memory and tiled images are normalized exactly like arrays in memory.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..image.intensity import IntensityRange, IntensityRanges
from .anscombe import anscombe, inverse_anscombe
from .curve import NoiseCurve, fit_noise_curve
from .estimators import estimate_sigma
from .setting import POISSON_GAUSSIAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .curve import NoiseFit
    from .setting import NoiseSetting

# Percentiles that define the spread of an image.
_LOW, _HIGH = 1.0, 99.0
# The network's input is clipped at this multiple of the spread. Training images never
# reach it, and a hot pixel would spoil the result all around it.
_FARTHEST = 16.0
# Spread of a constant image, as a multiple of a given sigma.
_SPREAD_OF_CONSTANT = 10.0


@dataclass(frozen=True, slots=True)
class NoiseScaling(IntensityRange):
    """Normalization of planes for a network that takes a noise level.

    Parameters
    ----------
    low, high : float
        Intensities that are mapped to 0 and 1: the center of the image's
        intensities, and the center plus their spread. If there is a `curve`, they
        are stabilized intensities.
    sigma : float
        Noise level for the network, in the units of `low`.
    curve : NoiseCurve, optional
        Poisson-Gaussian noise to be stabilized.
    """

    sigma: float = 0.0
    curve: NoiseCurve | None = None

    middle: ClassVar[float] = 0.0
    limits: ClassVar[tuple[float, float]] = (-_FARTHEST, _FARTHEST)

    def __str__(self) -> str:
        if self.curve is None:
            return f"Gaussian noise, sigma {self.sigma:.4g}"
        strength = "" if self.sigma == 1.0 else f", strength {self.sigma:g}"
        return f"Poisson-Gaussian noise, {self.curve}{strength}"

    @property
    def noise_level(self) -> float:
        """Noise level for the network, on the scale of its input."""
        return self.sigma / self.width if self.width > 0 else 0.0

    def normalize(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Map intensities to the network's input."""
        if self.curve is not None:
            values = anscombe(values.astype(np.float64), self.curve)
        return IntensityRange.normalize(self, values)

    def denormalize(self, unit: NDArray[Any]) -> NDArray[np.float64]:
        """Invert `normalize`, without bias for stabilized noise."""
        values = IntensityRange.denormalize(self, unit)
        return values if self.curve is None else inverse_anscombe(values, self.curve)


def measure_scaling(
    windows: Iterable[list[list[NDArray[Any]]]],
    groups: IntensityRanges,
    setting: NoiseSetting,
) -> IntensityRanges:
    """Measure the noise in the windows of a stack.

    Parameters
    ----------
    windows : iterable
        What `read_noise_windows` returns, computed.
    groups : IntensityRanges
        The groups of planes that they are from, see `group_planes`.
    setting : NoiseSetting
        What is known of the noise.

    Returns
    -------
    IntensityRanges
        Of `NoiseScaling`.
    """
    found = tuple(_measure_group(planes, setting) for planes in windows)
    return IntensityRanges(groups.axes, groups.shape, found)


def known_values(windows: list[NDArray[Any]]) -> NDArray[np.float64]:
    """Return the finite values of all windows as one array."""
    values = np.concatenate([window.ravel() for window in windows]).astype(np.float64)
    return values[np.isfinite(values)]


def with_strength(ranges: IntensityRanges, strength: float) -> IntensityRanges:
    """Return noise scalings that were measured at strength 1 at another.

    Parameters
    ----------
    ranges : IntensityRanges
        Of `NoiseScaling`, unless the strength is 1.
    strength : float
        See `NoiseSetting`.
    """
    if strength == 1.0:
        return ranges
    scaled = (
        replace(each, sigma=each.sigma * strength)
        for each in ranges.ranges
        if isinstance(each, NoiseScaling)
    )
    return replace(ranges, ranges=tuple(scaled))


def fit_curves(windows: list[list[list[NDArray[Any]]]]) -> tuple[NoiseFit, ...]:
    """Fit a noise curve to each group of planes, as `measure_scaling` does.

    Parameters
    ----------
    windows : list
        What `read_noise_windows` returns, computed.
    """
    return tuple(fit_noise_curve(list(chain.from_iterable(each))) for each in windows)


def as_plain(ranges: IntensityRanges) -> dict[str, Any]:
    """Return ranges or noise scalings as JSON values; see `from_plain`."""
    return {
        "axes": ranges.axes,
        "shape": list(ranges.shape),
        "ranges": [_plain_numbers(each) for each in ranges.ranges],
    }


def from_plain(content: Mapping[str, Any]) -> IntensityRanges:
    """Invert `as_plain`."""
    ranges = tuple(_from_numbers(*numbers) for numbers in content["ranges"])
    return IntensityRanges(content["axes"], tuple(content["shape"]), ranges)


def _plain_numbers(scale: IntensityRange) -> list[float]:
    numbers = [scale.low, scale.high]
    if isinstance(scale, NoiseScaling):
        numbers.append(scale.sigma)
        numbers += [] if scale.curve is None else astuple(scale.curve)
    return numbers


def _from_numbers(
    low: float, high: float, sigma: float | None = None, *curve: float
) -> IntensityRange:
    if sigma is None:
        return IntensityRange(low, high)
    return NoiseScaling(low, high, sigma, NoiseCurve(*curve) if curve else None)


def _measure_group(
    planes: Sequence[Sequence[NDArray[Any]]], setting: NoiseSetting
) -> NoiseScaling:
    windows = list(chain.from_iterable(planes))
    if all(_is_constant(window) for window in windows):
        return _scaling_of_constant(windows, setting)
    curve, sigma = None, 1.0
    if setting.noise_type == POISSON_GAUSSIAN:
        curve = fit_noise_curve(windows).curve
        windows = [anscombe(window.astype(np.float64), curve) for window in windows]
    elif setting.sigma is not None:
        sigma = float(setting.sigma)
    else:
        sigma = estimate_sigma(planes)
    values = known_values(windows)
    if len(values) == 0 or math.isnan(sigma):
        return NoiseScaling(0.0, 1.0)
    low, high = (float(limit) for limit in np.percentile(values, (_LOW, _HIGH)))
    middle = (low + high) / 2.0
    spread = (high - low) or float(np.ptp(values)) or 1.0
    return NoiseScaling(middle, middle + spread, sigma * setting.strength, curve)


def _scaling_of_constant(
    windows: list[NDArray[Any]], setting: NoiseSetting
) -> NoiseScaling:
    """Return the scaling of an image that is constant in all windows."""
    values = known_values(windows)
    if not setting.sigma or values.size == 0:
        return NoiseScaling(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    middle = (low + high) / 2.0
    spread = max(high - low, _SPREAD_OF_CONSTANT * setting.sigma)
    return NoiseScaling(middle, middle + spread, setting.sigma * setting.strength)


def _is_constant(window: NDArray[Any]) -> bool:
    """Return whether the finite values of a window, if any, are all equal."""
    known = window[np.isfinite(window)]
    return known.size == 0 or bool(known.min() == known.max())
