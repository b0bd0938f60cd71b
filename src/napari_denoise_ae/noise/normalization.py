"""Normalize images for networks that take a noise level.

Such a network works at any intensities: its input is centered at 0 and scaled by the
spread of the image, and it gets the noise level on the same scale. Center, spread and
noise are measured in a few windows of an image or a stack, so that lazy, larger than
memory and tiled images are normalized exactly like arrays in memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ..image.checks import number_of
from ..image.intensity import IntensityRange, IntensityRanges, OpenRange
from ..image.namespace import any_of, as_floating, find_nan
from .anscombe import intensities_of, stabilized_of
from .clipping import undo_clipping
from .noise_estimate import NoiseEstimate, as_plain_estimate, from_plain_estimate
from .outliers import fill_unknown, find_hot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .curve import NoiseCurve

# The network's input is clipped at this multiple of the spread. Training images never
# reach it, and an object far brighter than the rest would spoil all around it.
_FARTHEST = 16.0
# The spread of an image contains its noise. If a user says that the noise is stronger,
# this is what the network is told: it has seen no more.
_HIGHEST_LEVEL = 1.0


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
