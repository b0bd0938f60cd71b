"""The steps of a run over files, as any face shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ..denoising.array import Progress

#: Units of progress: a part is read to find the intensity range, before anything is
#: denoised; tiles and chunks are denoised and written.
PART, TILE, CHUNK = "part", "tile", "chunk"


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far a file is.

    Parameters
    ----------
    input : pathlib.Path
        The file.
    unit : str
        What is counted: `PART`, `TILE` or `CHUNK`.
    done, total : int
        How many of them are finished, and how many there are.
    """

    input: Path
    unit: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class FileRemark:
    """A warning about a file, for a user to read.

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
    """How a file of a batch ended.

    Parameters
    ----------
    input : pathlib.Path
        The file.
    outcome : str
        ``"done"``, ``"skipped"`` (done before, and unchanged) or ``"failed"``.
    reason : str
        Why it failed.
    """

    input: Path
    outcome: str
    reason: str = ""


#: A step of a single file, and of a batch.
FileStep = FileProgress | FileRemark
BatchStep = FileStep | FileOutcome


def count_steps(
    path: Path, unit: str, steps: Iterable[Progress]
) -> Iterator[FileProgress]:
    """Yield the progress of a file for each step of a part of its run."""
    for step in steps:
        yield FileProgress(path, unit, step.done, step.total)
