"""Read folders: errors, and whether something in them has changed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from .location import file_of, is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator


def signature(path: Path) -> list[int]:
    """Return numbers that change when a file, or any file in a folder, changes.

    There are none for an address.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InvalidInputError
        If a folder cannot be read.
    """
    if is_remote(path):
        return []
    path = file_of(path)
    files = [path]
    if path.is_dir():
        with refuse_unreadable(path):
            files = [
                Path(folder, name)
                for folder, _, names in os.walk(path, onerror=raise_error)
                for name in names
            ]
    stats = [file.stat() for file in files]
    newest = max((stat.st_mtime_ns for stat in stats), default=0)
    return [len(stats), sum(stat.st_size for stat in stats), newest]


def raise_error(error: OSError) -> None:
    """Raise an error of `os.walk`, which skips what it cannot read by default."""
    raise error


@contextmanager
def refuse_unreadable(folder: Path) -> Iterator[None]:
    """Turn errors of the system into an error that names the folder.

    Raises
    ------
    InvalidInputError
        If the body raises `OSError`.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise InvalidInputError(
            f"Cannot read the folder {where}: {error.strerror or error}."
        ) from error
