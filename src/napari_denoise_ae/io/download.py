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
    """Bytes downloaded and in total; a total of 0 means unknown."""

    done: int
    total: int


class DownloadCancelledError(DatasetError):
    """The download was cancelled."""


def fetch_cifar10(folder: Path, stop: Event) -> Iterator[DownloadProgress]:
    """Download CIFAR-10 (170 MB), verify its checksum and unpack it.

    Parameters
    ----------
    folder : pathlib.Path
        Folder to unpack ``cifar-10-batches-py`` into; created if missing.
    stop : threading.Event
        Set it, from any thread, to cancel the download.

    Yields
    ------
    DownloadProgress
        Several times a second.

    Raises
    ------
    DatasetError
        If the download fails; the message says what to download by hand and where
        to unpack it.
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
        # or with the connection, and removes its partial files.
        bar.cancelled = True
        # Breaks the reference cycle through an exception's traceback, which would
        # keep the connection open.
        del download


def _download(folder: Path, bar: DownloadBar) -> None:
    import pooch
    import requests

    is_new = not folder.exists()
    unpacking = folder / "cifar-10-unpacking"
    # Nothing incomplete ever has its final name: pooch renames the archive once its
    # checksum matches, and the folder is renamed here once it is unpacked.
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
            f"{missing_cifar10(folder)} The file downloaded from {CIFAR10_URL} has the "
            "wrong checksum and was discarded."
        ) from error
    except (requests.RequestException, OSError) as error:
        raise DatasetError(
            f"{missing_cifar10(folder)} The download failed ({type(error).__name__}): "
            "is this machine offline, or the folder not writable?"
        ) from error
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)
        if is_new:
            # Succeeds only if it is empty.
            with suppress(OSError):
                folder.rmdir()


class DownloadBar:
    """Progress bar for pooch that counts bytes and can cancel the download.

    Attributes
    ----------
    done, total : int
        Bytes.
    cancelled : bool
        Set it, from any thread, to cancel the download.
    """

    def __init__(self) -> None:
        self.done = 0
        self.total = 0
        self.cancelled = False

    def update(self, n_bytes: int) -> None:
        """Count received bytes; raise if the download was cancelled."""
        if self.cancelled:
            raise DownloadCancelledError("The download was cancelled.")
        self.done = min(self.done + n_bytes, self.total)

    def reset(self) -> None:
        """Restart the count at 0."""
        self.done = 0

    def close(self) -> None:
        """Do nothing; pooch requires the method."""
