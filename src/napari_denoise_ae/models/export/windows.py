"""Overlapping windows for networks of a fixed size, in operations that ONNX has.

The result is that of `napari_denoise_ae.denoising.blending`, whose `fold` and loop over
batches of windows cannot be exported for images of any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from ..networks.base import DenoisingNetwork


def run_in_windows(network: DenoisingNetwork, batch: Tensor, size: int) -> Tensor:
    """Run a network on windows that overlap by half, and blend the results.

    Parameters
    ----------
    network : DenoisingNetwork
        The network.
    batch : torch.Tensor
        (N, channels, Y, X). Y and X must be multiples of half the window, and at least
        as long as a window.
    size : int
        Rows and columns of a window; even.

    Returns
    -------
    torch.Tensor
        The output, with the shape of `batch`.
    """
    n_images, channels, height, width = batch.shape
    half = size // 2
    rows, columns = height // half, width // half
    blocks = batch.reshape(n_images, channels, rows, half, columns, half)
    tall = torch.cat([blocks[:, :, :-1], blocks[:, :, 1:]], dim=3)
    windows = torch.cat([tall[..., :-1, :], tall[..., 1:, :]], dim=5)
    # Axes: N, channels, rows - 1, size, columns - 1, size.
    images = windows.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, size, size)
    denoised = network(images).reshape(
        n_images, rows - 1, columns - 1, channels, size, size
    )
    weights = _weights(size)[:, None, :]
    weighted = denoised.permute(0, 3, 1, 4, 2, 5) * weights
    total = _overlap_add(_overlap_add(weighted, 2), 4)
    covered = _overlap_add(_overlap_add(torch.ones_like(weighted) * weights, 2), 4)
    return (total / covered).reshape(n_images, channels, height, width)


def _overlap_add(windows: Tensor, axis: int) -> Tensor:
    """Add overlapping windows along an axis; their pixels are along the next."""
    first, second = windows.chunk(2, dim=axis + 1)
    nothing = torch.zeros_like(first.narrow(axis, 0, 1))
    return torch.cat([first, nothing], axis) + torch.cat([nothing, second], axis)


def _weights(size: int) -> Tensor:
    """Return positive weights, (size, size), highest in the center."""
    angle = (torch.arange(size) + 0.5) * (torch.pi / size)
    row = torch.sin(angle) ** 2
    return row[:, None] * row
