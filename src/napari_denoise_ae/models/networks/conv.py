"""`conv`: a plain convolutional autoencoder, from the first teaching project."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from torch import nn

from .base import DenoisingNetwork, require_at_least_one

if TYPE_CHECKING:
    from torch import Tensor


class ConvAutoencoder(DenoisingNetwork):
    """A plain convolutional autoencoder.

    The encoder has three convolutions of stride 2, each of which halves the size
    of the image. The decoder has three transposed convolutions. It sees only the
    code, an eighth as wide and high as the image, so the network cannot copy its
    input and has to learn what images look like.

    Parameters
    ----------
    in_channels : int
        Number of image channels.
    base_channels : int
        Number of channels after the first convolution. Each of the next two
        doubles it.

    Notes
    -----
    With the default options, the network has 186,371 parameters. An output pixel
    depends on input pixels up to 14 away: the three convolutions of the encoder
    add 1, 2 and 4 pixels, those of the decoder 4, 2 and 1.
    """

    stride = 8
    receptive_field_radius = 14

    def __init__(self, in_channels: int = 3, base_channels: int = 32) -> None:
        super().__init__()
        self.in_channels = require_at_least_one("in_channels", in_channels)
        base = require_at_least_one("base_channels", base_channels)
        widths = (in_channels, base, 2 * base, 4 * base)
        encoder: list[nn.Module] = []
        decoder: list[nn.Module] = []
        for narrow, wide in itertools.pairwise(widths):
            encoder += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.ReLU()]
            decoder[:0] = [
                nn.ConvTranspose2d(
                    wide, narrow, 3, stride=2, padding=1, output_padding=1
                ),
                nn.ReLU(),
            ]
        self.encoder = nn.Sequential(*encoder)
        self.decoder = nn.Sequential(*decoder[:-1], nn.Sigmoid())

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise a batch of shape (N, in_channels, Y, X), range [0, 1]."""
        code = self.encoder(noisy)  # (N, 4 * base_channels, Y / 8, X / 8)
        denoised: Tensor = self.decoder(code)  # (N, in_channels, Y, X)
        return denoised
