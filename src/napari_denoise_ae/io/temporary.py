"""Temporary names beside an output, and removing those that a killed run left."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

# Hidden, so that a temporary file is never an input.
_PREFIX = ".writing-"
_NAME = re.compile(rf"{re.escape(_PREFIX)}(?P<host>\w+)-(?P<process>\d+)-")
# Of Windows: the exit code of a process that has not ended, and the error for a process
# of another user.
_STILL_ACTIVE, _ACCESS_DENIED = 259, 5


def temporary_beside(path: Path) -> Path:
    """Return an unused hidden name in the folder of `path`, with the same suffix.

    The name holds the id of this process. The first call for a folder removes what
    processes of this machine have left there that were killed.
    """
    _sweep(os.path.abspath(path.parent))  # noqa: PTH100 - keeps symbolic links
    owner = f"{_host()}-{os.getpid()}"
    return path.with_name(f"{_PREFIX}{owner}-{secrets.token_hex(8)}{path.suffix}")


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists and can be removed."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@cache
def _sweep(folder: str) -> None:
    """Remove the temporary files of processes that have ended, once per folder."""
    with suppress(OSError):
        for path in Path(folder).iterdir():
            found = _NAME.match(path.name)
            if found and found["host"] == _host() and not _runs(int(found["process"])):
                remove(path)


@cache
def _host() -> str:
    """Return a text that is the same for processes that see each other's ids."""
    # Containers may share a folder and the name of their host, but not process ids.
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:8]


def _runs(process: int) -> bool:
    """Return whether a process of this machine is running."""
    if sys.platform == "win32":
        # os.kill would end it.
        import ctypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle = kernel.OpenProcess(0x1000, False, process)
        if not handle:
            return ctypes.get_last_error() == _ACCESS_DENIED
        code = ctypes.c_ulong()
        answered = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return bool(answered) and code.value == _STILL_ACTIVE
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
