"""How a model sees the intensities of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ..image.ranges import known_ranges, resolve_intensity_ranges
from ..noise.normalization import group_planes, measure_scaling
from ..noise.windows import read_noise_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..image.intensity import IntensityRanges
    from ..models.checkpoint import Checkpoint
    from ..noise.setting import NoiseSetting
    from .options import DenoiseOptions

Measured = TypeVar("Measured")


def find_model_ranges(
    planes: Any, axes: str, checkpoint: Checkpoint, options: DenoiseOptions
) -> IntensityRanges:
    """Return how a model sees a stack in memory.

    Parameters
    ----------
    planes : numpy.ndarray
        (..., Y, X, channels), see `color_planes`.
    axes : str
        The axes of the array that they come from.
    checkpoint : Checkpoint
        The model.
    options : DenoiseOptions
        An intensity range has no effect on a model that takes a noise level.

    Returns
    -------
    IntensityRanges
        Of `NoiseScaling` for a model that takes a noise level.

    Raises
    ------
    InvalidInputError
        If the intensity range does not fit the channels.
    """
    found = ranges_without_scan(planes, axes, checkpoint, options, measure_scaling)
    if found is not None:
        return found
    return resolve_intensity_ranges(planes, axes, range_of=options.range_of)


def ranges_without_scan(
    planes: Any,
    axes: str,
    checkpoint: Checkpoint,
    options: DenoiseOptions,
    measure: Callable[
        [Iterator[list[list[Any]]], IntensityRanges, NoiseSetting], Measured
    ],
) -> Measured | IntensityRanges | None:
    """Return how a model sees a stack, if not all of its pixels are needed.

    This is the one place that decides between the two kinds of model: one that
    takes a noise level, which is measured in a few windows, and one that sees an
    intensity range as 0 to 1.

    Parameters
    ----------
    planes : array
        (..., Y, X, channels), in memory or not: it has a shape and a dtype, and
        gives a part of a plane.
    axes, checkpoint, options
        See `find_model_ranges`.
    measure : callable
        Takes the windows of each group of planes, the groups and the noise to
        remove; see `measure_scaling`.

    Returns
    -------
    IntensityRanges or None
        What `measure` returns, for a model that takes a noise level. None if the
        lowest and highest value of the whole stack are needed.
    """
    if not checkpoint.outline().takes_noise_level:
        return known_ranges(
            planes, axes, options.intensity_range, range_of=options.range_of
        )
    groups = group_planes(planes, axes, options.range_of)
    windows = read_noise_windows(
        planes.shape[:-1], groups, lambda plane, part: planes[(*plane, *part)]
    )
    return measure(windows, groups, options.noise)
