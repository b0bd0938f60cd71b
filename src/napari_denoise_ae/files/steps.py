"""Steps of a run over files, as shown by the command line and the window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ..denoising.array import Progress

#: Units of progress: parts are read to find the intensity range before denoising; tiles
#: and chunks are denoised and written; passes of the model assess the result.
PART, TILE, CHUNK, PASS = "part", "tile", "chunk", "pass"


@dataclass(frozen=True, slots=True)
class FileProgress:
    """Progress of a file.

    Parameters
    ----------
    input : pathlib.Path
        The file.
    unit : str
        Unit of the counts: `PART`, `TILE`, `CHUNK` or `PASS`.
    done : int
        Number of finished units.
    total : int
        Number of units.
    """

    input: Path
    unit: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class FileRemark:
    """A warning to the user about a file.

    Parameters
    ----------
    input : pathlib.Path
        The file.
    text : str
        Why the result may not be as expected.
    """

    input: Path
    text: str


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """Outcome of a file of a batch.

    Parameters
    ----------
    input : pathlib.Path
        The file.
    outcome : str
        ``"done"``, ``"skipped"`` (unchanged since an earlier run) or ``"failed"``.
    reason : str
        Why it failed; empty otherwise.
    result : mapping, optional
        Facts about the result as JSON values, if it was denoised in this run.
    """

    input: Path
    outcome: str
    reason: str = ""
    result: Mapping[str, Any] | None = field(default=None, hash=False, repr=False)


#: A step of a single file, and of a batch.
FileStep = FileProgress | FileRemark
BatchStep = FileStep | FileOutcome


def count_steps(
    path: Path, unit: str, steps: Iterable[Progress]
) -> Iterator[FileProgress]:
    """Turn progress counts into steps of a file."""
    for step in steps:
        yield FileProgress(path, unit, step.done, step.total)
