"""What a network that is told the noise level needs to know of an image.

Such a network suits any intensities: it sees them around 0, in a unit of its
own, together with the noise level in that unit. Both come from a few windows
of an image or a stack, so that what is lazy, larger than memory or cut into
tiles is seen as if it were one array.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from itertools import chain
from numbers import Real
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..denoising.compatibility import find_misfits, noise_windows_of
from ..errors import InvalidInputError
from ..evaluation.metrics import median_of_known
from ..image.intensity import (
    IntensityRange,
    IntensityRanges,
    resolve_intensity_ranges,
    stack_grouping,
)
from .curve import NoiseCurve, fit_noise_curve, stabilize, unstabilize
from .sigma import estimate_sigma_of_windows
from .synthetic import Gaussian

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..image.intensity import GivenRange
    from ..models.checkpoint import Checkpoint
    from .curve import NoiseFit
    from .synthetic import NoiseModel

#: The kinds of noise that can be told apart when an image is denoised.
GAUSSIAN, POISSON_GAUSSIAN = "gaussian", "poisson-gaussian"
NOISES = (GAUSSIAN, POISSON_GAUSSIAN)
# How many times the noise of dark parts that of bright ones is, if it is said to
# grow. Of photographs with Gaussian noise it looks like 1.8 at the most.
_GROWTH = 3.0
# Percentiles between which most of an image lies.
_LOW, _HIGH = 1.0, 99.0
# How many times that spread a network sees of an intensity. Nothing it was trained
# on goes so far, and a hot pixel would spoil all that the network sees with it.
_FARTHEST = 16.0
# How many times a given sigma the spread is of an image that seems constant.
_SPREAD_OF_CONSTANT = 10.0
# Noise is part of what an image varies by; a sigma that is so many times more was
# meant in another unit.
_TOO_STRONG = 1.5


@dataclass(frozen=True, slots=True)
class NoiseSetting:
    """What a user says of the noise to be removed.

    Parameters
    ----------
    sigma : float, optional
        Standard deviation in the image's units; None means that it is
        estimated from the image.
    noise : str
        ``"gaussian"``: the same everywhere. ``"poisson-gaussian"``: shot and
        read noise, both estimated from the image.
    strength : float
        How many times the noise level the network is told; 0 removes nothing.

    Raises
    ------
    InvalidInputError
        If a value is out of its range, or sigma is given for Poisson-Gaussian
        noise.
    """

    sigma: float | None = None
    noise: str = GAUSSIAN
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.noise not in NOISES:
            raise InvalidInputError(
                f"noise must be one of {', '.join(NOISES)}, got {self.noise!r}."
            )
        if self.sigma is not None and not _is_level(self.sigma):
            raise InvalidInputError(
                "sigma must be a finite number of at least 0, in the image's units, "
                f"got {self.sigma!r}."
            )
        if self.sigma is not None and self.noise != GAUSSIAN:
            raise InvalidInputError(
                f"sigma is the level of Gaussian noise; that of {self.noise} noise "
                "depends on the intensity and is estimated. Omit sigma."
            )
        if not _is_level(self.strength) or self.strength > _STRONGEST:
            raise InvalidInputError(
                f"strength must be a number from 0 to {_STRONGEST:g}, got "
                f"{self.strength!r}."
            )
        # NumPy's numbers cannot be stored with a result.
        object.__setattr__(self, "strength", float(self.strength))
        if self.sigma is not None:
            object.__setattr__(self, "sigma", float(self.sigma))

    @property
    def at_full_strength(self) -> NoiseSetting:
        """The same noise, all of it to be removed: what has to be measured."""
        return replace(self, strength=1.0)

    def require_usable(self, checkpoint: Checkpoint) -> None:
        """Raise if something was said to a model that does not listen.

        Raises
        ------
        InvalidInputError
            If the model takes no noise level, and one was given.
        """
        if self != NoiseSetting() and not checkpoint.outline().takes_noise_level:
            raise InvalidInputError(
                f"The model {checkpoint.name!r} takes no noise level: it removes the "
                "noise that it was trained for. Omit sigma, noise and strength, or use "
                "a model that takes them, such as the built-in gray and rgb."
            )


_STRONGEST = 10.0


@dataclass(frozen=True, slots=True)
class NoiseScaling(IntensityRange):
    """How a network that is told the noise level sees the planes of a stack.

    Parameters
    ----------
    low, high : float
        The intensities that become 0 and 1: the middle of the image, and as
        much above it as most of the image spreads. Stabilized ones, if there
        is a curve.
    sigma : float
        The noise level that the network is told, in the unit of `low`.
    curve : NoiseCurve, optional
        Poisson-Gaussian noise, which is stabilized.
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
    def level(self) -> float:
        """The noise level that the network is told, in its own unit."""
        return self.sigma / self.width if self.width > 0 else 0.0

    def to_unit(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Map intensities to what the network sees."""
        if self.curve is not None:
            values = stabilize(values.astype(np.float64), self.curve)
        return IntensityRange.to_unit(self, values)

    def from_unit(self, unit: NDArray[Any]) -> NDArray[np.float64]:
        """Invert `to_unit`; without bias where noise was stabilized."""
        values = IntensityRange.from_unit(self, unit)
        return values if self.curve is None else unstabilize(values, self.curve)


def setting_of(noise: NoiseModel) -> NoiseSetting:
    """Return what is known of noise that is added to [0, 1]; its level, if it has one.

    Parameters
    ----------
    noise : NoiseModel
        The noise. Only that of Gaussian noise which is neither clipped nor
        drawn anew for each image is known.
    """
    if not isinstance(noise, Gaussian) or noise.clipped:
        return NoiseSetting()
    return NoiseSetting(sigma=None if isinstance(noise.sigma, tuple) else noise.sigma)


def resolve_scaling(
    planes: NDArray[Any],
    axes: str,
    checkpoint: Checkpoint,
    given: GivenRange | None = None,
    *,
    range_of: str = "stack",
    setting: NoiseSetting | None = None,
) -> IntensityRanges:
    """Return how a model sees a stack: its intensity ranges, or noise scalings.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `colour_planes`.
    axes : str
        The axes of the array that they come from.
    checkpoint : Checkpoint
        The model.
    given, range_of
        See `resolve_intensity_ranges`. An intensity range is without effect on
        a model that takes a noise level, unless it is a noise scaling.
    setting : NoiseSetting, optional
        What is known of the noise.

    Returns
    -------
    IntensityRanges
        Of `NoiseScaling` for a model that takes a noise level.

    Raises
    ------
    InvalidInputError
        If a setting cannot be used.
    """
    setting = setting or NoiseSetting()
    setting.require_usable(checkpoint)
    if not checkpoint.outline().takes_noise_level or _is_scaling(given):
        return resolve_intensity_ranges(planes, axes, given, range_of=range_of)
    groups = group_planes(planes, axes, range_of)
    windows = noise_windows_of(planes, groups)
    return measure_scaling(windows, groups, setting)


def group_planes(planes: Any, axes: str, range_of: str) -> IntensityRanges:
    """Return which planes of a stack share a scaling, with empty ranges.

    The arguments are those of `resolve_scaling`.
    """
    leading, shape = stack_grouping(planes, axes, range_of)
    empty = IntensityRange(0.0, 0.0)
    return IntensityRanges(leading, shape, (empty,) * math.prod(shape))


def measure_scaling(
    windows: Iterable[list[list[NDArray[Any]]]],
    groups: IntensityRanges,
    setting: NoiseSetting,
) -> IntensityRanges:
    """Measure the noise in the windows of a stack.

    Parameters
    ----------
    windows : iterable
        What `noise_windows_of` returned, computed, or `read_noise_windows`.
    groups : IntensityRanges
        What `group_planes` returned.
    setting : NoiseSetting
        What is known of the noise.

    Returns
    -------
    IntensityRanges
        Of `NoiseScaling`.
    """
    found = tuple(_measure_group(planes, setting) for planes in windows)
    return IntensityRanges(groups.axes, groups.shape, found)


def find_noise_misfits(
    windows: Iterable[list[list[NDArray[Any]]]],
    scalings: IntensityRanges,
    setting: NoiseSetting,
) -> list[str]:
    """Say, in words for a user, where what is known of the noise does not fit.

    Parameters
    ----------
    windows : iterable
        What `noise_windows_of` returned, computed, or `read_noise_windows`.
    scalings : IntensityRanges
        What `measure_scaling` made of them.
    setting : NoiseSetting
        What a user said of the noise.

    Returns
    -------
    list of str
        One text for each channel in which no noise was found, whose noise
        grows with the intensity, or that varies by less than the sigma given.
    """
    found: dict[int, str] = {}
    for number, planes in enumerate(windows):
        message = _misfit_of_group(planes, scalings.ranges[number], setting)
        if message is not None:
            found.setdefault(scalings.channel_of(number), message)
    several = "C" in scalings.axes
    return [
        message.format(channel=f"channel {channel} of " * several)
        for channel, message in sorted(found.items())
    ]


def find_all_misfits(
    planes: NDArray[Any],
    denoiser: Denoiser,
    ranges: IntensityRanges,
    setting: NoiseSetting,
) -> list[str]:
    """Say, in words for a user, why a model or a setting may not fit a stack.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `colour_planes`.
    denoiser : Denoiser
        The model.
    ranges : IntensityRanges
        How it sees the stack, from `resolve_scaling`.
    setting : NoiseSetting
        What a user said of the noise.

    Returns
    -------
    list of str
        Empty where all fits.
    """
    found = find_misfits(planes, denoiser, ranges)
    if denoiser.network.takes_noise_level:
        windows = noise_windows_of(planes, ranges)
        found += find_noise_misfits(windows, ranges, setting)
    return found


def _misfit_of_group(
    planes: Sequence[Sequence[NDArray[Any]]],
    scaling: IntensityRange,
    setting: NoiseSetting,
) -> str | None:
    windows = list(chain.from_iterable(planes))
    if setting.strength == 0.0 or setting.sigma == 0.0:
        return None
    if scaling.level == 0.0:
        return (
            "No noise was found in those parts of {channel}this image that are looked "
            "at, so nothing is removed. If there is some, give its level (sigma), or "
            "denoise a part of the image."
        )
    if setting.sigma is not None:
        values = _known_values(windows)
        deviation = float(values.std()) if values.size else 0.0
        if deviation == 0.0 or setting.sigma <= _TOO_STRONG * deviation:
            return None
        return (
            f"A sigma of {setting.sigma:.4g} is more than {{channel}}this image varies "
            f"by (standard deviation {deviation:.4g}), noise included. It has to be in "
            "the units of the image."
        )
    if setting.noise == GAUSSIAN and _grows(windows):
        return (
            "The noise of {channel}this image grows with its intensity, as that of "
            "photon counts and cameras does, so one level for all of it does not fit. "
            "Choose Poisson-Gaussian noise (noise='poisson-gaussian')."
        )
    return None


def _known_values(windows: list[NDArray[Any]]) -> NDArray[np.float64]:
    values = np.concatenate([window.ravel() for window in windows]).astype(np.float64)
    return values[np.isfinite(values)]


def _grows(windows: list[NDArray[Any]]) -> bool:
    try:
        fit = fit_noise_curve(windows)
    except InvalidInputError:
        return False
    darkest, brightest = fit.curve.variance(fit.intensities[[0, -1]])
    return bool(brightest > _GROWTH**2 * darkest)


def with_strength(ranges: IntensityRanges, strength: float) -> IntensityRanges:
    """Return noise scalings that were measured at strength 1 at another.

    Parameters
    ----------
    ranges : IntensityRanges
        Of `NoiseScaling`; what measuring takes is done.
    strength : float
        See `NoiseSetting`.
    """
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
        What `noise_windows_of` returned, computed.
    """
    return tuple(fit_noise_curve(list(chain.from_iterable(each))) for each in windows)


def as_plain(ranges: IntensityRanges) -> dict[str, Any]:
    """Return ranges or noise scalings as what JSON can hold; see `from_plain`."""
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
    if setting.noise == POISSON_GAUSSIAN:
        curve = fit_noise_curve(windows).curve
        windows = [stabilize(window.astype(np.float64), curve) for window in windows]
    elif setting.sigma is not None:
        sigma = float(setting.sigma)
    else:
        sigma = median_of_known(estimate_sigma_of_windows(plane) for plane in planes)
    values = _known_values(windows)
    if len(values) == 0 or math.isnan(sigma):
        return NoiseScaling(0.0, 1.0)
    low, high = (float(limit) for limit in np.percentile(values, (_LOW, _HIGH)))
    middle = (low + high) / 2.0
    spread = (high - low) or float(np.ptp(values)) or 1.0
    return NoiseScaling(middle, middle + spread, sigma * setting.strength, curve)


def _scaling_of_constant(
    windows: list[NDArray[Any]], setting: NoiseSetting
) -> NoiseScaling:
    """Return the scaling of an image that is constant where it was looked at."""
    values = _known_values(windows)
    if not setting.sigma or values.size == 0:
        return NoiseScaling(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    middle = (low + high) / 2.0
    spread = max(high - low, _SPREAD_OF_CONSTANT * setting.sigma)
    return NoiseScaling(middle, middle + spread, setting.sigma * setting.strength)


def _is_constant(window: NDArray[Any]) -> bool:
    """Tell whether a window has no noise: one value everywhere, or none at all."""
    known = window[np.isfinite(window)]
    return known.size == 0 or bool(known.min() == known.max())


def _is_scaling(given: GivenRange | None) -> bool:
    if isinstance(given, IntensityRanges):
        return isinstance(given.ranges[0], NoiseScaling)
    return isinstance(given, NoiseScaling)


def _is_level(value: Any) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= 0
