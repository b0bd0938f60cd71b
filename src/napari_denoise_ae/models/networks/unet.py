"""`unet`: the network of the built-in models, told how noisy the image is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from .base import DenoisingNetwork, require_at_least_one, require_bool

if TYPE_CHECKING:
    from torch import Tensor

# Residual blocks at a half, a quarter and an eighth of the image's size, and at
# a quarter and a half again.
_N_BLOCKS = (2, 1, 3, 1, 2)


class UNet(DenoisingNetwork):
    """A small U-Net that works at half size and below, and estimates the noise.

    Four pixels become one with four times the channels; then come residual
    blocks at a half, a quarter and an eighth of the image's size and back,
    joined by additive skip connections. What comes out is the noise, which is
    subtracted.

    Parameters
    ----------
    in_channels : int
        Channels of the image.
    base_channels : int
        Channels at half size; each level below doubles them.
    noise_level : bool
        Whether the network is told the noise level, and has no biases. It then
        suits any noise level and any intensities: to scale the image and the
        level by a factor scales the result by it. Without, it suits the noise
        that it was trained for, in intensities from 0 to 1.
    self_ensemble : bool
        Whether it sees the mirror image, too, and answers the mean of both:
        twice the work with the same weights, and a little better.

    References
    ----------
    .. [1] Mohan et al., Robust and interpretable blind image denoising via
       bias-free convolutional neural networks, ICLR 2020, arXiv:1906.05478.
    .. [2] Zhang et al., FFDNet: toward a fast and flexible solution for
       CNN-based image denoising, 2018, :doi:`10.1109/TIP.2018.2839891`.
    .. [3] Zhang et al., Plug-and-play image restoration with deep denoiser
       prior, 2021, :doi:`10.1109/TPAMI.2021.3088914`.
    .. [4] Timofte et al., Seven ways to improve example-based single
       image super resolution, CVPR 2016, :doi:`10.1109/CVPR.2016.206`.
    """

    stride = 8
    receptive_field_radius = 91

    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 32,
        noise_level: bool = True,
        self_ensemble: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = require_at_least_one("in_channels", in_channels)
        base = require_at_least_one("base_channels", base_channels)
        self.takes_noise_level = require_bool("noise_level", noise_level)
        self.self_ensemble = require_bool("self_ensemble", self_ensemble)
        bias = not noise_level
        half, quarter, eighth = base, 2 * base, 4 * base
        n_unshuffled = 4 * in_channels + noise_level
        self.entrance = nn.Conv2d(n_unshuffled, half, 3, padding=1, bias=bias)
        self.encoder_half = _blocks(half, _N_BLOCKS[0], bias)
        self.down_quarter = nn.Conv2d(half, quarter, 2, stride=2, bias=bias)
        self.encoder_quarter = _blocks(quarter, _N_BLOCKS[1], bias)
        self.down_eighth = nn.Conv2d(quarter, eighth, 2, stride=2, bias=bias)
        self.middle = _blocks(eighth, _N_BLOCKS[2], bias)
        self.up_quarter = nn.ConvTranspose2d(eighth, quarter, 2, stride=2, bias=bias)
        self.decoder_quarter = _blocks(quarter, _N_BLOCKS[3], bias)
        self.up_half = nn.ConvTranspose2d(quarter, half, 2, stride=2, bias=bias)
        self.decoder_half = _blocks(half, _N_BLOCKS[4], bias)
        self.output = nn.Conv2d(half, 4 * in_channels, 3, padding=1, bias=bias)
        # As the features, which saves training a tenth of its time.
        self.to(memory_format=torch.channels_last)

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise a batch of shape (N, in_channels, Y, X), see `DenoisingNetwork`.

        With `noise_level` it has one more channel, the level.
        """
        denoised = self._denoise(noisy)
        if self.self_ensemble:
            denoised = (denoised + self._denoise(noisy.flip(3)).flip(3)) / 2.0
        return denoised

    def _denoise(self, noisy: Tensor) -> Tensor:
        noisy, level = noisy[:, : self.in_channels], noisy[:, self.in_channels :]
        # Without a level, intensities are 0 to 1; with, they lie around 0.
        centered = noisy if self.takes_noise_level else noisy - 0.5
        features = torch.cat(
            [pixel_unshuffle(centered, 2), level[..., ::2, ::2]], dim=1
        )
        # Convolutions of few channels are much faster so.
        features = features.contiguous(memory_format=torch.channels_last)
        at_half = self.encoder_half(self.entrance(features))
        at_quarter = self.encoder_quarter(self.down_quarter(at_half))
        features = self.middle(self.down_eighth(at_quarter))
        features = self.decoder_quarter(self.up_quarter(features).add_(at_quarter))
        features = self.decoder_half(self.up_half(features).add_(at_half))
        # Not in the half precision that training may compute in.
        noise = pixel_shuffle(self.output(features).to(noisy.dtype), 2)
        return noisy - noise


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int, bias: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=bias)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=bias)
        # A block begins as little more than its input, so that a stack of them
        # does not begin by making it larger.
        with torch.no_grad():
            self.second.weight.mul_(0.3)

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.second(self.first(features).relu_())
        return change.add_(features)


def _blocks(channels: int, number: int, bias: bool) -> nn.Sequential:
    return nn.Sequential(*(_ResidualBlock(channels, bias) for _ in range(number)))
