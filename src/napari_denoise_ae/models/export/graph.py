"""A network as other programs call it: images of any size, and noise as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import interpolate

from ...noise.windows import HIGH, LOW
from ..networks.registry import build_network
from .windows import run_in_windows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from torch import Tensor

    from ..networks.base import DenoisingNetwork

#: Names of the image and of the result.
IMAGE, DENOISED = "image", "denoised"
# The limits of `NoiseScaling` and of `IntensityRange`.
_NOISE_LIMITS, _RANGE_LIMITS = (-16.0, 16.0), (0.0, 1.0)
# Rows and columns of the sample of an image whose percentiles are its spread.
_SAMPLED = 256
# Spread of a constant image, as a multiple of sigma.
_SPREAD_OF_CONSTANT = 10.0


@dataclass(frozen=True, slots=True)
class Number:
    """An input of a graph that is a few numbers for each image.

    Parameters
    ----------
    name : str
        Its name.
    components : tuple of str
        Names of the numbers, for an input of shape (N, number of components); empty
        for an input of shape (N,).
    example : tuple of float
        The values of an example.
    meaning : str
        One sentence for users of the graph.
    """

    name: str
    components: tuple[str, ...]
    example: tuple[float, ...]
    meaning: str

    def values(self, n_images: int) -> Tensor:
        """Return the example for N images."""
        values = torch.tensor(self.example).repeat(n_images, 1)
        return values if self.components else values[:, 0]


class ExportedNetwork(nn.Module):
    """A network for normalized images of any size.

    Parameters
    ----------
    network : DenoisingNetwork
        The network, for inference.
    """

    def __init__(self, network: DenoisingNetwork) -> None:
        super().__init__()
        self.network = network

    @property
    def halo(self) -> int:
        """Pixels to crop from each side of a tile, a multiple of the stride."""
        stride = self.network.stride
        return math.ceil(self.network.receptive_field_radius / stride) * stride

    @property
    def image_meaning(self) -> str:
        """What the image's intensities are, in one sentence."""
        if self.network.takes_noise_level:
            return "Intensities in any unit, shifted so that they lie around 0."
        return "Intensities, mapped linearly to [0, 1]."

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The other inputs of `forward`, in order."""
        level = Number(
            "noise_level",
            (),
            (0.1,),
            "Standard deviation of the noise, in the unit of the image.",
        )
        return _noise_numbers(self.network, level)

    def forward(self, image: Tensor, *noise: Tensor) -> Tensor:
        """Denoise a batch.

        Parameters
        ----------
        image : torch.Tensor
            (N, in_channels, Y, X), float32. Sides that the network does not take are
            reflected at their end.
        *noise : torch.Tensor
            See `numbers`.

        Returns
        -------
        torch.Tensor
            The same shape.
        """
        height, width = image.shape[-2:]
        batch = self._reflect(self._reflect(image, 2), 3)
        if noise:
            told = _told(noise)[..., None, None]
            maps = told.expand(-1, -1, batch.shape[2], batch.shape[3])
            batch = torch.cat([batch, maps], dim=1)
        size = self.network.image_size
        if size is None:
            denoised: Tensor = self.network(batch)
        else:
            denoised = run_in_windows(self.network, batch, size)
        return denoised[..., :height, :width]

    def _reflect(self, image: Tensor, axis: int) -> Tensor:
        """Reflect images at their end to a length that the network takes."""
        stride, shortest = self.network.stride, self.network.image_size or 0
        length = image.shape[axis]
        rounded = (length + stride - 1) // stride * stride
        wanted = torch.sym_max(rounded, shortest) if shortest else rounded
        # As a tensor: torch cannot export the remainder of a length as a number.
        last = torch.arange(length)[-1:]
        place = torch.arange(wanted).remainder((2 * last).clamp(min=1))
        return image.index_select(axis, torch.minimum(place, 2 * last - place))


class StandaloneNetwork(ExportedNetwork):
    """A network for images of any size and any intensities, which it normalizes."""

    @property
    def image_meaning(self) -> str:
        """What the image's intensities are, in one sentence."""
        return "Intensities in any unit."

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The other inputs of `forward`, in order."""
        if not self.network.takes_noise_level:
            return (
                Number("low", (), (0.0,), "Intensity that the network sees as 0."),
                Number("high", (), (1.0,), "Intensity that the network sees as 1."),
            )
        sigma = Number(
            "sigma",
            (),
            (0.1,),
            "Standard deviation of the noise, in the unit of the image.",
        )
        return _noise_numbers(self.network, sigma)

    def forward(self, image: Tensor, *numbers: Tensor) -> Tensor:
        """Denoise a batch; see `ExportedNetwork.forward` and `numbers`."""
        if self.network.takes_noise_level:
            sigma, *correlation = numbers
            center, spread = _center_and_spread(image, _as_image(sigma))
            noise = [sigma / spread[:, 0, 0, 0], *correlation]
            limits = _NOISE_LIMITS
        else:
            center, high = (_as_image(each) for each in numbers)
            spread, noise, limits = high - center, [], _RANGE_LIMITS
        unit = (image - center) / torch.where(spread > 0.0, spread, 1.0)
        within = unit.clamp(*limits)
        # Values outside the limits are not shown to the network, but not lost either.
        denoised = super().forward(within, *noise) + (unit - within)
        result = denoised * spread + center
        if self.network.takes_noise_level:
            return torch.where(_as_image(sigma) > 0.0, result, image)
        return result


def build_exported(
    network: str, options: Mapping[str, Any], *, standalone: bool
) -> ExportedNetwork:
    """Build a network for export, with random weights.

    Parameters
    ----------
    network, options
        See `build_network`.
    standalone : bool
        Whether it normalizes images itself.
    """
    wrap = StandaloneNetwork if standalone else ExportedNetwork
    return wrap(build_network(network, options)).requires_grad_(False).eval()


def _noise_numbers(network: DenoisingNetwork, level: Number) -> tuple[Number, ...]:
    if not network.takes_noise_level:
        return ()
    if not network.takes_correlation:
        return (level,)
    meaning = (
        "Correlation of the noise of neighboring pixels along X and along Y, 0 to "
        "0.95; 0 for independent pixels."
    )
    return level, Number("correlation", ("x", "y"), (0.2, 0.1), meaning)


def _told(noise: tuple[Tensor, ...]) -> Tensor:
    """Return the noise level and its products with the correlations, (N, 1 or 3)."""
    level = noise[0][:, None]
    return torch.cat([level, *(level * each for each in noise[1:])], dim=1)


def _as_image(numbers: Tensor) -> Tensor:
    """Return numbers, (N,), as images of one pixel."""
    return numbers[:, None, None, None]


def _center_and_spread(image: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Return the middle and the distance of two percentiles, (N, 1, 1, 1) each."""
    sample = interpolate(image, size=(_SAMPLED, _SAMPLED), mode="nearest-exact")
    ordered = sample.flatten(1).sort(dim=1).values
    count = image.shape[1] * _SAMPLED**2
    low, high = (
        ordered[:, round(percent / 100.0 * (count - 1)), None, None, None]
        for percent in (LOW, HIGH)
    )
    spread = high - low
    of_constant = torch.where(sigma > 0.0, _SPREAD_OF_CONSTANT * sigma, 1.0)
    return (low + high) / 2.0, torch.where(spread > 0.0, spread, of_constant)
