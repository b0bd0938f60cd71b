"""The base class of the networks, and checks of their options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from ...errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor

    from ...image.intensity_rule import IntensityRule


class DenoisingNetwork(nn.Module):
    """Base class of networks that map noisy images to denoised images.

    A network takes and returns float32 tensors of shape (N, `in_channels`, Y, X)
    whose intensity range is mapped to [0, 1]. Y and X are multiples of `stride`,
    or both are `image_size` if the network has a fixed size.

    A network with `takes_noise_level` instead takes intensities in any unit,
    shifted so that they lie around 0. Its input has one more channel, the noise
    level of each pixel in the same unit. If it also `takes_correlation`, two more
    channels hold the noise level times the noise's correlation between neighbors
    along X and along Y.

    A network with a fixed `image_size` is applied to larger images in overlapping
    windows by `napari_denoise_ae.denoising.blending`. Its `stride` and
    `receptive_field_radius` are those of the blended result.

    Attributes
    ----------
    in_channels : int
        Number of image channels: 1 for gray, 3 for RGB.
    stride : int
        Total stride of the encoder, in pixels. Shifting the input shifts the
        output by the same amount only for multiples of it.
    receptive_field_radius : int
        Largest distance, in pixels along an axis, between an output pixel and
        an input pixel that affects it.
    image_size : int or None
        Number of rows, equal to the number of columns, if the network takes
        images of only one size; None if it takes any multiple of `stride`.
    takes_noise_level : bool
        Whether the noise level is an input of the network.
    takes_correlation : bool
        Whether the correlation of the noise is an input, too.
    takes_noise_maps : bool
        Whether the noise level may differ from pixel to pixel.
    intensity_rule : IntensityRule or None
        How the network normalizes intensities if it takes no noise level. None means
        that it sees the intensity range as 0 to 1.
    bytes_per_pixel : float or None
        Memory that the network needs for each pixel of an image. None means that it
        is measured by running the network.
    """

    image_size: int | None = None
    stride: int
    receptive_field_radius: int
    takes_noise_level: bool = False
    takes_correlation: bool = False
    takes_noise_maps: bool = True
    intensity_rule: IntensityRule | None = None
    bytes_per_pixel: float | None = None
    in_channels: int

    @property
    def shortest_side(self) -> int:
        """Smallest number of rows and of columns of an image."""
        return self.image_size or 0

    @property
    def uses_range(self) -> bool:
        """Whether the intensity range of an image decides what the network sees."""
        return not self.takes_noise_level and self.intensity_rule is None

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def n_inputs(self) -> int:
        """Number of input channels: those of the image and those of the noise."""
        return self.in_channels + self.n_noise_inputs

    @property
    def n_noise_inputs(self) -> int:
        """Number of input channels that describe the noise: 0, 1 or 3."""
        return self.takes_noise_level + 2 * self.takes_correlation

    def coarse_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the layers below the finest resolution.

        A network without such layers, which is the default, returns all parameters.
        """
        return list(self.parameters())

    def trained_parameters(self, layers: str) -> list[nn.Parameter]:
        """Return the parameters that a run trains.

        Parameters
        ----------
        layers : str
            The setting `trained_layers`: ``"all"`` or ``"coarse"``.
        """
        if layers == "coarse":
            return self.coarse_parameters()
        return list(self.parameters())

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise a batch; see the class for shapes and ranges."""
        raise NotImplementedError


# Far more than any network needs, and far less than overflows in torch.
_LARGEST_SIZE = 2**16


def require_at_least_one(name: str, value: object) -> int:
    """Return a network option if it is an integer from 1 to 65,536; else raise.

    Parameters
    ----------
    name : str
        Name of the option, for the error message.
    value : object
        Its value.

    Raises
    ------
    InvalidInputError
        If the value is of another type or out of range.
    """
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, int) or not is_integer or not 1 <= value <= _LARGEST_SIZE:
        raise InvalidInputError(
            f"The network option {name} must be an integer above 0 and at most "
            f"{_LARGEST_SIZE:,}, got {value!r}."
        )
    return value


def require_bool(name: str, value: object) -> bool:
    """Return a network option if it is a bool; else raise.

    Parameters
    ----------
    name : str
        Name of the option, for the error message.
    value : object
        Its value.

    Raises
    ------
    InvalidInputError
        If the value is of another type.
    """
    if not isinstance(value, bool):
        raise InvalidInputError(
            f"The network option {name} must be true or false, got {value!r}."
        )
    return value
