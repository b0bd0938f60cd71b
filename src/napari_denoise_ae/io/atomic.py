"""Write files atomically, so that no partial file is left behind."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError
from .temporary import remove, temporary_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@contextmanager
def atomic_write(
    path: Path, before_replacing: Callable[[Path, Path], None] | None = None
) -> Iterator[Path]:
    """Write to a temporary file that replaces `path` on success.

    Parameters
    ----------
    path : pathlib.Path
        File to write. An existing file is replaced only after the new one is
        complete and flushed to disk. The file that a symbolic link points to is
        replaced, not the link.
    before_replacing : callable, optional
        Called with `path` and the complete temporary file before it replaces `path`.
        If it raises, `path` stays as it is.

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
        # Named before it exists, so that Ctrl-C at any moment removes it.
        temporary = temporary_beside(target)
        # mkstemp creates files that only the owner can read. Correcting that requires
        # the umask, which can only be read by setting it, for all threads.
        temporary.touch(exist_ok=False)
        yield temporary
        flush_to_disk(temporary)
        if before_replacing is not None:
            before_replacing(path, temporary)
        temporary.replace(target)
        _flush_folder(target.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            remove(temporary)


def replace_folder(new: Path, path: Path) -> None:
    """Give a folder the name `path`; a file or folder of that name is removed.

    Parameters
    ----------
    new : pathlib.Path
        A complete folder beside `path`.
    path : pathlib.Path
        Its new name.

    Raises
    ------
    OSError
        If it cannot be renamed.
    """
    old = temporary_beside(path)
    if os.path.lexists(path):
        path.rename(old)
    new.rename(path)
    _flush_folder(path.parent)
    remove(old)


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
        raise cannot_write(path, error) from error


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


def flush_to_disk(path: Path) -> None:
    """Wait until the contents of a file are on the disk, so that a power cut keeps it.

    Raises
    ------
    OSError
        If they cannot be written, for instance because the disk is full.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Return the error for an output that the system refuses to write."""
    if not path.parent.exists():
        reason = f"the folder {path.parent} does not exist. Create it first"
    else:
        reason = f"{error.strerror or error}. Choose another folder or free disk space"
    return OutputError(f"Cannot write {path}: {reason}.")


def _flush_folder(path: Path) -> None:
    """Write the names in a folder to the disk, where the system allows it."""
    # Windows cannot open folders; some network file systems cannot flush them.
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
