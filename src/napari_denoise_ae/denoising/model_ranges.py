"""How a model sees the intensities of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ..image.ranges import group_planes, known_ranges, resolve_intensity_ranges
from ..noise.scaling import measure_ranges
from ..noise.windows import read_noise_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..image.intensity import IntensityRanges
    from ..image.intensity_rule import IntensityRule
    from ..image.planes import Planes
    from ..models.checkpoint import Checkpoint
    from ..noise.setting import NoiseSetting
    from .options import DenoiseOptions

Measured = TypeVar("Measured")


def find_model_ranges(
    planes: Planes, checkpoint: Checkpoint, options: DenoiseOptions
) -> IntensityRanges:
    """Return how a model sees a stack, of which all is read if need be.

    Parameters
    ----------
    planes : Planes
        The stack, which is not lazy.
    checkpoint : Checkpoint
        The model.
    options : DenoiseOptions
        An intensity range has no effect on a model that takes a noise level or has
        its own rule for intensities.

    Returns
    -------
    IntensityRanges
        Of `NoiseScaling` for a model that takes a noise level.

    Raises
    ------
    InvalidInputError
        If the intensity range does not fit the channels.
    """
    found = ranges_without_scan(planes, checkpoint, options, measure_ranges)
    if found is not None:
        return found
    return resolve_intensity_ranges(planes, range_of=options.range_of)


def ranges_without_scan(
    planes: Planes,
    checkpoint: Checkpoint,
    options: DenoiseOptions,
    measure: Callable[
        [Iterator[list[list[Any]]], IntensityRanges, NoiseSetting | IntensityRule],
        Measured,
    ],
) -> Measured | IntensityRanges | None:
    """Return how a model sees a stack, if not all of its pixels are needed.

    This is the one place that decides between the kinds of model: one that takes a
    noise level, or has its own rule for intensities, for which a few windows are
    measured, and one that sees an intensity range as 0 to 1.

    Parameters
    ----------
    planes : Planes
        The stack.
    checkpoint, options
        See `find_model_ranges`.
    measure : callable
        Takes the windows of each group of planes, the groups, and the noise to remove
        or the rule; see `measure_ranges`.

    Returns
    -------
    IntensityRanges or None
        What `measure` returns, for a model that takes a noise level or has a rule.
        None if the lowest and highest value of the whole stack are needed.
    """
    network = checkpoint.outline()
    how = options.noise if network.takes_noise_level else network.intensity_rule
    if how is None:
        return known_ranges(planes, options.intensity_range, range_of=options.range_of)
    if options.intensity_range is not None:
        # It has no effect, but a wrong number of pairs is a mistake.
        known_ranges(planes, options.intensity_range, range_of=options.range_of)
    groups = group_planes(planes, options.range_of)
    return measure(read_noise_windows(planes, groups), groups, how)


def without_ignored(checkpoint: Checkpoint, options: DenoiseOptions) -> DenoiseOptions:
    """Return the options without noise settings that a model ignores."""
    if checkpoint.outline().takes_noise_level:
        return options
    return options.without_noise()
