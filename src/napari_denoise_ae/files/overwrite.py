"""Keep files that exist, unless they are to be replaced."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import OutputError
from ..io.source import is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def require_replaceable(paths: Iterable[Path], *, overwrite: bool) -> None:
    """Raise, before anything is computed, if a file exists and must be kept.

    An OME-Zarr result contains its own record: it can be resumed, and is checked when
    it is opened.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Files to be written that no earlier run is known to have written.
    overwrite : bool
        Whether to replace them.

    Raises
    ------
    OutputError
        If one of them exists and `overwrite` is False.
    """
    for path in paths:
        # Path.exists raises if the name is too long.
        exists = os.path.exists(path)  # noqa: PTH110
        if exists and not overwrite and not is_zarr(path):
            raise OutputError(
                f"Cannot write {path}: it exists. Choose another name or folder, or "
                "replace it (--overwrite)."
            )
