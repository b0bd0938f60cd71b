"""Training and test images: where they come from and how they are split."""

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

#: The data set, as the names of its parts begin.
CIFAR10 = "CIFAR-10"
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CIFAR10_HASH = "md5:c58f30108f718f92721af3b95e74349a"
CIFAR10_FOLDER = "cifar-10-batches-py"


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Clean images of one size, held as bytes.

    Parameters
    ----------
    name : str
        What the images are, for a user to read.
    images : numpy.ndarray
        Shape (N, Y, X, channels), uint8, range 0 to 255.
    """

    name: str
    images: NDArray[np.uint8]

    @property
    def sha256(self) -> str:
        """Checksum of the images, so that a checkpoint can name its data."""
        return hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest()


def load_cifar10(folder: str | Path, *, train: bool) -> ImageSet:
    """Read CIFAR-10.

    Parameters
    ----------
    folder : path
        The folder that holds ``cifar-10-batches-py``, or that folder itself.
    train : bool
        True for the 50,000 training images, False for the 10,000 test images.

    Returns
    -------
    ImageSet
        (N, 32, 32, 3) RGB images, checked against torchvision's checksums.

    Raises
    ------
    DatasetError
        If the data is not there, or is damaged.

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
            f"damaged. Remove that folder and fetch it again from {CIFAR10_URL}."
        ) from error
    part = "training" if train else "test"
    return ImageSet(name=f"{CIFAR10} {part} set", images=data)


def load_training_images(folder: str | Path, *, n_test: int) -> ImageSet:
    """Read the images of CIFAR-10 that train and validate.

    Parameters
    ----------
    folder : path
        See `load_cifar10`.
    n_test : int
        How many of the test images, from the first on, are kept apart; see
        `load_test_images`.

    Returns
    -------
    ImageSet
        The 50,000 training images and the test images that are left.

    Raises
    ------
    DatasetError
        See `load_cifar10`.
    """
    training = load_cifar10(folder, train=True)
    left = load_cifar10(folder, train=False).images[n_test:]
    if not len(left):
        return training
    name = f"{training.name} and test images from {n_test + 1:,} on"
    return ImageSet(name, np.concatenate([training.images, left]))


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
    """Return whether a folder holds CIFAR-10; its files are not read.

    Parameters
    ----------
    folder : path
        The folder that holds ``cifar-10-batches-py``, or that folder itself.
    """
    return (cifar10_root(folder) / CIFAR10_FOLDER).is_dir()


def require_cifar10(folder: str | Path) -> None:
    """Raise unless a folder holds CIFAR-10; its files are not read.

    Parameters
    ----------
    folder : path
        See `has_cifar10`.

    Raises
    ------
    DatasetError
        If it does not; the message says which file to put where.
    """
    if not has_cifar10(folder):
        raise DatasetError(missing_cifar10(cifar10_root(folder)))


def cifar10_root(folder: str | Path) -> Path:
    """Return the folder that holds ``cifar-10-batches-py``."""
    root = Path(folder)
    return root.parent if root.name == CIFAR10_FOLDER else root


def missing_cifar10(root: Path) -> str:
    """Return the message that CIFAR-10 is not in a folder."""
    return (
        f"CIFAR-10 was not found: expected the folder {root / CIFAR10_FOLDER}. "
        f"Download {CIFAR10_URL} and unpack it into {root}, or name the folder "
        "that holds it."
    )
