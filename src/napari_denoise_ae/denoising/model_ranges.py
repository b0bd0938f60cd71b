"""The intensity mapping that a model needs for an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..image.intensity import IntensityRanges
from ..image.ranges import resolve_intensity_ranges
from ..noise.normalization import NoiseScaling, group_planes, measure_scaling
from ..noise.setting import NoiseSetting
from ..noise.windows import noise_windows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..image.intensity import GivenRange
    from ..models.checkpoint import Checkpoint


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
        (..., Y, X, channels), see `color_planes`.
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
    require_noise_level_is_taken(setting, checkpoint)
    if not checkpoint.outline().takes_noise_level or _is_scaling(given):
        return resolve_intensity_ranges(planes, axes, given, range_of=range_of)
    groups = group_planes(planes, axes, range_of)
    windows = noise_windows_of(planes, groups)
    return measure_scaling(windows, groups, setting)


def _is_scaling(given: GivenRange | None) -> bool:
    if isinstance(given, IntensityRanges):
        return isinstance(given.ranges[0], NoiseScaling)
    return isinstance(given, NoiseScaling)


def require_noise_level_is_taken(setting: NoiseSetting, checkpoint: Checkpoint) -> None:
    """Raise if noise settings are passed to a model that ignores them.

    Raises
    ------
    InvalidInputError
        If the model takes no noise level, and one was given.
    """
    if setting != NoiseSetting() and not checkpoint.outline().takes_noise_level:
        raise InvalidInputError(
            f"The model {checkpoint.name!r} takes no noise level: it removes the "
            "noise that it was trained for. Omit sigma, noise_type and strength, or "
            "use a model that takes them, such as the built-in gray and rgb."
        )
