"""Record what a run over files did, as JSON for other programs.

The record of a folder, in `record.py`, is another one: it holds the settings of every
result in the folder, so that a batch can skip what is done.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..errors import InvalidInputError
from ..io.atomic import atomic_write, real_path, require_writable
from ..io.location import shown
from .overwrite import require_replaceable
from .steps import FileOutcome

if TYPE_CHECKING:
    from pathlib import Path

    from .job import FileJob
    from .steps import FileRemark

#: Names the kind of a JSON document.
FORMAT = "napari-denoise-ae denoise"
#: Raised if a name is removed or changes its meaning; new names do not raise it.
SCHEMA_VERSION = 1


class RunRecord:
    """The record of a run over one file or several.

    Add each step of the run; `text` is the record of the images so far.
    """

    def __init__(self) -> None:
        self._images: list[dict[str, Any]] = []
        self._warnings: list[str] = []
        self._start = time.monotonic()

    def __len__(self) -> int:
        """Return the number of finished images."""
        return len(self._images)

    def add(self, step: FileRemark | FileOutcome) -> None:
        """Add a warning, or the outcome of the image that the warnings concern."""
        if not isinstance(step, FileOutcome):
            self._warnings.append(step.text)
            return
        now = time.monotonic()
        self._images.append(
            {
                "input": shown(step.input),
                "outcome": step.outcome,
                "reason": step.reason,
                "seconds": round(now - self._start, 3),
                "warnings": self._warnings,
                "result": step.result,
            }
        )
        self._warnings, self._start = [], now

    def text(self) -> str:
        """Return the record as a JSON document."""
        content = {
            "format": FORMAT,
            "schema": SCHEMA_VERSION,
            "version": __version__,
            "images": self._images,
        }
        return json.dumps(content, indent=2) + "\n"

    def write(self, path: Path) -> None:
        """Write the record to a file.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with atomic_write(path) as temporary:
            temporary.write_text(self.text(), encoding="utf-8")


def require_record(path: Path, job: FileJob) -> None:
    """Raise, before denoising, if the record of a run cannot be written.

    Parameters
    ----------
    path : pathlib.Path
        The file. The record of an earlier run is replaced.
    job : FileJob
        The settings of the run.

    Raises
    ------
    InvalidInputError
        If its name does not end in .json, or is that of a trust report.
    OutputError
        If it cannot be written, or another file has its name.
    """
    if path.suffix.lower() != ".json":
        raise InvalidInputError(f"The name of a record must end in .json, got {path}.")
    if real_path(path) in map(real_path, job.reports):
        raise InvalidInputError(
            f"{path} is the name of both the record and a report. Choose two names."
        )
    require_writable(path)
    if not _is_record(path):
        require_replaceable([path], overwrite=job.overwrite)


def _is_record(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("format") == FORMAT
