"""`residual`: an autoencoder with optional skip connections.

It is the network of the second teaching project.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from .base import DenoisingNetwork, require_at_least_one, require_bool

if TYPE_CHECKING:
    from torch import Tensor


class ResidualAutoencoder(DenoisingNetwork):
    """An encoder, a dense bottleneck and a decoder, with skip connections.

    The encoder halves the size of the image three times by max pooling, the
    bottleneck reduces the result to a vector, and the decoder doubles the size
    three times. The bottleneck loses detail, so skip connections pass the features
    of each encoder level to the decoder level of the same size.

    Parameters
    ----------
    in_channels : int
        Number of image channels.
    base_channels : int
        Number of channels of the first level. Each of the next two doubles it.
    latent_dim : int
        Length of the vector in the bottleneck.
    skip_connections : bool
        Whether the encoder and decoder levels are connected. If not, the decoder
        sees only the vector.

    Notes
    -----
    The dense bottleneck has weights for each pixel, so the network takes only
    images of 32 x 32 pixels. Larger images are processed in overlapping windows,
    see `napari_denoise_ae.denoising.blending`.

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
    # Stride and radius of the blended result, whose windows start every 16 pixels.
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
        self.halvings = nn.ModuleList(_halving(width) for width in widths)
        side = self.image_size // 2 ** len(widths)
        self.bottleneck = _bottleneck(widths[-1], side, latent)
        self.doublings = nn.ModuleList(
            _doubling(wide, narrow)
            for wide, narrow in pairwise((widths[-1], *reversed(widths)))
        )
        n_joined = 2 if skip_connections else 1
        self.refinements = nn.ModuleList(
            _refinement(n_joined * width, width) for width in reversed(widths)
        )
        self.output = nn.ConvTranspose2d(base, in_channels, 3, padding=1)

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise a batch of shape (N, in_channels, 32, 32), range [0, 1]."""
        # channels_last makes batch normalization and pooling of few channels faster.
        features = noisy.contiguous(memory_format=torch.channels_last)
        skipped = []
        for convolve, halve in zip(self.convolutions, self.halvings, strict=True):
            features = convolve(features)
            # Taken before batch normalization, because during training that makes
            # the brightness of an image depend on the others in its batch.
            skipped.append(features)
            features = halve(features)
        features = self.bottleneck(features)  # (N, 4 * base_channels, 4, 4)
        for double, refine, skip in zip(
            self.doublings, self.refinements, reversed(skipped), strict=True
        ):
            features = double(features)
            if self.skip_connections:
                features = torch.cat([features, skip], dim=1)
            features = refine(features)
        denoised: Tensor = self.output(features)
        return denoised


def _halving(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(2))


def _bottleneck(channels: int, side: int, latent_dim: int) -> nn.Sequential:
    n_features = channels * side**2
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(n_features, latent_dim),
        nn.ReLU(),
        nn.Linear(latent_dim, n_features),
        nn.ReLU(),
        nn.Unflatten(1, (channels, side, side)),
    )


def _doubling(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def _refinement(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, 3, padding=1),
        nn.ReLU(),
    )
