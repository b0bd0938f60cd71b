"""Blind spots of Noise2Void: hide pixels from the network that must predict them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

# Noise of pixels whose correlation is lower counts as independent.
_LEAST_CORRELATION = 0.1
# How far beyond the hidden pixels their replacements are taken from, in pixels.
_REACH = 2


@dataclass(frozen=True, slots=True)
class BlindSpots:
    """Hides some pixels of an image, each with the pixels that share its noise.

    Parameters
    ----------
    spacing : int
        Side of the squares of which each has one blind spot, at a random place.
    extent : tuple of int
        How far the pixels around a blind spot are hidden along Y and X: 0 for white
        noise.

    References
    ----------
    .. [1] Krull, Buchholz and Jug, Noise2Void: learning denoising from single noisy
       images, CVPR 2019, arXiv:1811.10980.
    .. [2] Broaddus et al., Removing structured noise with self-supervised blind-spot
       networks, ISBI 2020, :doi:`10.1109/ISBIWorkshops50223.2020.9153336`.
    """

    spacing: int
    extent: tuple[int, int] = (0, 0)

    def hide(self, noisy: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Replace the values at random blind spots by those of other pixels nearby.

        Parameters
        ----------
        noisy : torch.Tensor
            (N, C, Y, X), with sides of at least 32 pixels; not modified.
        generator : torch.Generator
            Source of the random numbers, on the device of `noisy`.

        Returns
        -------
        hidden : torch.Tensor
            Same shape: what the network sees. A hidden value is replaced by that of a
            random neighbor that does not share its noise.
        spots : torch.Tensor
            (N, 1, Y, X), True at the blind spots, where the network's output is
            compared with `noisy`.
        """
        spots = self._draw_spots(noisy, generator)
        around = spots
        if any(self.extent):
            sides = [2 * each + 1 for each in self.extent]
            grown = torch.nn.functional.max_pool2d(
                spots.to(noisy.dtype), sides, stride=1, padding=self.extent
            )
            around = grown > 0
        return torch.where(around, self._neighbors(noisy, generator), noisy), spots

    def _draw_spots(self, noisy: Tensor, generator: Generator) -> Tensor:
        """Draw one pixel in each square, (N, 1, Y, X)."""
        side = self.spacing
        n_images, _, height, width = noisy.shape
        rows, columns = math.ceil(height / side), math.ceil(width / side)
        chosen = torch.randint(
            side**2,
            (n_images, rows, 1, columns, 1),
            generator=generator,
            device=noisy.device,
        )
        places = torch.arange(side**2, device=noisy.device).reshape(1, 1, side, 1, side)
        spots = (places == chosen).reshape(n_images, 1, rows * side, columns * side)
        return spots[..., :height, :width]

    def _neighbors(self, noisy: Tensor, generator: Generator) -> Tensor:
        """Return the value of a random neighbor of each pixel."""
        n_images, _, height, width = noisy.shape
        device = noisy.device
        offsets = torch.tensor(self.offsets(), device=device)
        shape = (n_images, height, width)
        number = torch.randint(len(offsets), shape, generator=generator, device=device)
        rows = torch.arange(height, device=device)[:, None]
        columns = torch.arange(width, device=device)
        chosen = offsets[number].unbind(-1)
        rows = _inside(rows, chosen[0], height)
        index = (
            (rows * width + _inside(columns, chosen[1], width))
            .reshape(n_images, 1, -1)
            .expand(-1, noisy.shape[1], -1)
        )
        return noisy.flatten(2).gather(2, index).reshape(noisy.shape)

    def offsets(self) -> list[tuple[int, int]]:
        """Return where replacements come from, along Y and X, relative to a pixel.

        They lie outside the hidden pixels, wherever among these the pixel is.
        """
        inner = [2 * each for each in self.extent]
        reach_y, reach_x = (each + _REACH for each in inner)
        return [
            (y, x)
            for y in range(-reach_y, reach_y + 1)
            for x in range(-reach_x, reach_x + 1)
            if abs(y) > inner[0] or abs(x) > inner[1]
        ]


def extent_of_correlation(correlation: tuple[float, float]) -> tuple[int, int]:
    """Return how far pixels share noise along Y and X, for `BlindSpots`.

    Parameters
    ----------
    correlation : tuple of float
        Correlation of neighboring pixels along X and Y, below 1.
    """
    x, y = (_lags(each) for each in correlation)
    return y, x


def _lags(correlation: float) -> int:
    """Return the largest distance at which blurred noise is correlated."""
    if correlation < _LEAST_CORRELATION:
        return 0
    # The correlation at a distance of k pixels is the k²-th power of that of neighbors.
    return math.floor(math.sqrt(math.log(_LEAST_CORRELATION) / math.log(correlation)))


def _inside(positions: Tensor, steps: Tensor, length: int) -> Tensor:
    """Add steps to positions; those that leave the image go the other way."""
    moved = positions + steps
    outside = (moved < 0) | (moved >= length)
    return torch.where(outside, positions - steps, moved)
