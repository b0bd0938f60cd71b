"""Run a network that takes images of one size on larger images.

The image is cut into windows of that size that overlap their neighbors by half.
The output is the weighted mean of the results. The weights decrease smoothly toward
the borders of a window, so no seams are visible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import fold, unfold

from ..models.networks.call import call_network

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.networks.base import DenoisingNetwork

# Number of windows in a batch: enough to keep a processor busy with little memory.
_N_WINDOWS = 256


def run_network(network: DenoisingNetwork, batch: Tensor) -> Tensor:
    """Run a network on images of any size that fits its stride.

    Parameters
    ----------
    network : DenoisingNetwork
        The network.
    batch : torch.Tensor
        (N, channels, Y, X). Y and X must be multiples of the network's stride and at
        least its image size, if it has one.

    Returns
    -------
    torch.Tensor
        The output, with the shape of `batch`.
    """
    size = network.image_size
    if size is None or batch.shape[-2:] == (size, size):
        return call_network(network, batch)
    return _run_in_windows(network, batch, size)


def _run_in_windows(network: DenoisingNetwork, batch: Tensor, size: int) -> Tensor:
    """Run a network on windows of `size` pixels and blend the results.

    An output pixel depends on all windows that cover it, and so on input pixels up to
    ``size - 1`` away.
    """
    n_images, channels, height, width = batch.shape
    step = size // 2
    columns = unfold(batch, size, stride=step)  # (N, channels * size * size, windows)
    windows = columns.transpose(1, 2).reshape(-1, channels, size, size)
    weights = _weights(size).to(batch)
    denoised = torch.cat(
        [call_network(network, part) * weights for part in windows.split(_N_WINDOWS)]
    )
    # A network may return fewer channels than it takes: those of the noise are missing.
    columns = denoised.reshape(n_images, -1, denoised[0].numel()).transpose(1, 2)
    total = fold(columns, (height, width), size, stride=step)
    covered = weights.reshape(1, -1, 1).expand(1, -1, columns.shape[-1])
    return total / fold(covered, (height, width), size, stride=step)


def _weights(size: int) -> Tensor:
    """Return positive weights, (size, size), highest in the center."""
    angle = (torch.arange(size) + 0.5) * (torch.pi / size)
    row = torch.sin(angle) ** 2
    return row[:, None] * row
