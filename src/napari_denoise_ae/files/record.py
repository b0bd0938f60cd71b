"""The record of finished files in the output folder of a batch."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ..io.atomic import atomic_write
from ..io.source import signature

if TYPE_CHECKING:
    from pathlib import Path

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
