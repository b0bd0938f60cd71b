"""Record the settings of each result of a batch in its folder."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ..io.atomic import cannot_write
from ..io.folders import signature
from ..io.lock import lock_file

if TYPE_CHECKING:
    from pathlib import Path

    from .job import FileJob

#: File in the folder of the results. Each line is a JSON object: the name of a result,
#: the settings that produced it, and its signature.
RECORD = ".napari-denoise-ae.jsonl"


class BatchRecord:
    """The record of a folder, to which several batches may add at the same time.

    A line is added before a result gets its name, so that a result is known even if
    the batch is killed at once. If a result has several lines, the one with its
    signature counts.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the results.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / RECORD
        self._n_read = 0
        self._lines: dict[str, list[dict[str, Any]]] = {}

    def settings_of(self, result: Path) -> dict[str, Any] | None:
        """Return the settings that produced a result.

        Parameters
        ----------
        result : pathlib.Path
            A file in the folder.

        Returns
        -------
        dict or None
            See `settings_of_result`. None if the file does not exist, or is not as a
            batch has written it.
        """
        if not os.path.exists(result):  # noqa: PTH110 - no error for a long name
            return None
        self._read_on()
        now = signature(result)
        for line in reversed(self._lines.get(result.name, [])):
            if line["result"] == now:
                settings: dict[str, Any] = line["settings"]
                return settings
        return None

    def add(self, name: str, complete: Path, settings: dict[str, Any]) -> None:
        """Add a result.

        Parameters
        ----------
        name : str
            Its name in the folder.
        complete : pathlib.Path
            The complete result, which may still have another name.
        settings : dict
            See `settings_of_result`.

        Raises
        ------
        OutputError
            If the record cannot be written.
        """
        line = {"name": name, "settings": settings, "result": signature(complete)}
        try:
            with self._file.open("ab+") as file:
                lock_file(file.fileno(), wait=True)
                # A batch that was killed may have left a part of a line.
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
                start = "" if file.read() in (b"", b"\n") else "\n"
                file.write(f"{start}{json.dumps(line)}\n".encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise cannot_write(self._file, error) from error

    def _read_on(self) -> None:
        """Read the complete lines that were added since the last time."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._n_read)
                added = file.read()
        except OSError:
            return
        complete = added[: added.rfind(b"\n") + 1]
        self._n_read += len(complete)
        for text in complete.splitlines():
            line = _parse(text)
            if line is not None:
                self._lines.setdefault(line["name"], []).append(line)


def _parse(text: bytes) -> dict[str, Any] | None:
    """Return a line of a record; None if it is damaged."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict):
        return None
    kinds = {"name": str, "settings": dict, "result": list}
    is_valid = all(isinstance(line.get(key), kind) for key, kind in kinds.items())
    return line if is_valid else None


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
