"""How noisy an image is, and whether a model was trained for that."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..image.intensity import IntensityRange, IntensityRanges
from ..noise.curve import fit_noise_curve
from ..noise.normalization import known_values
from ..noise.setting import GAUSSIAN
from ..noise.wavelet import estimate_noise, estimate_noise_of_windows, median_of_known
from ..noise.windows import noise_planes, noise_windows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from ..models.checkpoint import Checkpoint, TrainingRecord
    from ..noise.setting import NoiseSetting
    from .denoiser import Denoiser

    #: Reads rows and columns of a plane, by its index in the stack.
    WindowReader = Callable[[tuple[int, ...], tuple[slice, slice]], Any]

# A model is said to fit where the image's noise is at most this many times
# less or more than that of the images it was trained on.
_NOISE_TOLERANCE = 1.5


def relative_noise(planes: NDArray[Any], scale: IntensityRange) -> float:
    """Estimate the noise of an image or a stack, relative to its intensity range.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `color_planes`; of a stack the first, the
        middle and the last plane are looked at.
    scale : IntensityRange
        Its intensity range.

    Returns
    -------
    float
        Standard deviation as a fraction of the range, see `estimate_noise`;
        NaN where it cannot be estimated.
    """
    estimates = [
        estimate_noise(plane, channel_axis=-1) for plane in noise_planes(planes)
    ]
    return median_of_known(estimates) / scale.width if scale.width else math.nan


def noise_levels(
    windows: Iterable[list[list[NDArray[Any]]]], ranges: IntensityRanges
) -> tuple[float, ...]:
    """Estimate the noise for each intensity range, relative to its width.

    Parameters
    ----------
    windows : iterable
        What `read_noise_windows` returned, computed.
    ranges : IntensityRanges
        The intensity ranges.

    Returns
    -------
    tuple of float
        For each range the standard deviation as a fraction of it; NaN where
        it cannot be estimated.
    """
    levels = []
    for planes, scale in zip(windows, ranges.ranges, strict=True):
        estimate = median_of_known(estimate_noise_of_windows(plane) for plane in planes)
        levels.append(estimate / scale.width if scale.width else math.nan)
    return tuple(levels)


def find_misfits(
    planes: NDArray[Any], denoiser: Denoiser, scale: IntensityRange | IntensityRanges
) -> list[str]:
    """Say, in words for a user, why a model may not fit an image or a stack.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `color_planes`.
    denoiser : Denoiser
        The model.
    scale : IntensityRange or IntensityRanges
        The image's intensity range, or those of its planes.

    Returns
    -------
    list of str
        Empty where the model fits.
    """
    if isinstance(scale, IntensityRange):
        n_stacked = planes.ndim - 3
        # Which letters they have does not matter where all share a range.
        scale = IntensityRanges("TZ"[:n_stacked], (1,) * n_stacked, (scale,))
    levels: tuple[float, ...] = ()
    if not denoiser.network.takes_noise_level:
        windows = noise_windows_of(planes, scale)
        levels = noise_levels(windows, scale)
    return describe_misfits(planes.shape[-1], denoiser.checkpoint, scale, levels)


def describe_misfits(
    n_colors: int,
    checkpoint: Checkpoint,
    ranges: IntensityRanges,
    levels: Sequence[float],
) -> list[str]:
    """Say, in words for a user, why a model may not fit.

    Parameters
    ----------
    n_colors : int
        Colors of a plane: 1 for gray.
    checkpoint : Checkpoint
        The model.
    ranges : IntensityRanges
        The intensity ranges of a stack.
    levels : sequence of float
        The noise for each of them, from `noise_levels`; not looked at for a
        model that takes a noise level.

    Returns
    -------
    list of str
        Empty where the model fits; else at most one text for each channel.
    """
    found = []
    name, record = checkpoint.name, checkpoint.record
    if n_colors < checkpoint.outline().in_channels:
        found.append(
            f"The model {name!r} is for color images and this one is gray: it is "
            "denoised as a color image of three equal channels, and their mean is "
            "taken."
        )
    # One that is told the noise level suits any.
    if record is None or checkpoint.outline().takes_noise_level:
        return found
    channels: dict[int, list[float]] = {}
    for number, level in enumerate(levels):
        channels.setdefault(ranges.channel_of(number), []).append(level)
    for channel, known in channels.items():
        found += find_noise_misfit(
            median_of_known(known),
            record,
            name,
            channel=channel if len(channels) > 1 else None,
        )
    return found


def find_noise_misfit(
    estimate: float,
    record: TrainingRecord,
    name: str,
    *,
    several: bool = False,
    channel: int | None = None,
) -> list[str]:
    """Compare the noise of images with what the same estimate gave in training.

    Parameters
    ----------
    estimate : float
        See `relative_noise`.
    record : TrainingRecord
        How the model was trained.
    name : str
        The model's name.
    several : bool
        Whether to speak of several images.
    channel : int, optional
        The channel to speak of; None means the image.

    Returns
    -------
    list of str
        One message for a user, or none where the model fits.
    """
    low, typical, high = record.noise_estimate
    if low / _NOISE_TOLERANCE <= estimate <= high * _NOISE_TOLERANCE:
        return []
    if math.isnan(estimate) or math.isnan(typical):
        return []
    looks, its, ones, them = "This image looks", "its", "this one's", "the image"
    if several:
        looks, its, ones, them = "These images look", "their", "theirs", "the images"
    if channel is not None:
        looks, them = f"Channel {channel} of this image looks", "it"
    less, consequence = "less", f"It will probably blur {them}"
    if estimate > high:
        less, consequence = "more", "It will probably leave much of the noise"
    return [
        f"{looks} much {less} noisy (estimated sigma {estimate:.1%} of {its} "
        f"intensity range) than what the model {name!r} was trained on "
        f"({typical:.0%}, {record.config.noise}). {consequence}. Use a model that was "
        f"trained for noise like {ones}."
    ]


# How many times the noise of dark parts that of bright ones is, if it is said to
# grow. Of photographs with Gaussian noise it looks like 1.8 at the most.
_GROWTH = 3.0
# Noise is part of what an image varies by; a sigma that is so many times more was
# meant in another unit.
_TOO_STRONG = 1.5


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
        (..., Y, X, channels), see `color_planes`.
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
    if scaling.noise_level == 0.0:
        return (
            "No noise was found in those parts of {channel}this image that are looked "
            "at, so nothing is removed. If there is some, give its level (sigma), or "
            "denoise a part of the image."
        )
    if setting.sigma is not None:
        values = known_values(windows)
        deviation = float(values.std()) if values.size else 0.0
        if deviation == 0.0 or setting.sigma <= _TOO_STRONG * deviation:
            return None
        return (
            f"A sigma of {setting.sigma:.4g} is more than {{channel}}this image varies "
            f"by (standard deviation {deviation:.4g}), noise included. It has to be in "
            "the units of the image."
        )
    if setting.noise_type == GAUSSIAN and _grows(windows):
        return (
            "The noise of {channel}this image grows with its intensity, as that of "
            "photon counts and cameras does, so one level for all of it does not fit. "
            "Choose Poisson-Gaussian noise (noise_type='poisson-gaussian')."
        )
    return None


def _grows(windows: list[NDArray[Any]]) -> bool:
    try:
        fit = fit_noise_curve(windows)
    except InvalidInputError:
        return False
    darkest, brightest = fit.curve.variance(fit.intensities[[0, -1]])
    return bool(brightest > _GROWTH**2 * darkest)
