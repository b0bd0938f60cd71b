"""Normalize images for networks that take a noise level.

Such a network works at any intensities: its input is centered at 0 and scaled by the
spread of the image, and it gets the noise level on the same scale. Center, spread and
noise are measured in a few windows of an image or a stack, so that lazy, larger than
memory and tiled images are normalized exactly like arrays in memory.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import InvalidInputError
from ..image.checks import number_of
from ..image.intensity import IntensityRange, IntensityRanges, OpenRange
from ..image.intensity_rule import IntensityRule
from ..image.namespace import any_of, as_floating, find_nan
from .anscombe import intensities_of, stabilized_of, stabilized_sigma
from .clipping import find_bounds, undo_clipping
from .measure import HIGH, LOW, clean_windows, measure_clean, measure_points, stabilize
from .noise_estimate import NoiseEstimate, as_plain_estimate, from_plain_estimate
from .outliers import fill_unknown, find_hot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .curve import NoiseCurve
    from .measure import NoisePoints
    from .setting import NoiseSetting

_LOGGER = logging.getLogger(__name__)

# The network's input is clipped at this multiple of the spread. Training images never
# reach it, and an object far brighter than the rest would spoil all around it.
_FARTHEST = 16.0
# The spread of an image contains its noise. If a user says that the noise is stronger,
# this is what the network is told: it has seen no more.
_HIGHEST_LEVEL = 1.0
# Spread of a constant image, as a multiple of a given sigma.
_SPREAD_OF_CONSTANT = 10.0
# Stabilized noise of few photons is weaker in dark regions. Its level is that at this
# percentile of the means of blocks of this side.
_BRIGHT, _BLOCK = 90.0, 8


@dataclass(frozen=True, slots=True)
class NoiseScaling(IntensityRange):
    """Normalization of planes for a network that takes a noise level.

    Parameters
    ----------
    low, high : float
        Intensities that are mapped to 0 and 1: the center of the image's
        intensities, and the center plus their spread. If the noise grows with the
        intensity, they are stabilized intensities.
    noise : NoiseEstimate
        The noise.
    stabilized : float
        Standard deviation of stabilized noise where the image is bright: 1, or less
        for few photons.
    strength : float
        Noise level multiplier.
    replaces_hot_pixels : bool
        Whether hot and dead pixels are replaced by the network's output.
    """

    noise: NoiseEstimate = field(default_factory=NoiseEstimate)
    stabilized: float = 1.0
    strength: float = 1.0
    replaces_hot_pixels: bool = False

    middle: ClassVar[float] = 0.0
    limits: ClassVar[tuple[float, float]] = (-_FARTHEST, _FARTHEST)

    def __str__(self) -> str:
        strength = "" if self.strength == 1.0 else f"; strength {self.strength:g}"
        return f"{self.noise}{strength}"

    @property
    def curve(self) -> NoiseCurve | None:
        """Poisson-Gaussian noise to be stabilized."""
        return self.noise.curve

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise, in the units of `low`."""
        return self.noise.sigma if self.curve is None else self.stabilized

    @property
    def noise_level(self) -> float:
        """Noise level for the network, on the scale of its input."""
        return self.strength * self._relative_sigma if self.width > 0 else 0.0

    @property
    def _relative_sigma(self) -> float:
        """The noise level in spreads of the image, which contain the noise."""
        return min(self.sigma / self.width, _HIGHEST_LEVEL)

    @property
    def keeps_hot_pixels(self) -> bool:
        """Whether hot and dead pixels are returned unchanged."""
        return not self.replaces_hot_pixels

    @property
    def noise_inputs(self) -> tuple[float, ...]:
        """Noise level, and its products with the correlations along X and Y."""
        level, (x, y) = self.noise_level, self.noise.correlation
        return level, level * x, level * y

    def normalize(self, values: Any) -> Any:
        """Map intensities to the network's input."""
        if (curve := self.curve) is not None:
            values = stabilized_of(
                as_floating(values), curve.gain, curve.offset_variance
            )
        return IntensityRange.normalize(self, values)

    def denormalize(self, unit: Any) -> Any:
        """Invert `normalize` for a denoised image.

        Unlike the plain inverse, it has no bias for stabilized and clipped noise.
        """
        values = IntensityRange.denormalize(self, unit)
        if (curve := self.curve) is not None:
            values = intensities_of(values, curve.gain, curve.offset_variance)
        return undo_clipping(values, self.noise, self.strength)

    def find_unknown(self, values: Any) -> Any | None:
        """Return which pixels, (Y, X, channels), hold no data or NaN; None if none."""
        unknown = find_nan(values)
        if self.noise.no_data is None:
            return unknown
        missing = values == self.noise.no_data
        if not any_of(missing):
            return unknown
        return missing if unknown is None else missing | unknown

    def find_hot(self, unit: Any) -> Any | None:
        """Return the hot and dead pixels of a normalized image, (Y, X, channels)."""
        return find_hot(unit, self._relative_sigma)

    def fill(self, unit: Any, unknown: Any) -> Any:
        """Replace unknown pixels by their surroundings, for the network."""
        return fill_unknown(unit, unknown, self.middle)


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


def as_plain(ranges: IntensityRanges) -> dict[str, Any]:
    """Return ranges or noise scalings as JSON values; see `from_plain`."""
    return {
        "axes": ranges.axes,
        "shape": list(ranges.shape),
        "ranges": [_plain(each) for each in ranges.ranges],
    }


def from_plain(content: Mapping[str, Any]) -> IntensityRanges:
    """Invert `as_plain`.

    Raises
    ------
    LookupError, TypeError, ValueError
        If the values are not what `as_plain` returns.
    """
    ranges = tuple(_from_plain(each) for each in content["ranges"])
    axes, shape = str(content["axes"]), tuple(content["shape"])
    if len(shape) != len(axes) or math.prod(shape) != len(ranges) or not ranges:
        raise ValueError("the number of ranges does not fit their shape")
    found = IntensityRanges(axes, shape, ranges)
    hash(found)  # raises for lists and objects in the place of a value
    return found


def _plain(scale: IntensityRange) -> dict[str, Any]:
    plain: dict[str, Any] = {"low": scale.low, "high": scale.high}
    if isinstance(scale, NoiseScaling):
        plain["noise"] = as_plain_estimate(scale.noise)
        plain["stabilized"] = scale.stabilized
        plain["strength"] = scale.strength
        plain["replaces_hot_pixels"] = scale.replaces_hot_pixels
    if isinstance(scale, OpenRange):
        plain["is_open"] = True
    return plain


def _from_plain(content: Mapping[str, Any]) -> IntensityRange:
    numbers = {"low", "high", "stabilized", "strength"} & set(content)
    if not all(math.isfinite(number_of(content[name])) for name in numbers):
        raise ValueError("a range is not made of finite numbers")
    if "is_open" in content:
        return OpenRange(content["low"], content["high"])
    if "noise" not in content:
        return IntensityRange(**content)
    return NoiseScaling(**{**content, "noise": from_plain_estimate(content["noise"])})


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
