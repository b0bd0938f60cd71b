"""Split images into training and validation, and copy them to the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import DatasetError
from .images.collection import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Weights of red, green, and blue in the luma of ITU-R BT.601.
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Indices of the training images and of the validation images, both sorted."""

    train: NDArray[np.int64]
    val: NDArray[np.int64]


def split_indices(n_images: int, val_fraction: float, seed: int) -> Split:
    """Split image indices at random into training and validation.

    Parameters
    ----------
    n_images : int
        Number of images.
    val_fraction : float
        Fraction of validation images, between 0 and 1; rounded to whole images.
    seed : int
        Random seed. The same seed gives the same split.

    Returns
    -------
    Split
        Disjoint indices that together cover all images.

    Raises
    ------
    DatasetError
        If either part would be empty.
    """
    n_val = round(n_images * val_fraction)
    if not 0 < n_val < n_images:
        raise DatasetError(
            f"{counted(n_images, 'image')} cannot be split with val_fraction "
            f"{val_fraction:g}: {n_val} would be for validation and "
            f"{n_images - n_val} for training. Use more images or another val_fraction."
        )
    order = np.random.default_rng(seed).permutation(n_images)
    return Split(train=np.sort(order[n_val:]), val=np.sort(order[:n_val]))


def to_gray(images: NDArray[Any]) -> NDArray[Any]:
    """Convert RGB images to gray; gray images are returned unchanged.

    Parameters
    ----------
    images : numpy.ndarray
        (..., 3) or (..., 1), integers or floating-point.

    Returns
    -------
    numpy.ndarray
        (..., 1), same dtype: the luma of ITU-R BT.601, rounded for integers.
    """
    if images.shape[-1] == 1:
        return images
    # float32 holds the luma of 8 bits exactly enough to be rounded.
    dtype = np.float32 if images.dtype == np.uint8 else np.float64
    luma = images @ np.array(_LUMA, dtype=dtype)
    if images.dtype.kind in "iu":
        luma = np.rint(luma)
    gray: NDArray[Any] = luma.astype(images.dtype)[..., np.newaxis]
    return gray


def to_device(
    images: NDArray[np.uint8], channels: int, device: torch.device
) -> torch.Tensor:
    """Copy uint8 images to a device, with the channels that the network takes.

    Parameters
    ----------
    images : numpy.ndarray
        (N, Y, X, 3) or (N, Y, X, 1), uint8.
    channels : int
        Number of input channels of the network; 1 converts RGB images to gray.
    device : torch.device
        Target device.

    Returns
    -------
    torch.Tensor
        (N, channels, Y, X), uint8, in channels-last memory format.
    """
    if channels == 1:
        images = to_gray(images)
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2)
