"""The estimated noise of a layer, for models that take a noise level."""

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
class NoiseEstimate:
    """Estimated noise of a layer, before it is denoised.

    Parameters
    ----------
    setting : NoiseSetting
        The noise to remove.
    scaling : IntensityRanges
        The `NoiseScaling` of each channel for `setting`, at strength 1.
    gaussian : IntensityRanges
        The `NoiseScaling` of each channel for Gaussian noise of unknown sigma.
    fits : tuple of NoiseFit
        The measured and fitted noise curve of each channel; empty for Gaussian
        noise.
    """

    setting: NoiseSetting
    scaling: IntensityRanges
    gaussian: IntensityRanges
    fits: tuple[NoiseFit, ...]

    def __str__(self) -> str:
        if self.setting.sigma is None:
            return f"Found: {describe_noise(self.scaling)}."
        return f"Estimated: {describe_noise(self.gaussian)}."

    @property
    def sigma(self) -> float:
        """Estimated standard deviation of Gaussian noise, in the layer's units.

        The median over the channels.
        """
        return median_of_known(each.sigma for each in scalings(self.gaussian))


def scalings(ranges: IntensityRanges) -> list[NoiseScaling]:
    """Return the noise scalings among the ranges, typed as such."""
    return [each for each in ranges.ranges if isinstance(each, NoiseScaling)]


def describe_noise(ranges: IntensityRanges) -> str:
    """Describe the noise of a layer in a few words, by channel if channels differ.

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


def estimate_layer_noise(
    windows: list[list[list[NDArray[Any]]]],
    scaling: IntensityRanges,
    noise: NoiseSetting,
) -> NoiseEstimate:
    """Estimate the noise of a layer from sampled windows.

    Parameters
    ----------
    windows : list
        The computed result of `read_noise_windows` for the layer.
    scaling : IntensityRanges
        The result of `measure_scaling` for these windows.
    noise : NoiseSetting
        The noise to remove.
    """
    is_curve = noise.noise_type == POISSON_GAUSSIAN
    return NoiseEstimate(
        noise,
        scaling,
        measure_scaling(windows, scaling, NoiseSetting()),
        fit_curves(windows) if is_curve else (),
    )
