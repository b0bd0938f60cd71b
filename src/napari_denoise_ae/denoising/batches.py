"""Batches as a network takes them, of images of any size and number of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .halo import padded_length
from .pixels import images_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models.networks.base import DenoisingNetwork


def make_batch(unit: Tensor, n_images: int, network: DenoisingNetwork) -> Tensor:
    """Return images as a batch for a network, whatever its channels.

    Parameters
    ----------
    unit : torch.Tensor
        Normalized images, (Y, X, N * channels).
    n_images : int
        Their number, N.
    network : DenoisingNetwork
        The network.

    Returns
    -------
    torch.Tensor
        float32, (M, network.in_channels, Y, X). Gray images are repeated for a color
        network; each color is an image of its own for a gray one.
    """
    batch = images_of(unit.float(), n_images).permute(0, 3, 1, 2)  # (N, C, Y, X)
    channels, height, width = batch.shape[1:]
    if channels == 1:
        return batch.expand(-1, network.in_channels, -1, -1)
    return batch.reshape(-1, network.in_channels, height, width)


def images_of_batch(output: Tensor, unit: Tensor, n_images: int) -> Tensor:
    """Invert `make_batch` for the network's output; colors of gray images are averaged.

    Parameters
    ----------
    output : torch.Tensor
        The denoised batch.
    unit : torch.Tensor
        The images that it was made of, whose shape, dtype and device the result has.
    n_images : int
        Their number.
    """
    height, width, n_channels = unit.shape
    images = output.to(unit.device).reshape(n_images, -1, height, width)
    if n_channels // n_images < images.shape[1]:
        images = images.mean(dim=1, keepdim=True)
    return images.permute(2, 3, 0, 1).flatten(2).to(unit.dtype)


def add_noise_inputs(batch: Tensor, noise: Sequence[float | Tensor]) -> Tensor:
    """Add a channel for each value, or map, (Y, X), that a network is told."""
    shape = (len(batch), 1, *batch.shape[-2:])
    maps = [
        value.to(batch) if isinstance(value, Tensor) else batch.new_full((1,), value)
        for value in noise
    ]
    return torch.cat([batch, *(each.expand(shape) for each in maps)], dim=1)


def pad_end(batch: Tensor, network: DenoisingNetwork) -> Tensor:
    """Reflect images, (..., Y, X), at their end to a size that a network takes."""
    for axis in (-2, -1):
        length = batch.shape[axis]
        wanted = padded_length(
            length, stride=network.stride, shortest=network.shortest_side
        )
        if wanted > length:
            added = (0, wanted - length)
            # Sides that are shorter than what is added are reflected repeatedly.
            index = np.pad(np.arange(length), added, mode="reflect")[length:]
            end = batch.index_select(axis, torch.tensor(index, device=batch.device))
            batch = torch.cat([batch, end], dim=axis)
    return batch
