"""Measure how networks that take a noise level see an image or a stack."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.intensity import IntensityRanges
from ..image.intensity_rule import IntensityRule
from .anscombe import stabilized_sigma
from .clipping import find_bounds
from .measure import clean_windows, measure_clean, measure_points
from .noise_estimate import NoiseEstimate
from .normalization import NoiseScaling
from .white import stabilize
from .windows import HIGH, LOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from .measure import NoisePoints
    from .setting import NoiseSetting

_LOGGER = logging.getLogger(__name__)

# Spread of a constant image, as a multiple of a given sigma.
_SPREAD_OF_CONSTANT = 10.0
# Stabilized noise of few photons is weaker in dark regions. Its level is that at this
# percentile of the means of blocks of this side.
_BRIGHT, _BLOCK = 90.0, 8


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

    Raises
    ------
    InvalidInputError
        If the setting has noise for another number of channels, or Poisson-Gaussian
        noise cannot be measured.
    """
    found = tuple(
        _scaling_of(planes, groups.channel_of(number), setting)
        for number, planes in enumerate(windows)
    )
    measured = IntensityRanges(groups.axes, groups.shape, found)
    _require_channels(setting, measured)
    _LOGGER.info("Noise: %s.", measured)
    return with_setting(measured, setting)


def measure_ranges(
    windows: Iterable[list[list[NDArray[Any]]]],
    groups: IntensityRanges,
    how: NoiseSetting | IntensityRule,
) -> IntensityRanges:
    """Return how a model sees a stack, measured in its windows.

    Parameters
    ----------
    windows, groups
        See `measure_scaling`.
    how : NoiseSetting or IntensityRule
        What is known of the noise, for a model that takes a noise level; else the
        rule by which the model normalizes intensities.
    """
    if isinstance(how, IntensityRule):
        return how.measure(windows, groups)
    return measure_scaling(windows, groups, how)


def known_values(windows: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Return the finite values of all windows as one array."""
    values = np.concatenate([window.ravel() for window in windows]).astype(np.float64)
    return values[np.isfinite(values)]


def with_setting(ranges: IntensityRanges, setting: NoiseSetting) -> IntensityRanges:
    """Return noise scalings with what is set and does not depend on the image.

    Parameters
    ----------
    ranges : IntensityRanges
        Other ranges than `NoiseScaling` are returned unchanged.
    setting : NoiseSetting
        Strength, and whether hot pixels are replaced.
    """
    changed = tuple(
        replace(
            each,
            strength=setting.strength,
            replaces_hot_pixels=setting.replace_hot_pixels,
        )
        if isinstance(each, NoiseScaling)
        else each
        for each in ranges.ranges
    )
    return replace(ranges, ranges=changed)


def points_of_groups(
    windows: list[list[list[NDArray[Any]]]], scaling: IntensityRanges
) -> tuple[NoisePoints, ...]:
    """Return the variance over the intensity for each group of planes, to be drawn.

    Parameters
    ----------
    windows : list
        What `read_noise_windows` returns, computed.
    scaling : IntensityRanges
        What `measure_scaling` returns for them.
    """
    found = (
        measure_points(planes, each.noise)
        for planes, each in zip(windows, scaling.ranges, strict=True)
        if isinstance(each, NoiseScaling)
    )
    return tuple(points for points in found if points is not None)


def _require_channels(setting: NoiseSetting, measured: IntensityRanges) -> None:
    given = setting.noise_type
    channels = {measured.channel_of(number) for number in range(len(measured.ranges))}
    if isinstance(given, tuple) and len(given) != len(channels):
        raise InvalidInputError(
            f"noise_type has {len(given)} estimates, but the image has "
            f"{len(channels)} channels (axis C). Pass one for all channels or one for "
            "each."
        )


def _scaling_of(
    planes: Sequence[Sequence[NDArray[Any]]], channel: int, setting: NoiseSetting
) -> NoiseScaling:
    """Return the noise, the center and the spread of a group of planes."""
    known, no_data = clean_windows(planes)
    windows = list(chain.from_iterable(known))
    noise = _given_noise(channel, setting)
    if noise is None:
        noise = measure_clean(known, no_data, setting)
    elif setting.sigma is not None:
        noise = replace(noise, bounds=find_bounds(windows), no_data=no_data)
    values = known_values(stabilize(windows, noise))
    if not values.size:
        return NoiseScaling(0.0, 1.0)
    low, high = (float(limit) for limit in np.percentile(values, (LOW, HIGH)))
    middle = (low + high) / 2.0
    spread = (high - low) or float(np.ptp(values))
    if not spread:
        return _scaling_of_constant(middle, noise)
    stabilized = _stabilized_sigma(windows, noise)
    return NoiseScaling(middle, middle + spread, noise, stabilized)


def _stabilized_sigma(
    windows: Sequence[NDArray[np.float64]], noise: NoiseEstimate
) -> float:
    """Return the level of stabilized noise in the bright regions of an image."""
    if noise.curve is None:
        return 1.0
    means = known_values([_block_means(window) for window in windows])
    if not means.size:
        return 1.0
    bright = float(np.percentile(means, _BRIGHT))
    # Read noise is counted as photons: it makes the distribution continuous, too.
    variance = float(noise.curve.variance(np.array([bright]))[0])
    return stabilized_sigma(variance / noise.gain**2)


def _block_means(window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of blocks of 8 x 8 pixels; NaN where a pixel is unknown."""
    height, width, channels = window.shape
    rows, columns = height // _BLOCK, width // _BLOCK
    whole = window[: rows * _BLOCK, : columns * _BLOCK]
    blocks = whole.reshape(rows, _BLOCK, columns, _BLOCK, channels)
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3))
    return means


def _given_noise(channel: int, setting: NoiseSetting) -> NoiseEstimate | None:
    """Return the noise of a channel, if it is given."""
    given = setting.noise_type
    if isinstance(given, NoiseEstimate):
        return given
    if isinstance(given, tuple):
        return given[channel % len(given)]
    if setting.sigma is None:
        return None
    correlation = setting.correlation or (0.0, 0.0)
    return NoiseEstimate(sigma=setting.sigma, correlation=correlation)


def _scaling_of_constant(value: float, noise: NoiseEstimate) -> NoiseScaling:
    """Return the scaling of an image that is constant in all windows."""
    if noise.curve is not None or noise.sigma == 0.0:
        return NoiseScaling(0.0, 1.0, NoiseEstimate())
    return NoiseScaling(value, value + _SPREAD_OF_CONSTANT * noise.sigma, noise)
