"""Run the command in a child process in which one file operation is the last or fails.

A hook for audit events counts the operations on files in the current folder. At the
chosen one, the process ends at once, as after SIGKILL, or the operation fails.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Kinds of faults, see `Fault`.
KINDS = ("kill", "ENOSPC", "EACCES", "EIO")
#: Exit status of a process that was killed.
KILLED = 137

# Operations that change files, and those that read them. Each event has the path first.
_CHANGES = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.fsync",
}
_READS = {"os.listdir", "os.scandir"}
# Operations that need space on the disk.
_NEED_SPACE = {"os.mkdir", "os.link", "os.symlink", "os.fsync"}
_CREATE = os.O_CREAT | getattr(os, "O_TMPFILE", 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at a file operation.

    Parameters
    ----------
    kind : str
        ``"kill"`` ends the process before an operation that changes files. ``"ENOSPC"``
        lets an operation fail that needs space, and all later ones; ``"EACCES"`` and
        ``"EIO"`` one that changes or reads files. An empty text does nothing.
    number : int
        Number of the operation among those of this kind, from 1.
    """

    kind: str = ""
    number: int = 0


class _Hook:
    """Counts the file operations in a folder."""

    def __init__(self, folder: Path, fault: Fault) -> None:
        self.counts = dict.fromkeys(KINDS, 0)
        self._folder = str(folder) + os.sep
        self._fault = fault

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" and event not in _CHANGES and event not in _READS:
            return
        path = arguments[0]
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        where = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        if not (where + os.sep).startswith(self._folder):
            return
        flags = arguments[2] if event == "open" else 0
        changes = event in _CHANGES or bool(
            flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        )
        creates = event in _NEED_SPACE or bool(flags & _CREATE)
        for kind, counts in zip(KINDS, (changes, creates, True, True), strict=True):
            if counts:
                self.counts[kind] += 1
                if kind == self._fault.kind:
                    self._act(f"{event} {where}")

    def _act(self, text: str) -> None:
        kind, number = self._fault.kind, self._fault.number
        count = self.counts[kind]
        if kind == "kill" and count == number:
            os.write(3, f"before {text}\n".encode())
            os._exit(KILLED)
        # A disk stays full, while other errors pass.
        if count == number or (kind == "ENOSPC" and count > number):
            code = getattr(errno, kind)
            os.write(3, f"{text}\n".encode())
            raise OSError(code, os.strerror(code))

    def fsync(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        """Return `os.fsync`, which has no audit event, with one."""

        def fsync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            self("os.fsync", (path,))
            sync(descriptor)

        return fsync


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a process ended.

    Parameters
    ----------
    status : int
        Its exit status.
    counts : dict
        Number of operations by kind of fault; empty if it was killed.
    error : str
        What it wrote to standard error.
    failed : str
        The operations that failed, or the one before which it was killed, one a line.
    modules : tuple of str
        The modules that it imported.
    """

    status: int
    counts: dict[str, int]
    error: str
    failed: str
    modules: tuple[str, ...]


def run_with_fault(
    action: Callable[[], int], folder: Path, fault: Fault, log: Path
) -> Outcome:
    """Run an action in a child process in a folder.

    Parameters
    ----------
    action : callable
        Returns the exit status.
    folder : pathlib.Path
        Its working directory. Only operations in it count.
    fault : Fault
        What happens, and when.
    log : pathlib.Path
        Folder outside of `folder` for what the process prints.
    """
    names = [log / name for name in ("out", "err", "failed", "count")]
    for name in names:
        name.write_bytes(b"")
    child = os.fork()
    if child == 0:
        _run_child(action, folder, fault, names)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    error, failed, content = (name.read_text("utf-8") for name in names[1:])
    counts, modules = json.loads(content or "[{}, []]")
    return Outcome(status, counts, error, failed, tuple(modules))


def _run_child(
    action: Callable[[], int], folder: Path, fault: Fault, names: list[Path]
) -> None:
    """Run an action and end the process."""
    status = 1
    try:
        for number, name in enumerate(names[:3], 1):
            os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND), number)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
        os.chdir(folder)
        hook = _Hook(folder, fault)
        os.fsync = hook.fsync(os.fsync)
        sys.addaudithook(hook)
        try:
            status = action()
        except SystemExit as ended:
            status = int(ended.code or 0)
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        sys.stdout.flush()
        names[3].write_text(json.dumps([hook.counts, list(sys.modules)]), "utf-8")
    finally:
        os._exit(status)
