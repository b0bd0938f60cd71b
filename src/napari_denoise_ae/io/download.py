"""Download CIFAR-10."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DatasetError
from .cifar10 import (
    CIFAR10_FOLDER,
    CIFAR10_HASH,
    CIFAR10_URL,
    cifar10_root,
    has_cifar10,
    missing_cifar10,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event

_ARCHIVE, _UNPACKING = "cifar-10-python.tar.gz", "cifar-10-unpacking"
# What an interrupted download can leave: the archive, the folder that it is unpacked
# into, and pooch's temporary file. Hidden files, such as .DS_Store, do not count.
_LEFTOVER = re.compile(rf"\..*|{re.escape(_ARCHIVE)}|{_UNPACKING}|tmp\w{{8}}")


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Bytes downloaded and in total; a total of 0 means unknown."""

    done: int
    total: int


class DownloadCancelledError(DatasetError):
    """The download was cancelled."""


def ensure_cifar10(
    folder: str | Path, stop: Event, *, download: bool
) -> Iterator[DownloadProgress]:
    """Do nothing if a folder contains CIFAR-10; otherwise download it, if allowed.

    Parameters
    ----------
    folder : path
        See `has_cifar10`.
    stop : threading.Event
        Set it, from any thread, to cancel the download.
    download : bool
        Whether CIFAR-10 may be downloaded.

    Yields
    ------
    DownloadProgress
        See `fetch_cifar10`.

    Raises
    ------
    DatasetError
        If the data is missing and must not be downloaded, if the folder holds other
        files, or if the download fails.
    """
    if has_cifar10(folder):
        return
    root = cifar10_root(folder)
    _require_no_other_files(root)
    if not download:
        raise DatasetError(
            f"CIFAR-10 was not found: expected the folder {root / CIFAR10_FOLDER}. "
            "Name the folder that contains it, or download it there (170 MB) with "
            "--download, in Python download=True."
        )
    yield from fetch_cifar10(root, stop)


def _require_no_other_files(folder: Path) -> None:
    """Raise if a folder that lacks CIFAR-10 holds something else."""
    from .find import list_images

    if not folder.is_dir():
        return
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise DatasetError(f"Cannot read {folder}: {error.strerror}.") from error
    others = [name for name in names if not _LEFTOVER.fullmatch(name)]
    if not others:
        return
    if list_images(folder):
        raise DatasetError(
            f"{folder} holds images, not CIFAR-10. To train on them, use --images, in "
            "Python images=."
        )
    raise DatasetError(
        f"{folder} contains no CIFAR-10 but other files, such as {others[0]}. Name the "
        "folder that contains it, or a new folder to download it to."
    )


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
    unpacking = folder / _UNPACKING
    # Nothing incomplete ever has its final name: pooch renames the archive once its
    # checksum matches, and the folder is renamed here once it is unpacked.
    try:
        shutil.rmtree(unpacking, ignore_errors=True)
        pooch.retrieve(
            CIFAR10_URL,
            known_hash=CIFAR10_HASH,
            fname=_ARCHIVE,
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
