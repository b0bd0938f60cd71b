"""Keep two runs from writing the same output."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import OutputError
from .atomic import cannot_write, real_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The byte that is locked on Windows.
_LOCKED_BYTE = 2**30
# A file that another process has locked.
_HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of an output: a hidden file ``.NAME.lock`` beside it.

    The system releases it when the process ends, however it ends. On a network file
    system without locks, nothing is locked.

    Parameters
    ----------
    path : pathlib.Path
        The output; it need not exist.

    Raises
    ------
    OutputError
        If another run, in this process or another one, holds the lock, or the lock
        file cannot be written.
    """
    file = _lock_of(path)
    try:
        descriptor = _acquire(file)
    except OSError as error:
        raise cannot_write(path, error) from error
    if descriptor is None:
        raise OutputError(
            f"Cannot write {path}: another run is writing it. Wait until that run has "
            "ended, or choose another name."
        )
    try:
        yield
    finally:
        _release(file, descriptor)


def remove_free_lock(path: Path) -> None:
    """Remove the lock of an output if an earlier run could not, and no one holds it."""
    if _lock_of(path).exists():
        with suppress(OutputError), locked(path):
            pass


def lock_file(descriptor: int, *, wait: bool) -> bool:
    """Lock an open file until it is closed; on Windows, its position changes.

    Returns
    -------
    bool
        Whether no one else has locked it; True on a file system without locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            # It locks a byte at the position, always the same here, and others cannot
            # read that, so it lies behind what a file holds.
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return error.errno not in _HELD
    return True


def _lock_of(path: Path) -> Path:
    """Return the lock file of an output."""
    target = real_path(path)
    return target.with_name(f".{target.name}.lock")


def _acquire(file: Path) -> int | None:
    """Open and lock a file; return None if it is locked by someone else."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        if not lock_file(descriptor, wait=False):
            os.close(descriptor)
            return None
        # The one that had locked it may have removed it after it was opened here.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return descriptor
        os.close(descriptor)


def _release(file: Path, descriptor: int) -> None:
    if sys.platform == "win32":
        # An open file cannot be removed.
        os.close(descriptor)
    with suppress(OSError):
        file.unlink()
    if sys.platform != "win32":
        os.close(descriptor)
