"""What is found of a layer's noise, for a model that is told how noisy it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...noise.estimators import median_of_known
from ...noise.normalization import NoiseScaling, fit_curves, measure_scaling
from ...noise.setting import POISSON_GAUSSIAN, NoiseSetting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...image.intensity import IntensityRanges
    from ...noise.curve import NoiseFit


@dataclass(frozen=True, slots=True, eq=False)
class NoiseFound:
    """The noise of a layer, before anything is denoised.

    Parameters
    ----------
    setting : NoiseSetting
        The noise to remove.
    scaling : IntensityRanges
        Of `NoiseScaling`: how a model sees the layer, at strength 1.
    estimate : IntensityRanges
        The same for Gaussian noise whose level is estimated.
    fits : tuple of NoiseFit
        The noise curve of each range, measured and fitted; empty for Gaussian
        noise.
    """

    setting: NoiseSetting
    scaling: IntensityRanges
    estimate: IntensityRanges
    fits: tuple[NoiseFit, ...]

    def __str__(self) -> str:
        if self.setting.sigma is None:
            return f"Found: {describe_noise(self.scaling)}."
        return f"Estimated: {describe_noise(self.estimate)}."

    @property
    def sigma(self) -> float:
        """The estimated level of Gaussian noise in the layer's units.

        Of several channels it is the median.
        """
        return median_of_known(each.sigma for each in scalings(self.estimate))


def scalings(ranges: IntensityRanges) -> list[NoiseScaling]:
    """Return noise scalings as what they are."""
    return [each for each in ranges.ranges if isinstance(each, NoiseScaling)]


def describe_noise(ranges: IntensityRanges) -> str:
    """Return noise scalings in a few words, those of several channels one by one.

    Examples
    --------
    >>> from napari_denoise_ae.image.intensity import share_range
    >>> describe_noise(share_range("YX", NoiseScaling(0.0, 1.0, 12.34)))
    'sigma 12.34'
    """
    texts = [
        f"sigma {each.sigma:.4g}"
        if each.curve is None
        else f"gain {each.curve.gain:.4g}, {each.curve}"
        for each in scalings(ranges)
    ]
    if len(set(texts)) == 1:
        return texts[0]
    by_channel = (
        f"channel {ranges.channel_of(number)} {text}"
        for number, text in enumerate(texts)
    )
    return "; ".join(by_channel)


def find_noise(
    windows: list[list[list[NDArray[Any]]]],
    scaling: IntensityRanges,
    noise: NoiseSetting,
) -> NoiseFound:
    """Find the noise of a layer in the few windows in which it is estimated.

    Parameters
    ----------
    windows : list
        What `read_noise_windows` returns for the layer, computed.
    scaling : IntensityRanges
        What `measure_scaling` made of them.
    noise : NoiseSetting
        The noise to remove.
    """
    is_curve = noise.noise_type == POISSON_GAUSSIAN
    return NoiseFound(
        noise,
        scaling,
        measure_scaling(windows, scaling, NoiseSetting()),
        fit_curves(windows) if is_curve else (),
    )
