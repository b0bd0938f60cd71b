"""Whether a model and the options fit an image.

What cannot work raises an error before anything is computed; what may only give a
poor result is described in words, for the faces to show as warnings.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..noise.estimators import WAVELET, estimate_sigma, median_of_known
from ..noise.windows import read_noise_windows
from .model_ranges import without_ignored
from .noise_checks import check_noise, describe_place

if TYPE_CHECKING:
    from ..image.intensity import IntensityRanges
    from ..image.planes import Planes
    from ..models.checkpoint import Checkpoint
    from ..models.record import TrainingRecord
    from ..noise.setting import NoiseSetting
    from .noise_checks import Windows
    from .options import DenoiseOptions

# A model fits where the image's noise is at most this many times less or more
# than that of the images it was trained on.
_NOISE_TOLERANCE = 1.5


# --- what cannot work -------------------------------------------------------


def require_compatible(
    checkpoint: Checkpoint, n_colors: int, options: DenoiseOptions
) -> None:
    """Raise if a model cannot denoise an image with these options.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    n_colors : int
        Colors of a plane: 1 for gray.
    options : DenoiseOptions
        The options.

    Raises
    ------
    InvalidInputError
        If the model is for another number of colors, or does not take an option.
    """
    require_noise_is_taken(checkpoint, options)
    network = checkpoint.outline()
    if options.frames and not network.takes_noise_maps:
        raise InvalidInputError(
            f"The model {checkpoint.name!r} takes one noise level for a whole image, "
            "so neighboring frames cannot be averaged. Omit frames, or use the "
            "checkpoint that it was exported from."
        )
    wanted = network.in_channels
    # A gray image is repeated; a gray model takes colors one by one.
    if n_colors not in (1, wanted) and wanted != 1:
        raise InvalidInputError(
            f"The model {checkpoint.name!r} is for images with {wanted} channels, and "
            f"this one has {n_colors}. Choose another model."
        )


def require_noise_is_taken(checkpoint: Checkpoint, options: DenoiseOptions) -> None:
    """Raise if noise settings are passed to a model that ignores them.

    Raises
    ------
    InvalidInputError
        If the model takes no noise level, and one is given.
    """
    if without_ignored(checkpoint, options) != options:
        raise InvalidInputError(
            f"The model {checkpoint.name!r} takes no noise level: it removes the "
            "noise that it was trained for. Omit sigma, correlation, noise_type, "
            "strength, replace_hot_pixels and frames, or use a model that takes them, "
            "such as the built-in gray and rgb."
        )


# --- what may give a poor result --------------------------------------------


def find_incompatibilities(
    checkpoint: Checkpoint,
    noise: NoiseSetting,
    n_colors: int,
    ranges: IntensityRanges,
    windows: Windows,
) -> list[str]:
    """Say, in words for a user, why a model or a setting may not fit an image.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    noise : NoiseSetting
        The noise to remove.
    n_colors : int
        Colors of a plane: 1 for gray.
    ranges : IntensityRanges
        How the model sees the image or the stack, see `find_model_ranges`.
    windows : iterable
        What `read_noise_windows` returns for these ranges, computed.

    Returns
    -------
    list of str
        Empty where all fits; else at most one text on the colors, and one on the
        noise of each channel.
    """
    found = _compare_colors(n_colors, checkpoint)
    if ranges.ranges[0].noise_level is not None:
        return found + check_noise(noise, ranges, windows)
    if checkpoint.record is None:
        return found
    return found + _compare_noise(checkpoint.name, checkpoint.record, ranges, windows)


def noise_levels(
    windows: Windows, ranges: IntensityRanges, estimator: str = WAVELET
) -> tuple[float, ...]:
    """Estimate the noise for each intensity range, relative to its width.

    Parameters
    ----------
    windows : iterable
        What `read_noise_windows` returns for these ranges, computed.
    ranges : IntensityRanges
        The intensity ranges.
    estimator : str
        One of `ESTIMATORS`; by default the one by which training measured noise.

    Returns
    -------
    tuple of float
        For each range the standard deviation as a fraction of it; NaN where
        it cannot be estimated.
    """
    levels = []
    for planes, scale in zip(windows, ranges.ranges, strict=True):
        estimate = estimate_sigma(planes, estimator)
        levels.append(estimate / scale.width if scale.width else math.nan)
    return tuple(levels)


def noise_level(
    planes: Planes, ranges: IntensityRanges, estimator: str = WAVELET
) -> float:
    """Estimate the noise of a stack relative to its intensity ranges.

    Parameters
    ----------
    planes : Planes
        The stack, which is not lazy.
    ranges : IntensityRanges
        Its intensity ranges.
    estimator : str
        One of `ESTIMATORS`; by default the one by which training measured noise.

    Returns
    -------
    float
        The median of its `noise_levels`; NaN where none can be estimated.
    """
    windows = read_noise_windows(planes, ranges)
    return median_of_known(noise_levels(windows, ranges, estimator))


def is_trained_noise(level: float, record: TrainingRecord) -> bool:
    """Tell whether a noise level is that of the images a model was trained on.

    Parameters
    ----------
    level : float
        See `noise_levels`; NaN, an unknown level, fits every model.
    record : TrainingRecord
        How the model was trained, with the same estimate of its images.
    """
    low, typical, high = record.noise_estimate
    if math.isnan(level) or math.isnan(typical):
        return True
    return low / _NOISE_TOLERANCE <= level <= high * _NOISE_TOLERANCE


def describe_other_noise(
    level: float, record: TrainingRecord, name: str, *, where: str = "this image"
) -> str:
    """Say, in words for a user, that noise is not that of training.

    Parameters
    ----------
    level : float
        See `noise_levels`.
    record : TrainingRecord
        How the model was trained.
    name : str
        The model's name.
    where : str
        What has the noise, such as ``"these images"``.
    """
    _, typical, high = record.noise_estimate
    weaker, consequence = "weaker", "It will probably blur details"
    if level > high:
        weaker, consequence = "stronger", "It will probably leave much of the noise"
    return (
        f"The noise in {where} is much {weaker} (estimated sigma {level:.1%} of the "
        f"intensity range) than the noise that the model {name!r} was trained on "
        f"({typical:.0%}, {record.config.noise}). {consequence}. Use a model that was "
        "trained for such noise."
    )


def _compare_colors(n_colors: int, checkpoint: Checkpoint) -> list[str]:
    if n_colors >= checkpoint.outline().in_channels:
        return []
    return [
        f"The model {checkpoint.name!r} is for color images and this one is gray: it "
        "is denoised as a color image of three equal channels, and their mean is "
        "taken."
    ]


def _compare_noise(
    name: str, record: TrainingRecord, ranges: IntensityRanges, windows: Windows
) -> list[str]:
    """Compare the noise of each channel with what the model was trained on."""
    channels: dict[int, list[float]] = {}
    for number, level in enumerate(noise_levels(windows, ranges)):
        channels.setdefault(ranges.channel_of(number), []).append(level)
    levels = {channel: median_of_known(each) for channel, each in channels.items()}
    return [
        describe_other_noise(level, record, name, where=describe_place(channel, ranges))
        for channel, level in levels.items()
        if not is_trained_noise(level, record)
    ]
