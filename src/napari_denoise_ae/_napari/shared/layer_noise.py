"""The measured noise of a layer, for models that take a noise level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...noise.estimators import median_of_known
from ...noise.noise_estimate import GAUSSIAN
from ...noise.normalization import NoiseScaling
from ...noise.scaling import measure_scaling, points_of_groups
from ...noise.setting import NoiseSetting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...image.intensity import IntensityRanges
    from ...noise.measure import NoisePoints
    from ...noise.noise_estimate import NoiseEstimate


@dataclass(frozen=True, slots=True, eq=False)
class LayerNoise:
    """Measured noise of a layer, before it is denoised.

    Parameters
    ----------
    setting : NoiseSetting
        The noise to remove.
    scaling : IntensityRanges
        The `NoiseScaling` of each channel for `setting`, at strength 1.
    gaussian : IntensityRanges
        The `NoiseScaling` of each channel for Gaussian noise of unknown sigma.
    points : tuple of NoisePoints
        The variance over the intensity of each channel, to be drawn; empty if
        Gaussian noise was asked for, or nothing could be measured.
    """

    setting: NoiseSetting
    scaling: IntensityRanges
    gaussian: IntensityRanges
    points: tuple[NoisePoints, ...]

    def __str__(self) -> str:
        if self.setting.is_measured:
            return f"Found: {describe_noise(self.scaling)}."
        return f"Estimated: {describe_noise(self.gaussian)}."

    @property
    def estimates(self) -> tuple[NoiseEstimate, ...]:
        """The noise of each channel."""
        return tuple(each.noise for each in scalings(self.scaling))

    @property
    def sigma(self) -> float:
        """Measured standard deviation of Gaussian noise, in the layer's units.

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
    >>> from napari_denoise_ae import NoiseEstimate
    >>> noise = NoiseScaling(0.0, 1.0, NoiseEstimate(sigma=12.34))
    >>> describe_noise(share_range("YX", noise))
    'noise has one level: sigma 12.34; neighboring pixels independent'
    """
    texts = [str(each.noise) for each in scalings(ranges)]
    if len(set(texts)) == 1:
        return texts[0]
    by_channel = (
        f"channel {ranges.channel_of(number)}: {text}"
        for number, text in enumerate(texts)
    )
    return ". ".join(by_channel)


def measure_layer_noise(
    windows: list[list[list[NDArray[Any]]]],
    scaling: IntensityRanges,
    noise: NoiseSetting,
) -> LayerNoise:
    """Return the noise of a layer from sampled windows.

    Parameters
    ----------
    windows : list
        The computed result of `read_noise_windows` for the layer.
    scaling : IntensityRanges
        The result of `measure_scaling` for these windows.
    noise : NoiseSetting
        The noise to remove.
    """
    gaussian = NoiseSetting(noise_type=GAUSSIAN)
    is_drawn = noise.is_measured and noise.noise_type != GAUSSIAN
    return LayerNoise(
        noise,
        scaling,
        measure_scaling(windows, scaling, gaussian),
        points_of_groups(windows, scaling) if is_drawn else (),
    )
