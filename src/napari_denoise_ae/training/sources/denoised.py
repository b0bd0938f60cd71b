"""Windows of noisy images that a model has denoised before it is adapted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ..images.positions import Position


@dataclass(frozen=True, slots=True, eq=False)
class DenoisedWindow:
    """A part of an image, denoised by the model that is adapted.

    Parameters
    ----------
    noisy : torch.Tensor
        The noisy image, in its own units, (channels, Y, X).
    clean : torch.Tensor
        The denoised image in the same units, without the bias of clipped noise.
    mean : torch.Tensor
        The network's output, which has that bias.
    counted : torch.Tensor
        Same shape, True for pixels that the network sees.
    position : Position
        Where it is.
    """

    noisy: Tensor
    clean: Tensor
    mean: Tensor
    counted: Tensor
    position: Position

    def cut(self, top: int, left: int, side: int) -> DenoisedWindow:
        """Return a patch of the window."""
        rows, columns = slice(top, top + side), slice(left, left + side)
        noisy, clean, mean, counted = (
            each[:, rows, columns]
            for each in (self.noisy, self.clean, self.mean, self.counted)
        )
        return DenoisedWindow(noisy, clean, mean, counted, self.position)
