"""Write files atomically, so that no partial file is left behind."""

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
    """Write to a temporary file that replaces `path` on success.

    Parameters
    ----------
    path : pathlib.Path
        File to write. An existing file is replaced only after the new one is
        complete and flushed to disk. The file that a symbolic link points to is
        replaced, not the link.

    Yields
    ------
    pathlib.Path
        Empty temporary file in the same folder, with the same suffix. It is
        removed if an exception is raised.

    Raises
    ------
    OutputError
        If the file cannot be written: missing folder, no permission, disk full.
    """
    temporary = None
    target = real_path(path) if path.is_symlink() else path
    try:
        temporary = _create_beside(target)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Check before a long computation that `path` can be written.

    Raises
    ------
    OutputError
        If `path` is a folder, or its parent folder does not exist or is not
        writable.
    """
    try:
        # Raises OSError if the name is too long.
        if path.is_dir():
            raise OutputError(
                f"Cannot write {path}: it is a folder. Name a file in it."
            )
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _cannot_write(path, error) from error


def require_replaces_nothing(path: Path, others: Iterable[str | Path]) -> None:
    """Check that writing `path` would not overwrite or add to any of `others`.

    Raises
    ------
    OutputError
        If `path` is one of `others`, or lies inside one that is a folder.
    """
    target = real_path(path)
    for other in others:
        known = real_path(Path(other))
        inside = os.path.isdir(known) and known in target.parents  # noqa: PTH112
        if target == known or inside:
            raise OutputError(
                f"Writing {path} would replace or add to {other}, which this run also "
                "reads or writes. Choose another name."
            )


def real_path(path: Path) -> Path:
    """Return the absolute path with symbolic links resolved."""
    # Path.resolve raises if links form a loop.
    return Path(os.path.realpath(path))


def _create_beside(path: Path) -> Path:
    """Create an empty file whose permissions follow the user's umask."""
    # mkstemp creates files that only the owner can read. Correcting that requires
    # the umask, which can only be read by setting it, for all threads.
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
        reason = f"{error.strerror or error}. Choose another folder or free disk space"
    return OutputError(f"Cannot write {path}: {reason}.")
