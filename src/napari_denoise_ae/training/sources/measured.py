"""How networks see images whose noise was measured, as `denoise` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...image.ranges import group_planes
from ...noise.noise_estimate import NoiseEstimate
from ...noise.normalization import NoiseScaling
from ...noise.scaling import measure_scaling
from ...noise.setting import NoiseSetting
from ...noise.windows import read_noise_windows
from ..images.ranges import unit_ranges
from ..scaling import BatchScaling

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from ...image.intensity import IntensityRange, IntensityRanges
    from ...image.planes import Planes
    from ..images.collection import ImageCollection
    from ..images.positions import Position


class MeasuredImages:
    """The noise of images, and how a network sees their intensities.

    Parameters
    ----------
    images : ImageCollection
        The images.
    takes_noise_level : bool
        Whether the network takes a noise level. Otherwise it sees an intensity range.
    device : torch.device
        Training device.

    Attributes
    ----------
    scaling : BatchScaling
        The scalings of all groups of planes, see `number_of`.
    """

    def __init__(
        self,
        images: ImageCollection,
        device: torch.device,
        *,
        takes_noise_level: bool,
    ) -> None:
        planes = [image.planes for image in images.images]
        self._planes, self._device = planes, device
        self._is_told = takes_noise_level
        self._measured = [measure_ranges(each, NoiseSetting()) for each in planes]
        self._ranges = self._measured
        if not takes_noise_level:
            self._ranges = [
                unit_ranges(each, takes_noise_level=False) for each in planes
            ]
        lengths = [len(each.ranges) for each in self._ranges]
        self._starts = np.cumsum([0, *lengths])
        self.scaling = _as_tensors(self._ranges, device)

    def louder(self, factor: float) -> BatchScaling:
        """Return the scalings of the same images with more noise.

        Parameters
        ----------
        factor : float
            By which the standard deviation of the noise is multiplied.
        """
        if not self._is_told:
            return self.scaling
        found = []
        for planes, measured in zip(self._planes, self._measured, strict=True):
            noises = tuple(_noise_of(one).scaled(factor) for one in measured.ranges)
            setting = NoiseSetting(noise_type=noises)
            found.append(measure_ranges(planes, setting))
        return _as_tensors(found, self._device)

    def number_of(self, position: Position) -> int:
        """Return the index into `scaling` for the plane of a position."""
        number = self._ranges[position.image].number_of(position.plane)
        return int(self._starts[position.image]) + number

    def scale_of(self, position: Position) -> IntensityRange:
        """Return the scaling of the plane of a position for the network."""
        return self._ranges[position.image].of(position.plane)

    def noise_of(self, position: Position) -> NoiseEstimate:
        """Return the noise of the plane of a position."""
        return _noise_of(self._measured[position.image].of(position.plane))

    @property
    def noises(self) -> list[NoiseEstimate]:
        """The noise of each channel of each image."""
        return [_noise_of(one) for each in self._measured for one in each.ranges]

    @property
    def no_data(self) -> list[float | None]:
        """For each image the value that marks pixels without data."""
        found = []
        for each in self._measured:
            values = [_noise_of(one).no_data for one in each.ranges]
            found.append(next((value for value in values if value is not None), None))
        return found

    @property
    def description(self) -> str:
        """Description of the noise, for display."""
        texts = list(dict.fromkeys(str(noise) for noise in self.noises))
        more = f"; {len(texts) - 1} more" if len(texts) > 1 else ""
        return f"measured: {texts[0]}{more}"


def measure_ranges(planes: Planes, setting: NoiseSetting) -> IntensityRanges:
    """Measure the noise of a stack as `denoise` does.

    Parameters
    ----------
    planes : Planes
        The stack, which may be lazy.
    setting : NoiseSetting
        What is known of the noise.

    Returns
    -------
    IntensityRanges
        Of `NoiseScaling`, one for each channel.
    """
    groups = group_planes(planes, "stack")
    windows = (
        [[np.asarray(window) for window in plane] for plane in group]
        for group in read_noise_windows(planes, groups)
    )
    return measure_scaling(windows, groups, setting)


def _as_tensors(
    ranges: Sequence[IntensityRanges], device: torch.device
) -> BatchScaling:
    scalings = [scale for each in ranges for scale in each.ranges]
    return BatchScaling.of(scalings, device)


def _noise_of(scale: Any) -> NoiseEstimate:
    return scale.noise if isinstance(scale, NoiseScaling) else NoiseEstimate()


def most_correlated(noises: Sequence[NoiseEstimate]) -> tuple[float, float]:
    """Return the largest correlation along X and along Y."""
    return (
        max((noise.correlation[0] for noise in noises), default=0.0),
        max((noise.correlation[1] for noise in noises), default=0.0),
    )
