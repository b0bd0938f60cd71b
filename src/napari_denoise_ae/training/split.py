"""Split images into training and validation, and prepare both for the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..errors import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Shares of red, green and blue in what a gray photograph shows.
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which images train and which validate: two arrays of indices."""

    train: NDArray[np.int64]
    val: NDArray[np.int64]


def split_indices(n_images: int, val_fraction: float, seed: int) -> Split:
    """Split image indices at random into training and validation.

    Parameters
    ----------
    n_images : int
        How many images there are.
    val_fraction : float
        Share of validation images, between 0 and 1; rounded to whole images.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    Split
        Indices without overlap that together are all images.

    Raises
    ------
    DatasetError
        If one of the two parts would be empty.
    """
    n_val = round(n_images * val_fraction)
    if not 0 < n_val < n_images:
        raise DatasetError(
            f"{n_images} images cannot be split with val_fraction {val_fraction:g}: "
            f"{n_val} would validate and {n_images - n_val} train. "
            "Use more images or another val_fraction."
        )
    order = np.random.default_rng(seed).permutation(n_images)
    return Split(train=np.sort(order[n_val:]), val=np.sort(order[:n_val]))


def to_gray(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn RGB images into gray ones; gray ones stay as they are.

    Parameters
    ----------
    images : numpy.ndarray
        (N, Y, X, 3) or (N, Y, X, 1), uint8.

    Returns
    -------
    numpy.ndarray
        (N, Y, X, 1), uint8: the luma of ITU-R BT.601.
    """
    if images.shape[-1] == 1:
        return images
    luma = images @ np.array(_LUMA, dtype=np.float32)
    gray: NDArray[np.uint8] = np.rint(luma).astype(np.uint8)[..., np.newaxis]
    return gray


def to_device(
    images: NDArray[np.uint8], channels: int, device: torch.device
) -> torch.Tensor:
    """Copy images to a device, as bytes.

    Parameters
    ----------
    images : numpy.ndarray
        (N, Y, X, 3) or (N, Y, X, 1), uint8.
    channels : int
        Channels that the network takes; RGB images become gray for 1.
    device : torch.device
        The device.

    Returns
    -------
    torch.Tensor
        (N, channels, Y, X), in the memory format channels last.
    """
    if channels == 1:
        images = to_gray(images)
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2)
