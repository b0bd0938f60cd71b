"""The state that an OME-Zarr result records, with which it is resumed.

A result records its source and settings. Until it is finished it has no image
metadata, so that no program mistakes it for an image, and the chunks already written
show where to resume.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import OutputError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Attribute of a result that records its settings and state.
METADATA_KEY = "napari-denoise-ae"


def result_state(path: Path) -> dict[str, Any] | None:
    """Return the recorded state of a result.

    Returns
    -------
    dict or None
        Its ``settings``, the measurements ``found`` in the source, and whether it is
        ``finished``; None if `path` is not a result.
    """
    import zarr

    from .zarr_store import RegularFileStore

    # Path.is_dir raises if the name is too long.
    if not os.path.isdir(path):  # noqa: PTH112
        return None
    try:
        store = RegularFileStore(path, read_only=True)
        attributes = dict(zarr.open_group(store, mode="r").attrs)
    # Given damaged metadata, zarr raises errors of any kind.
    except Exception:  # noqa: BLE001
        return None
    state = attributes.get(METADATA_KEY)
    if not isinstance(state, dict):
        return None
    kinds = {"settings": dict, "found": dict, "finished": bool}
    # Another program may have written the attribute.
    is_valid = all(isinstance(state.get(key), kind) for key, kind in kinds.items())
    return state if is_valid else None


def state_to_resume(
    path: Path, settings: Mapping[str, Any], *, overwrite: bool
) -> dict[str, Any] | None:
    """Return the state of an existing result, if it can be resumed.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the result.
    settings : mapping
        Source and settings of the run, as JSON values.
    overwrite : bool
        Whether to replace a result with other settings.

    Returns
    -------
    dict or None
        See `result_state`; None if there is no result or it will be overwritten.

    Raises
    ------
    OutputError
        If `path` exists and is not a result, or is a result with other settings
        and `overwrite` is False.
    """
    state = result_state(path)
    if state is None and os.path.lexists(path):
        raise OutputError(
            f"Cannot write {path}: it exists and is not a result of "
            "napari-denoise-ae. Remove it or choose another name."
        )
    if state is None or state["settings"] == settings:
        return state
    if overwrite:
        return None
    changed = sorted(
        key
        for key in {*state["settings"], *settings}
        if state["settings"].get(key) != settings.get(key)
    )
    raise OutputError(
        f"{path} is a result of another run: {', '.join(changed)} differ. "
        "Choose another name, or replace it (--overwrite)."
    )


def damaged_result(path: Path, reason: object) -> OutputError:
    """Return the error for a result that cannot be resumed."""
    return OutputError(
        f"Cannot resume {path}: its metadata are damaged ({one_line(reason, 200)}). "
        "Remove it, or choose another name."
    )
