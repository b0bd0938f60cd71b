"""Read CIFAR-10 and split it into training and test images."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DatasetError
from ..native_libraries import load_triton_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Name of the data set; the names of its image sets begin with it.
CIFAR10 = "CIFAR-10"
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10_HASH = "md5:c58f30108f718f92721af3b95e74349a"
CIFAR10_FOLDER = "cifar-10-batches-py"


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Clean images of equal size, in memory.

    Parameters
    ----------
    name : str
        Human-readable name.
    images : numpy.ndarray
        Shape (N, Y, X, channels), uint8, range 0 to 255.
    """

    name: str
    images: NDArray[np.uint8]

    @property
    def sha256(self) -> str:
        """Checksum of the images, with which a checkpoint identifies its data."""
        return hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest()


def load_cifar10(folder: str | Path, *, train: bool) -> ImageSet:
    """Read CIFAR-10.

    Parameters
    ----------
    folder : path
        Folder that contains ``cifar-10-batches-py``, or that folder itself.
    train : bool
        True for the 50,000 training images, False for the 10,000 test images.

    Returns
    -------
    ImageSet
        (N, 32, 32, 3) RGB images, checked against torchvision's checksums.

    Raises
    ------
    DatasetError
        If the data is missing or damaged.

    References
    ----------
    .. [1] Krizhevsky, Learning multiple layers of features from tiny images,
       2009, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    require_cifar10(folder)
    root = cifar10_root(folder)
    load_triton_apart()
    from torchvision import datasets

    # torchvision compares checksums before it unpickles anything.
    try:
        data = datasets.CIFAR10(root=str(root), train=train, download=False).data
    except (RuntimeError, OSError, pickle.UnpicklingError) as error:
        raise DatasetError(
            f"The CIFAR-10 files in {root / CIFAR10_FOLDER} are incomplete or "
            f"damaged. Remove that folder and download it again from {CIFAR10_URL}."
        ) from error
    part = "training" if train else "test"
    return ImageSet(name=f"{CIFAR10} {part} set", images=data)


def load_training_images(folder: str | Path, *, n_test: int) -> ImageSet:
    """Read the CIFAR-10 images for training and validation.

    Parameters
    ----------
    folder : path
        See `load_cifar10`.
    n_test : int
        Size of the test set: the first `n_test` test images are excluded, see
        `load_test_images`.

    Returns
    -------
    ImageSet
        The 50,000 training images and the remaining test images.

    Raises
    ------
    DatasetError
        See `load_cifar10`.
    """
    training = load_cifar10(folder, train=True)
    remaining = load_cifar10(folder, train=False).images[n_test:]
    if not len(remaining):
        return training
    name = f"{training.name} and test images from {n_test + 1:,} on"
    return ImageSet(name, np.concatenate([training.images, remaining]))


def load_test_images(folder: str | Path, *, n_test: int) -> ImageSet:
    """Read the first `n_test` images of CIFAR-10's test set.

    Raises
    ------
    DatasetError
        See `load_cifar10`.
    """
    test = load_cifar10(folder, train=False)
    return ImageSet(test.name, test.images[:n_test])


def has_cifar10(folder: str | Path) -> bool:
    """Return whether a folder contains CIFAR-10, without reading its files.

    Parameters
    ----------
    folder : path
        Folder that contains ``cifar-10-batches-py``, or that folder itself.
    """
    return (cifar10_root(folder) / CIFAR10_FOLDER).is_dir()


def require_cifar10(folder: str | Path) -> None:
    """Raise unless a folder contains CIFAR-10, without reading its files.

    Parameters
    ----------
    folder : path
        See `has_cifar10`.

    Raises
    ------
    DatasetError
        If it does not; the message says what to download and where to unpack it.
    """
    if not has_cifar10(folder):
        raise DatasetError(missing_cifar10(cifar10_root(folder)))


def cifar10_root(folder: str | Path) -> Path:
    """Return the folder that contains ``cifar-10-batches-py``."""
    root = Path(folder)
    return root.parent if root.name == CIFAR10_FOLDER else root


def missing_cifar10(root: Path) -> str:
    """Return the error message for a folder without CIFAR-10."""
    return (
        f"CIFAR-10 was not found: expected the folder {root / CIFAR10_FOLDER}. "
        f"Download {CIFAR10_URL} and unpack it into {root}, or name the folder "
        "that contains it."
    )
