"""What results were made from, and the record of it in the folder of a batch."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ..io.atomic import atomic_write
from ..io.source import signature

if TYPE_CHECKING:
    from pathlib import Path

    from .job import FileJob

#: In the folder of the results: what each of them was made from.
RECORD = ".napari-denoise-ae.json"


def is_recorded(path: Path, record: dict[str, Any]) -> bool:
    """Tell whether there is a result, and it is as an earlier run has left it."""
    entry = record.get(path.name)
    if not (isinstance(entry, dict) and {"settings", "result"} <= set(entry)):
        return False
    return os.path.exists(path) and entry["result"] == signature(path)  # noqa: PTH110


def read_record(folder: Path) -> dict[str, Any]:
    """Read what is known of the results; nothing, if it is damaged."""
    try:
        content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write the record of finished files into a folder."""
    with atomic_write(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")


def plain_settings(job: FileJob, digest: str) -> dict[str, Any]:
    """Return what decides the result of a job and its model, as JSON holds it."""
    settings = {
        "input": job.input.name,
        "model": digest,
        "select": job.select,
        "add_noise": job.add_noise,
        "seed": job.seed,
        **job.options.of_result(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(settings))
    return plain
