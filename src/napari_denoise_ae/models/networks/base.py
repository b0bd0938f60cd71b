"""What every network of the package has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from torch import nn

from ...errors import InvalidInputError

if TYPE_CHECKING:
    from torch import Tensor


class DenoisingNetwork(nn.Module):
    """A network from noisy to denoised images.

    It takes and returns tensors of shape (N, `in_channels`, Y, X), float32,
    with the intensity range mapped to [0, 1]; Y and X are multiples of
    `stride`, or both `image_size` where a network has one. One that
    `takes_noise_level` takes intensities of any unit, shifted so that they lie
    around 0, and one more channel: each pixel's noise level in that unit. One of
    `image_size` reaches larger images through
    `napari_denoise_ae.denoising.blending`, and what is said here of shifts and of
    the receptive field holds for the two together.

    Attributes
    ----------
    in_channels : int
        Channels that it takes and returns: 1 for gray, 3 for RGB.
    stride : int
        Total stride of the encoder, in pixels. Shifting the input by a
        multiple of it shifts the output; by anything else it does not.
    receptive_field_radius : int
        How far, in pixels, an input pixel can be from an output pixel that
        depends on it.
    image_size : int or None
        Rows and columns of the only images that the network takes; None where
        it takes any multiple of `stride`.
    takes_noise_level : bool
        Whether it is told how noisy the images are.
    """

    image_size: ClassVar[int | None] = None
    stride: ClassVar[int]
    receptive_field_radius: ClassVar[int]
    takes_noise_level: bool = False
    in_channels: int

    @property
    def n_inputs(self) -> int:
        """Channels that `forward` takes: those of the image, and the noise level."""
        return self.in_channels + self.takes_noise_level

    def forward(self, noisy: Tensor) -> Tensor:
        """Denoise a batch; see the class for shapes and ranges."""
        raise NotImplementedError


# More than any network has; what torch can count is far beyond it.
_LARGEST_SIZE = 2**16


def require_at_least_one(name: str, value: object) -> int:
    """Return `value` if it is an integer above 0, and no absurd one; else raise."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, int) or not is_integer or not 1 <= value <= _LARGEST_SIZE:
        raise InvalidInputError(
            f"The network option {name} must be an integer above 0 and at most "
            f"{_LARGEST_SIZE:,}, got {value!r}."
        )
    return value


def require_bool(name: str, value: object) -> bool:
    """Return `value` if it is true or false; else raise."""
    if not isinstance(value, bool):
        raise InvalidInputError(
            f"The network option {name} must be true or false, got {value!r}."
        )
    return value
