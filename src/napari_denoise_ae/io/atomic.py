"""Writing files so that none is ever half-written."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and move it there at the end.

    Parameters
    ----------
    path : pathlib.Path
        The file to write. If it exists it is replaced, but only once the new
        one is whole and on the disk.

    Yields
    ------
    pathlib.Path
        An empty temporary file in the same folder and with the same suffix,
        to be written to. It is removed if an exception is raised.

    Raises
    ------
    OutputError
        If the operating system refuses: no such folder, no permission, disk
        full.
    """
    temporary = None
    try:
        temporary = _create_beside(path)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Raise at once, before long work, if `path` could not be written later.

    Raises
    ------
    OutputError
        If `path` is a folder, or its folder does not exist or cannot be
        written to.
    """
    try:
        # A name that is too long is found out here.
        if path.is_dir():
            raise OutputError(
                f"Cannot write {path}: it is a folder. Give the name of a file in it."
            )
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def require_replaces_nothing(path: Path, others: Iterable[str | Path]) -> None:
    """Raise before `path` is written if it is one of other files.

    Raises
    ------
    OutputError
        If it is one of them, or lies in one that is a folder.
    """
    target = real_path(path)
    for other in others:
        known = real_path(Path(other))
        within = os.path.isdir(known) and known in target.parents  # noqa: PTH112
        if target == known or within:
            raise OutputError(
                f"Writing {path} would replace or add to {other}, which is read or "
                "written as well. Choose another name."
            )


def real_path(path: Path) -> Path:
    """Return an absolute path without links, also if links go round in a circle."""
    # Path.resolve raises for such a circle.
    return Path(os.path.realpath(path))


def _create_beside(path: Path) -> Path:
    """Create an empty file with the permissions that the user's umask gives."""
    # mkstemp makes a file that only its owner can read, and the umask can only be
    # read by setting it, which changes what other threads write meanwhile.
    temporary = path.with_name(f".writing-{secrets.token_hex(8)}{path.suffix}")
    temporary.touch(exist_ok=False)
    return temporary


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _cannot_write(path: Path, error: OSError) -> OutputError:
    if not path.parent.exists():
        reason = f"the folder {path.parent} does not exist. Create it first"
    else:
        reason = f"{error.strerror or error}. Choose another folder or make room"
    return OutputError(f"Cannot write {path}: {reason}.")
