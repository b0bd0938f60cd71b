"""`residual`: the second teaching project, with skip connections to switch off."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from .base import DenoisingNetwork, require_at_least_one, require_bool

if TYPE_CHECKING:
    from torch import Tensor


class ResidualAutoencoder(DenoisingNetwork):
    """An encoder, a dense bottleneck and a decoder, joined by skip connections.

    The encoder halves the image three times by max pooling; the bottleneck
    squeezes what is left into a vector; the decoder doubles it again three
    times. What the bottleneck has lost, the skip connections bring back: each
    hands the features of an encoder level to the decoder level of the same
    size.

    Parameters
    ----------
    in_channels : int
        Channels of the image.
    base_channels : int
        Channels of the first level; the next two double them.
    latent_dim : int
        Length of the vector that the bottleneck squeezes an image into.
    skip_connections : bool
        Whether the levels are joined. Without, all that the decoder knows of
        an image is that vector.

    Notes
    -----
    The dense bottleneck has a weight for each pixel, so it takes images of
    32 x 32 pixels and no others; larger ones go through it in windows, see
    `napari_denoise_ae.denoising.blending`.

    References
    ----------
    .. [1] Ronneberger et al., U-Net: convolutional networks for biomedical
       image segmentation, 2015, :doi:`10.1007/978-3-319-24574-4_28`.
    .. [2] Mao et al., Image restoration using very deep convolutional
       encoder-decoder networks with symmetric skip connections, NIPS 2016,
       arXiv:1603.09056.
    .. [3] Ioffe and Szegedy, Batch normalization: accelerating deep network
       training by reducing internal covariate shift, ICML 2015,
       arXiv:1502.03167.
    """

    image_size = 32
    # Of the network in windows that begin every 16 pixels.
    stride = 16
    receptive_field_radius = 31

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 16,
        latent_dim: int = 128,
        skip_connections: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels = require_at_least_one("in_channels", in_channels)
        base = require_at_least_one("base_channels", base_channels)
        latent = require_at_least_one("latent_dim", latent_dim)
        self.skip_connections = require_bool("skip_connections", skip_connections)
        widths = (base, 2 * base, 4 * base)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(narrow, wide, 3, padding=1, bias=False)
            for narrow, wide in pairwise((in_channels, *widths))
        )
        self.halvings = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2))
            for width in widths
        )
        side = self.image_size // 2 ** len(widths)
        code = (widths[-1], side, side)
        n_code = widths[-1] * side**2
        self.bottleneck = nn.Sequential(
            nn.Flatten(),
            nn.Linear(n_code, latent),
            nn.ReLU(),
            nn.Linear(latent, n_code),
            nn.ReLU(),
            nn.Unflatten(1, code),
        )
        self.doublings = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(wide, narrow, 2, stride=2, bias=False),
                nn.BatchNorm2d(narrow),
                nn.ReLU(),
            )
            for wide, narrow in pairwise((widths[-1], *reversed(widths)))
        )
        n_joined = 2 if skip_connections else 1
        self.refinements = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(n_joined * width, width, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
                nn.ReLU(),
            )
            for width in reversed(widths)
        )
        self.output = nn.ConvTranspose2d(base, in_channels, 3, padding=1)

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise a batch of shape (N, in_channels, 32, 32), range [0, 1]."""
        # Batch normalization and pooling of few channels are faster so.
        features = noisy.contiguous(memory_format=torch.channels_last)
        levels = []
        for convolve, halve in zip(self.convolutions, self.halvings, strict=True):
            features = convolve(features)
            # Before batch normalization: it moves an image's brightness with the
            # batch that the image happens to be in, too much to draw it from.
            levels.append(features)
            features = halve(features)
        features = self.bottleneck(features)  # (N, 4 * base_channels, 4, 4)
        for double, refine, level in zip(
            self.doublings, self.refinements, reversed(levels), strict=True
        ):
            features = double(features)
            if self.skip_connections:
                features = torch.cat([features, level], dim=1)
            features = refine(features)
        denoised: Tensor = self.output(features)
        return denoised
