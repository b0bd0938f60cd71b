"""Download CIFAR-10."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DatasetError
from .cifar10 import CIFAR10_FOLDER, CIFAR10_HASH, CIFAR10_URL, missing_cifar10

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Bytes of a file that have been downloaded, and in all; 0 means unknown."""

    done: int
    total: int


class DownloadCancelledError(DatasetError):
    """A download that was cancelled."""


def fetch_cifar10(folder: Path, stop: Event) -> Iterator[DownloadProgress]:
    """Download CIFAR-10 (170 MB), check it and unpack it into `folder`.

    Parameters
    ----------
    folder : pathlib.Path
        Where ``cifar-10-batches-py`` will lie; made if it does not exist.
    stop : threading.Event
        Once it is set, by any thread, the download is cancelled.

    Yields
    ------
    DownloadProgress
        Several times a second.

    Raises
    ------
    DatasetError
        If it cannot be downloaded; the message says which file to put where.
    """
    bar = DownloadBar()
    pool = ThreadPoolExecutor(max_workers=1)
    download = pool.submit(_download, folder, bar)
    pool.shutdown(wait=False)
    try:
        while not stop.is_set() and wait([download], timeout=0.1).not_done:
            yield DownloadProgress(bar.done, bar.total)
        if not stop.is_set():
            download.result()
    finally:
        # Do not wait for a stalled connection: its thread ends with the next bytes
        # or with the connection, and removes what it has written.
        bar.cancelled = True
        # An error would otherwise refer to itself, and keep its connection open.
        del download


def _download(folder: Path, bar: DownloadBar) -> None:
    import pooch
    import requests

    is_new = not folder.exists()
    unpacking = folder / "cifar-10-unpacking"
    # Nothing unfinished ever has the final name: pooch moves the file once its
    # checksum is right, and the folder is moved here once it is unpacked.
    try:
        shutil.rmtree(unpacking, ignore_errors=True)
        pooch.retrieve(
            CIFAR10_URL,
            known_hash=CIFAR10_HASH,
            fname="cifar-10-python.tar.gz",
            path=folder,
            progressbar=bar,
            processor=pooch.Untar(extract_dir=unpacking.name),
        )
        (unpacking / CIFAR10_FOLDER).replace(folder / CIFAR10_FOLDER)
    except ValueError as error:
        raise DatasetError(
            f"{missing_cifar10(folder)} What {CIFAR10_URL} gave has another checksum "
            "than CIFAR-10, so it was not used."
        ) from error
    except (requests.RequestException, OSError) as error:
        raise DatasetError(
            f"{missing_cifar10(folder)} Fetching it failed ({type(error).__name__}): "
            "is this machine offline, or that folder not writable?"
        ) from error
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)
        if is_new:
            # Only succeeds while it is empty.
            with suppress(OSError):
                folder.rmdir()


class DownloadBar:
    """Count the bytes of a download, which can be cancelled.

    It has the methods that pooch calls on a progress bar.

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
