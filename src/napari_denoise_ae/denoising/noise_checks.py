"""Compare the noise of an image with the settings for it."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..noise.correlation import find_white_lattice, sublattices
from ..noise.estimators import estimate_sigma, median_of_known
from ..noise.measure import clean_windows, measure_clean, measure_windows
from ..noise.normalization import NoiseScaling
from ..noise.scaling import known_values
from ..noise.setting import NoiseSetting
from ..noise.windows import HIGH, LOW, noise_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange, IntensityRanges
    from ..image.planes import Planes as PlaneSource
    from ..noise.noise_estimate import NoiseEstimate

    #: The windows of each plane of a group.
    Planes = Sequence[Sequence[NDArray[Any]]]
    #: For each group of planes that share a range: for each plane, its windows.
    Windows = Iterable[Planes]

# A sigma that is this many times above or below the noise was meant otherwise.
_OTHER_SIGMA = 2.0
# Below this number of photons per pixel, stabilized noise is no longer Gaussian.
_FEW_PHOTONS = 2.0
# Noise of at least this fraction of the spread must be less than this fraction of what
# it was, unless most of it was to be kept.
_LEAST_LEVEL, _REMAINING, _LEAST_STRENGTH = 0.02, 0.9, 0.5
_ROUNDING = (
    " A result of dtype float32 is not rounded to whole photons, which gains about "
    "1 dB."
)


def check_noise(
    noise: NoiseSetting, scalings: IntensityRanges, windows: Windows
) -> list[str]:
    """Compare the noise of each channel with the setting for it.

    Parameters
    ----------
    noise : NoiseSetting
        The noise to remove.
    scalings : IntensityRanges
        Of `NoiseScaling`.
    windows : iterable
        The computed result of `read_noise_windows` for them.

    Returns
    -------
    list of str
        At most one text for each channel.
    """
    found: dict[int, str] = {}
    for number, planes in enumerate(windows):
        channel, scaling = scalings.channel_of(number), scalings.ranges[number]
        if channel in found:
            continue
        text = _describe_unfit_setting(
            noise, scaling, planes, describe_place(channel, scalings)
        )
        if text is not None:
            found[channel] = text
    return [text for _, text in sorted(found.items())]


def check_result(
    noise: NoiseSetting,
    scalings: IntensityRanges,
    before: PlaneSource,
    after: PlaneSource,
) -> list[str]:
    """Compare the noise before and after denoising, in one window.

    Parameters
    ----------
    noise : NoiseSetting
        The noise that was to be removed.
    scalings : IntensityRanges
        How the model saw the planes.
    before, after : Planes
        The image and the result, in memory.

    Returns
    -------
    list of str
        One text if there is about as much noise as before.
    """
    plane = tuple(length // 2 for length in before.shape[:-3])
    level = scalings.of(plane).noise_level
    if noise.strength < _LEAST_STRENGTH or not level or level < _LEAST_LEVEL:
        return []
    window = noise_windows((before.shape[-3], before.shape[-2]))[-1]
    rows, columns = (
        slice(part.start, min(part.stop, part.start + 256)) for part in window
    )
    was, now = (
        estimate_sigma([[planes.read(plane, (rows, columns))]])
        for planes in (before, after)
    )
    # Comparisons with NaN are false.
    if not now > _REMAINING * was:
        return []
    return [
        f"There is about as much noise as before: sigma {was:.4g}, and {now:.4g} after "
        "denoising. The image may be textured all over, or its noise coarse. Compare "
        "the result with the noisy image."
    ]


def noise_before_and_after(
    before: Windows, after: Windows, ranges: IntensityRanges
) -> tuple[float, float]:
    """Estimate the noise of an image and of its denoised result in the same way.

    Parameters
    ----------
    before, after : iterable
        What `read_noise_windows` returns for the image and for the result.
    ranges : IntensityRanges
        Their intensity ranges.

    Returns
    -------
    before, after : float
        Standard deviations in the units of the image, medians over all ranges; NaN if
        unknown. If the noise of the image is correlated, both are measured on the
        sub-lattice on which it is white.
    """
    levels = [
        _levels_of_group(noisy, denoised)
        for noisy, denoised, scale in zip(before, after, ranges.ranges, strict=True)
        if scale.width
    ]
    of_noisy, of_denoised = zip(*levels, strict=True) if levels else ((), ())
    return median_of_known(of_noisy), median_of_known(of_denoised)


def _levels_of_group(noisy: Planes, denoised: Planes) -> tuple[float, float]:
    known, no_data = clean_windows(noisy)
    stride = find_white_lattice(list(chain.from_iterable(known))).stride
    if stride > 1 and not measure_clean(known, no_data, NoiseSetting()).is_correlated:
        # It is structure that neighbors share, not noise.
        stride = 1
    rest = [
        [np.where(np.isnan(a), np.nan, b) for a, b in zip(*windows, strict=True)]
        for windows in zip(known, denoised, strict=True)
    ]
    before, after = (
        estimate_sigma([sublattices(windows, stride) for windows in planes])
        for planes in (known, rest)
    )
    return before, after


def describe_place(channel: int, ranges: IntensityRanges) -> str:
    """Name the image, or one of its channels if there are several."""
    channels = {ranges.channel_of(number) for number in range(len(ranges.ranges))}
    return f"channel {channel} of this image" if len(channels) > 1 else "this image"


def _describe_unfit_setting(
    noise: NoiseSetting,
    scaling: IntensityRange,
    planes: Planes,
    where: str,
) -> str | None:
    if noise.strength == 0.0 or noise.sigma == 0.0:
        return None
    if not isinstance(scaling, NoiseScaling) or scaling.noise_level == 0.0:
        return (
            f"No noise was detected in the sampled regions of {where}, so nothing is "
            "removed. If there is some, give its level (sigma), or denoise a part of "
            "the image."
        )
    if noise.sigma is not None:
        return _describe_other_sigma(noise, planes, where)
    return _describe_few_photons(scaling.noise, planes, where)


def _describe_other_sigma(
    noise: NoiseSetting, planes: Planes, where: str
) -> str | None:
    """Compare a given sigma with what is measured."""
    sigma, rough = noise.sigma or 0.0, estimate_sigma(planes)
    if math.isnan(rough) or _is_similar(sigma, rough):
        return None
    # Only now, because measuring the kind of noise takes longer.
    measured = measure_windows(planes, NoiseSetting())
    low, high = _levels(measured, planes)
    if high == 0.0 or low / _OTHER_SIGMA <= sigma <= high * _OTHER_SIGMA:
        return None
    is_above = "above" if sigma > high else "below"
    return (
        f"The given sigma of {sigma:.4g} is far {is_above} the noise measured in "
        f"{where} ({measured}). Omit sigma to remove the measured noise, or give it in "
        "the units of the image."
    )


def _is_similar(sigma: float, measured: float) -> bool:
    return measured / _OTHER_SIGMA <= sigma <= measured * _OTHER_SIGMA


def _levels(noise: NoiseEstimate, planes: Planes) -> tuple[float, float]:
    """Return the standard deviations of the noise in dark and in bright regions."""
    if noise.curve is None:
        return noise.sigma, noise.sigma
    values = _values(noise, planes)
    low, high = noise.curve.variance(np.percentile(values, (LOW, HIGH)))
    return math.sqrt(low), math.sqrt(high)


def _values(noise: NoiseEstimate, planes: Planes) -> NDArray[np.float64]:
    values = known_values(list(chain.from_iterable(planes)))
    return values if noise.no_data is None else values[values != noise.no_data]


def _describe_few_photons(
    noise: NoiseEstimate, planes: Planes, where: str
) -> str | None:
    """Say what few photons mean for the result."""
    if noise.curve is None:
        return None
    values = _values(noise, planes)
    variance = float(noise.curve.variance(np.array([values.mean()]))[0])
    photons = variance / noise.gain**2
    if photons >= _FEW_PHOTONS:
        return None
    return (
        f"The mean number of photons per pixel of {where} is about {photons:.2g}. "
        f"Details are lost below {_FEW_PHOTONS:g}: average frames or bin pixels if you "
        "can." + _ROUNDING * (planes[0][0].dtype.kind in "iu")
    )
