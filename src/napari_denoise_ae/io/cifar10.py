"""Training and test images: where they come from and how they are split."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DatasetError
from ..native_libraries import load_triton_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from numpy.typing import NDArray

#: The data set, as the names of its parts begin.
CIFAR10 = "CIFAR-10"
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_CIFAR10_HASH = "md5:c58f30108f718f92721af3b95e74349a"
_CIFAR10_FOLDER = "cifar-10-batches-py"
# Shares of red, green and blue in what a grey photograph shows.
_LUMA = (0.299, 0.587, 0.114)


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


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How much of a file has been fetched, in bytes; a `total` of 0 is unknown."""

    done: int
    total: int


class DownloadCancelledError(DatasetError):
    """A download that was given up on request."""


class DownloadBar:
    """Count the bytes of a download, and give it up on request.

    It has the methods that pooch wants of a progress bar.

    Attributes
    ----------
    done, total : int
        Bytes.
    cancelled : bool
        Set it, from any thread, to end the download.
    """

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self.cancelled = False

    def update(self, n_bytes: int) -> None:
        """Count bytes that have come."""
        if self.cancelled:
            raise DownloadCancelledError("The download was cancelled.")
        self.done = min(self.done + n_bytes, self.total)

    def reset(self) -> None:
        """Count from 0 again."""
        self.done = 0

    def close(self) -> None:
        """Do nothing; pooch calls it at the end."""


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


def load_cifar10(
    folder: str | Path,
    *,
    train: bool,
    download: Callable[[Path], None] | None = None,
) -> ImageSet:
    """Read CIFAR-10.

    Parameters
    ----------
    folder : path
        The folder that holds ``cifar-10-batches-py``, or that folder itself.
    train : bool
        True for the 50,000 training images, False for the 10,000 test images.
    download : callable, optional
        Called with `folder` where the data is not there, see
        `download_cifar10`. None means an error instead.

    Returns
    -------
    ImageSet
        (N, 32, 32, 3) RGB images, checked against torchvision's checksums.

    Raises
    ------
    DatasetError
        If the data is not there and not fetched, or is damaged.

    References
    ----------
    .. [1] Krizhevsky, Learning multiple layers of features from tiny images,
       2009, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    root = _cifar10_root(folder)
    if download is None:
        require_cifar10(root)
    elif not (root / _CIFAR10_FOLDER).is_dir():
        download(root)
    load_triton_apart()
    from torchvision import datasets

    # torchvision compares checksums before it unpickles anything.
    try:
        data = datasets.CIFAR10(root=str(root), train=train, download=False).data
    except (RuntimeError, OSError, pickle.UnpicklingError) as error:
        raise DatasetError(
            f"The CIFAR-10 files in {root / _CIFAR10_FOLDER} are incomplete or "
            f"damaged. Remove that folder and fetch it again from {CIFAR10_URL}."
        ) from error
    part = "training" if train else "test"
    return ImageSet(name=f"{CIFAR10} {part} set", images=data)


def load_training_images(
    folder: str | Path,
    *,
    n_test: int,
    download: Callable[[Path], None] | None = None,
) -> ImageSet:
    """Read the images of CIFAR-10 that train and validate.

    Parameters
    ----------
    folder, download
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
    training = load_cifar10(folder, train=True, download=download)
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


def to_grey(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn RGB images into grey ones; grey ones stay as they are.

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
    grey: NDArray[np.uint8] = np.rint(luma).astype(np.uint8)[..., np.newaxis]
    return grey


def require_cifar10(folder: str | Path) -> None:
    """Find out at once whether a folder holds CIFAR-10; its files are not read.

    Parameters
    ----------
    folder : path
        The folder that holds ``cifar-10-batches-py``, or that folder itself.

    Raises
    ------
    DatasetError
        If it does not, with where to get the data and what to put where.
    """
    root = _cifar10_root(folder)
    if not (root / _CIFAR10_FOLDER).is_dir():
        raise DatasetError(_missing(root))


def download_cifar10(folder: Path, *, progress: bool | DownloadBar = True) -> None:
    """Fetch CIFAR-10 (170 MB), check it and unpack it into `folder`.

    Parameters
    ----------
    folder : pathlib.Path
        Where ``cifar-10-batches-py`` will lie; made if it does not exist.
    progress : bool or DownloadBar
        Whether to show a progress bar on standard error, or who is told.

    Raises
    ------
    DatasetError
        If it cannot be fetched, with what to put where by hand.
    """
    import pooch
    import requests

    is_new = not folder.exists()
    unpacking = folder / "cifar-10-unpacking"
    # Interrupted at any moment, what is half-done never has the final name:
    # pooch moves the file once its checksum is right, and here the folder is
    # moved once it is unpacked.
    try:
        shutil.rmtree(unpacking, ignore_errors=True)
        pooch.retrieve(
            CIFAR10_URL,
            known_hash=_CIFAR10_HASH,
            fname="cifar-10-python.tar.gz",
            path=folder,
            progressbar=progress,
            processor=pooch.Untar(extract_dir=unpacking.name),
        )
        (unpacking / _CIFAR10_FOLDER).replace(folder / _CIFAR10_FOLDER)
    except ValueError as error:
        raise DatasetError(
            f"{_missing(folder)} What {CIFAR10_URL} gave has another checksum than "
            "CIFAR-10, so it was not used."
        ) from error
    except (requests.RequestException, OSError) as error:
        raise DatasetError(
            f"{_missing(folder)} Fetching it failed ({type(error).__name__}): is this "
            "machine offline, or that folder not writable?"
        ) from error
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)
        if is_new:
            # Only succeeds while it is empty.
            with suppress(OSError):
                folder.rmdir()


def fetch_cifar10(folder: Path, stop: Event) -> Iterator[DownloadProgress]:
    """Do what `download_cifar10` does, and say several times a second how far it is.

    Parameters
    ----------
    folder : pathlib.Path
        Where ``cifar-10-batches-py`` will lie.
    stop : threading.Event
        Once it is set, by whichever thread, the download is given up.

    Yields
    ------
    DownloadProgress
        How much has come.

    Raises
    ------
    DatasetError
        If it cannot be fetched.
    """
    bar = DownloadBar()
    pool = ThreadPoolExecutor(max_workers=1)
    download = pool.submit(download_cifar10, folder, progress=bar)
    pool.shutdown(wait=False)
    try:
        while not stop.is_set() and wait([download], timeout=0.1).not_done:
            yield DownloadProgress(bar.done, bar.total)
        if not stop.is_set():
            download.result()
    finally:
        # A connection that has stalled is not waited for: its thread ends with
        # the next bytes or with the connection, and removes what had come.
        bar.cancelled = True


def _cifar10_root(folder: str | Path) -> Path:
    root = Path(folder)
    return root.parent if root.name == _CIFAR10_FOLDER else root


def _missing(root: Path) -> str:
    return (
        f"CIFAR-10 was not found: expected the folder {root / _CIFAR10_FOLDER}. "
        f"Download {CIFAR10_URL} and unpack it into {root}, or name the folder "
        "that holds it."
    )
