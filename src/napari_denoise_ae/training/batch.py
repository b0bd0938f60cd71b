"""A batch of training: what the network sees, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Batch:
    """Images for one step of training or validation, on the training device.

    Parameters
    ----------
    noisy : torch.Tensor
        What the network sees, (N, channels, Y, X), float32.
    target : torch.Tensor
        What its output is compared with, same shape, about in [0, 1].
    n_images : int
        Number of images that the batch was made from: its weight in mean losses.
    told : torch.Tensor, optional
        What the network is told of the noise of each image, (N, 3): its standard
        deviation in the units of `noisy`, and that times the correlation of
        neighbors along X and along Y. None for networks that are not told.
    center : torch.Tensor or float
        Subtracted from the input and added to the output of a network that takes a
        noise level; (N, 1, 1, 1) or a number.
    decode : callable, optional
        Differentiable map from the network's output to the units of `target`. None
        if they are the same.
    counted : torch.Tensor, optional
        Same shape as `target`, or (N, 1, Y, X), True for pixels that are compared.
        None for all.
    """

    noisy: Tensor
    target: Tensor
    n_images: int
    told: Tensor | None = None
    center: Tensor | float = 0.5
    decode: Callable[[Tensor], Tensor] | None = None
    counted: Tensor | None = None
