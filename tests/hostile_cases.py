"""Files with a defect: their kind, odd values, and what is expected of the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_LONGEST_LINE = 1500

#: Values that a program would not write, for any key in JSON.
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 1.5, 1e308, 10**12, 10**30, "", "x", "µ\n\0", "9" * 5000),
    *([], {}, [None], [[1]], [10**7] * 3, {"a": 1}, [-1, 0, 1]),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A file with a defect.

    Parameters
    ----------
    name : str
        Its defect.
    write : callable
        Writes it into a folder, and returns its path.
    is_readable : bool
        Whether the pixels are sound, so that the file must be read.
    """

    name: str
    write: Callable[[Path], Path]
    is_readable: bool = False


def sample(cases: Iterable[Case], number: int, seed: int) -> list[Case]:
    """Return some of the cases, drawn with a seed; all if there are no more."""
    listed = list(cases)
    chosen = np.random.default_rng(seed).permutation(len(listed))[:number]
    return [listed[index] for index in sorted(chosen)]


def places(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the location of every value inside objects and lists, as keys."""
    if where:
        yield where
    if isinstance(value, dict):
        items: Iterable[tuple[Any, Any]] = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*where, key))


def flipped(content: bytes, seed: int, number: int = 3) -> bytes:
    """Return bytes, some of them replaced by random ones."""
    rng = np.random.default_rng(seed)
    changed = bytearray(content)
    for index in rng.integers(0, len(content), number):
        changed[index] = int(rng.integers(0, 256))
    return bytes(changed)


def written(name: str, content: bytes) -> Callable[[Path], Path]:
    """Return a function that writes a file of this name and content."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return write


def fault(case: Case, status: int, printed: str, output: Path) -> str:
    """Return what is wrong with an answer of the command; empty if nothing is.

    Parameters
    ----------
    case : Case
        The file.
    status : int
        Exit status.
    printed : str
        All that it, and the libraries below it, wrote to standard error.
    output : pathlib.Path
        The result, which must exist if the status is 0.
    """
    lines = printed.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    strange = [line for line in lines if not line.startswith(("error: ", "warning: "))]
    if case.is_readable and status == 2:
        return f"refused: {errors}"
    if status not in (0, 2):
        return f"exit status {status}: {lines[-1] if lines else ''}"
    faults = {
        f"{len(errors)} errors, exit status {status}": len(errors) != (status == 2),
        f"printed {strange[:1]!r:.200}": bool(strange),
        "a long line": any(len(line) > _LONGEST_LINE for line in lines),
        "no result": status == 0 and not output.exists(),
        "a result despite the error": status == 2 and output.is_file(),
    }
    return next((text for text, is_true in faults.items() if is_true), "")
