"""Record the settings of each result of a batch in its folder."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ..io.atomic import atomic_write
from ..io.source import signature

if TYPE_CHECKING:
    from pathlib import Path

    from .job import FileJob

#: File in the folder of the results. For each result, by name, it holds the settings
#: that produced it and its signature.
RECORD = ".napari-denoise-ae.json"


def is_recorded(path: Path, record: dict[str, Any]) -> bool:
    """Return whether a result exists and is unchanged since an earlier run.

    Parameters
    ----------
    path : pathlib.Path
        The result.
    record : dict
        See `read_record`.
    """
    entry = record.get(path.name)
    if not (isinstance(entry, dict) and {"settings", "result"} <= set(entry)):
        return False
    return os.path.exists(path) and entry["result"] == signature(path)  # noqa: PTH110


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of a folder; empty if it is missing or damaged."""
    try:
        content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write the record of a folder atomically."""
    with atomic_write(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")


def settings_of_result(job: FileJob, digest: str) -> dict[str, Any]:
    """Return the settings of a job that determine its result, as JSON values.

    Parameters
    ----------
    job : FileJob
        The job.
    digest : str
        Digest of its model, or of its models for gray and for color images.
    """
    settings = {
        "input": job.input.name,
        "model": digest,
        "series": job.series,
        "select": job.select,
        "add_noise": job.add_noise,
        "seed": job.seed,
        "compression": job.compression,
        **job.options.of_result(),
    }
    # Tuples become lists, as in a record that has been read.
    as_json: dict[str, Any] = json.loads(json.dumps(settings))
    return as_json
