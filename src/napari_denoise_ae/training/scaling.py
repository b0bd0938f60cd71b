"""Normalize and denormalize batches as `denoise` does, on tensors, differentiably."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ..noise.anscombe import intensities_of, stabilized_of
from ..noise.normalization import NoiseScaling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ..image.intensity import IntensityRange

# The network's input, which is around 0, is shifted so that it is about in [0, 1].
CENTER = 0.5
# Columns of `BatchScaling.parameters`.
_LOW, _WIDTH, _GAIN, _OFFSET, _GROWS, _FIRST, _EXTENT = range(7)


@dataclass(frozen=True, slots=True, eq=False)
class BatchScaling:
    """Scalings of the images of a batch, each with its own.

    The network's input is that of `denoise`, shifted by 1/2 if the network takes a
    noise level. Targets are relative intensities: 0 and 1 are the limits of a plain
    intensity range, and the 1st and 99th percentile of an image whose noise was
    measured.

    Parameters
    ----------
    parameters : torch.Tensor
        (N, 7), see `of`.
    told : torch.Tensor or None
        What the network is told of the noise, (N, 3), see `Batch`; None for plain
        ranges.
    """

    parameters: Tensor
    told: Tensor | None

    @classmethod
    def of(
        cls,
        scalings: Sequence[IntensityRange],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> BatchScaling:
        """Return the scalings as tensors.

        Parameters
        ----------
        scalings : sequence of IntensityRange
            All of them `NoiseScaling`, or none.
        device, dtype
            Of the images.
        """
        rows = torch.tensor([_row(each) for each in scalings], dtype=dtype)
        told = [each.noise_inputs for each in scalings]
        if not all(told):
            return cls(rows.to(device), None)
        return cls(rows.to(device), torch.tensor(told, dtype=dtype).to(device))

    def select(self, chosen: Tensor) -> BatchScaling:
        """Return the scalings at some indices, (M,), repeated as these are."""
        told = None if self.told is None else self.told[chosen]
        return BatchScaling(self.parameters[chosen], told)

    def limits_of(self, number: int) -> tuple[float, float]:
        """Return the intensity of a scaling that is 0 in targets, and the range."""
        first, extent = self.parameters[number, [_FIRST, _EXTENT]].tolist()
        return first, extent

    def normalize(self, values: Tensor) -> Tensor:
        """Map intensities, (N, C, Y, X), to the network's input."""
        if self._has_curves:
            stabilized = stabilized_of(values, self._get(_GAIN), self._get(_OFFSET))
            values = torch.where(self._get(_GROWS) > 0, stabilized, values)
        width = self._get(_WIDTH)
        unit = (values - self._get(_LOW)) * torch.where(width > 0, 1 / width, 0.0)
        return unit if self.told is None else unit + CENTER

    def denormalize(self, unit: Tensor) -> Tensor:
        """Invert `normalize` for denoised images; differentiable.

        The bias of clipped noise is left: the mean of noisy images has it, too.
        """
        centered = unit if self.told is None else unit - CENTER
        values = centered * self._get(_WIDTH) + self._get(_LOW)
        if not self._has_curves:
            return values
        intensities = intensities_of(values, self._get(_GAIN), self._get(_OFFSET))
        return torch.where(self._get(_GROWS) > 0, intensities, values)

    def to_relative(self, values: Tensor) -> Tensor:
        """Map intensities to the relative ones of targets."""
        return (values - self._get(_FIRST)) / self._get(_EXTENT)

    def decode(self, unit: Tensor) -> Tensor:
        """Map the network's output to relative intensities; differentiable."""
        return self.to_relative(self.denormalize(unit))

    @property
    def _has_curves(self) -> bool:
        return bool((self.parameters[:, _GROWS] > 0).any())

    def _get(self, column: int) -> Tensor:
        return self.parameters[:, column, None, None, None]


def _row(scaling: IntensityRange) -> list[float]:
    """Return the parameters of a scaling, in the order of the columns."""
    curve = scaling.curve if isinstance(scaling, NoiseScaling) else None
    gain, offset = (curve.gain, curve.offset_variance) if curve else (1.0, 0.0)
    first, last = scaling.low, scaling.high
    if isinstance(scaling, NoiseScaling):
        first, last = (scaling.low + part * scaling.width for part in (-0.5, 0.5))
    if curve is not None:
        first, last = (intensities_of(_at(x), gain, offset) for x in (first, last))
    extent = float(last - first) or 1.0
    grows = float(curve is not None)
    return [scaling.low, scaling.width, gain, offset, grows, float(first), extent]


def _at(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
