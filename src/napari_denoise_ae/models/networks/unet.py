"""`unet`: a small U-Net that takes the noise level, the network of `gray` and `rgb`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from ...errors import InvalidInputError
from .base import DenoisingNetwork, require_at_least_one, require_bool

if TYPE_CHECKING:
    from torch import Tensor

# Numbers of residual blocks, in the encoder at 1/2 and 1/4 of the image size, in the
# middle at 1/8, and in the decoder at 1/4 and 1/2.
_N_BLOCKS = (2, 1, 3, 1, 2)


class UNet(DenoisingNetwork):
    """A small U-Net at half resolution and below that predicts the noise.

    Pixel unshuffling first turns each square of 2 x 2 pixels into one pixel with
    four times the channels. Residual blocks then work at 1/2, 1/4, 1/8, 1/4 and
    1/2 of the image size, with additive skip connections. The output is the
    predicted noise, which is subtracted from the image.

    Parameters
    ----------
    in_channels : int
        Number of image channels.
    base_channels : int
        Number of channels at half size. Each of the two smaller sizes doubles it.
    noise_level : bool
        Whether the network takes the noise level and has no biases. It is then
        suitable for any noise level and intensity range: scaling the image and
        the level by a factor scales the output by the same factor. Otherwise, it
        is suitable for the noise it was trained on, and intensities in [0, 1].
    correlation : bool
        Whether a network that takes the noise level also takes the correlation of
        the noise between neighboring pixels.
    self_ensemble : bool
        Whether to denoise the mirrored image as well and average the two results.
        This doubles the computation, uses the same weights, and slightly improves
        the result.

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
        correlation: bool = False,
        self_ensemble: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = require_at_least_one("in_channels", in_channels)
        base = require_at_least_one("base_channels", base_channels)
        self.takes_noise_level = require_bool("noise_level", noise_level)
        self.takes_correlation = require_bool("correlation", correlation)
        if correlation and not noise_level:
            raise InvalidInputError(
                "The network option correlation=true requires noise_level=true."
            )
        self.self_ensemble = require_bool("self_ensemble", self_ensemble)
        bias = not noise_level
        half, quarter, eighth = base, 2 * base, 4 * base
        n_unshuffled = 4 * in_channels + self.n_noise_inputs
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
        # The same memory format as the features saves a tenth of the training time.
        self.to(memory_format=torch.channels_last)

    def coarse_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the layers below half of the image size."""
        coarse = (
            self.down_quarter,
            self.encoder_quarter,
            self.down_eighth,
            self.middle,
            self.up_quarter,
            self.decoder_quarter,
            self.up_half,
        )
        return [parameter for each in coarse for parameter in each.parameters()]

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise a batch; see `DenoisingNetwork` for shapes and ranges."""
        denoised = self._denoise(noisy)
        if self.self_ensemble:
            denoised = (denoised + self._denoise(noisy.flip(3)).flip(3)) / 2.0
        return denoised

    def _denoise(self, noisy: Tensor) -> Tensor:
        noisy, noise = noisy[:, : self.in_channels], noisy[:, self.in_channels :]
        # Networks that take the noise level get intensities that lie around 0.
        centered = noisy if self.takes_noise_level else noisy - 0.5
        features = torch.cat(
            [pixel_unshuffle(centered, 2), noise[..., ::2, ::2]], dim=1
        )
        # channels_last makes convolutions of few channels much faster.
        features = features.contiguous(memory_format=torch.channels_last)
        at_half = self.encoder_half(self.entrance(features))
        at_quarter = self.encoder_quarter(self.down_quarter(at_half))
        features = self.middle(self.down_eighth(at_quarter))
        features = self.decoder_quarter(self.up_quarter(features).add_(at_quarter))
        features = self.decoder_half(self.up_half(features).add_(at_half))
        # Back to full precision: training may compute in half precision.
        return noisy - pixel_shuffle(self.output(features).to(noisy.dtype), 2)


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int, bias: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=bias)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=bias)
        # Start close to the identity, so that a stack of blocks does not amplify
        # its input.
        with torch.no_grad():
            self.second.weight.mul_(0.3)

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.second(self.first(features).relu_())
        return change.add_(features)


def _blocks(channels: int, n_blocks: int, bias: bool) -> nn.Sequential:
    return nn.Sequential(*(_ResidualBlock(channels, bias) for _ in range(n_blocks)))
