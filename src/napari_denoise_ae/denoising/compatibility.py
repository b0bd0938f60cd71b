"""How noisy an image is, and whether a model was trained for that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.metrics import (
    estimate_noise,
    estimate_noise_of_windows,
    median_of_known,
    noise_windows,
)
from ..image.intensity import IntensityRange, IntensityRanges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from ..models.checkpoint import Checkpoint, TrainingRecord
    from .denoiser import Denoiser

    #: Reads rows and columns of a plane, by its index in the stack.
    WindowReader = Callable[[tuple[int, ...], tuple[slice, slice]], Any]

# A model is said to fit where the image's noise is at most this many times
# less or more than that of the images it was trained on.
_NOISE_TOLERANCE = 1.5
# Planes on which the noise of a stack is measured: first, middle and last.
_N_NOISE_PLANES = 3


def noise_planes(planes: NDArray[Any]) -> NDArray[Any]:
    """Return the planes of a stack on which its noise is measured.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `colour_planes`.

    Returns
    -------
    numpy.ndarray
        At most three of them, (N, Y, X, channels).
    """
    indices = list(np.ndindex(planes.shape[:-3]))
    return np.stack([planes[index] for index in _few(indices)])


def relative_noise(planes: NDArray[Any], scale: IntensityRange) -> float:
    """Estimate the noise of an image or a stack, relative to its intensity range.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `colour_planes`; of a stack the first, the
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


def read_noise_windows(
    shape: Sequence[int], ranges: IntensityRanges, read: WindowReader
) -> Iterator[list[list[Any]]]:
    """Read the few windows of a stack in which its noise is estimated.

    They lie at the same places of the first, the middle and the last plane,
    of each channel or of whatever has an intensity range of its own. They are
    read when they are asked for, since each plane of a long stack may have one.

    Parameters
    ----------
    shape : sequence of int
        (..., Y, X) of the stack.
    ranges : IntensityRanges
        Its intensity ranges.
    read : callable
        Takes the index of a plane and the rows and columns to read, and
        returns (Y, X, channels), computed or not.

    Yields
    ------
    list
        For each range: for each plane, its windows.
    """
    *stack, height, width = shape
    members: list[list[tuple[int, ...]]] = [[] for _ in ranges.ranges]
    for plane in np.ndindex(*stack):
        members[ranges.number_of(plane)].append(plane)
    places = noise_windows((height, width))
    for planes in members:
        yield [[read(plane, place) for place in places] for plane in _few(planes)]


def noise_windows_of(planes: Any, ranges: IntensityRanges) -> list[list[list[Any]]]:
    """Return those windows of an array, in memory or lazy; see `read_noise_windows`.

    Parameters
    ----------
    planes : array
        (..., Y, X, channels), see `colour_planes`.
    ranges : IntensityRanges
        Its intensity ranges.
    """
    return list(
        read_noise_windows(
            planes.shape[:-1], ranges, lambda plane, part: planes[(*plane, *part)]
        )
    )


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
        (..., Y, X, channels), see `colour_planes`.
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
    n_colours: int,
    checkpoint: Checkpoint,
    ranges: IntensityRanges,
    levels: Sequence[float],
) -> list[str]:
    """Say, in words for a user, why a model may not fit.

    Parameters
    ----------
    n_colours : int
        Colours of a plane: 1 for grey.
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
    if n_colours < checkpoint.outline().in_channels:
        found.append(
            f"The model {name!r} is for colour images and this one is grey: it is "
            "denoised as a colour image of three equal channels, and their mean is "
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


def _few(planes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the first, the middle and the last of some planes."""
    chosen = np.linspace(0, len(planes) - 1, _N_NOISE_PLANES).astype(int)
    return [planes[index] for index in np.unique(chosen)]


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
