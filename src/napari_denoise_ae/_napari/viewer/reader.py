"""File reader that chooses a file as the model, without adding a layer."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.builtin import CHECKPOINT_FORMAT, MODEL_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    # napari's notation for a file that was read but has no layers.
    NoLayers = list[tuple[None]]

_NOT_READABLE = (
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
# Bytes to search: the format is the first entry of the pickle, or of the metadata.
_HEADER_BYTES = 4096


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], NoLayers] | None:
    """Return a reader for ONNX files and checkpoints of this package.

    Parameters
    ----------
    path : str or list of str
        A file, or several files opened as a stack.

    Returns
    -------
    callable or None
        The reader; None leaves the file to other plugins.
    """
    if not isinstance(path, str):
        return None
    is_model = path.endswith(".onnx") or CHECKPOINT_FORMAT in _header(path)
    return read_checkpoint if is_model else None


def read_checkpoint(path: str | list[str]) -> NoLayers:
    """Choose the model in the current viewer."""
    import napari

    from ..shared.open_checkpoint import open_checkpoint

    viewer = napari.current_viewer()
    if viewer is not None and isinstance(path, str):
        open_checkpoint(viewer, path)
    return [(None,)]


def _header(path: str) -> str:
    """Return the first bytes that say what a file contains, without torch."""
    try:
        if path.endswith(MODEL_SUFFIX):
            with Path(path).open("rb") as file:
                return file.read(_HEADER_BYTES).decode("latin-1")
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("/data.pkl"):
                    with archive.open(name) as pickle:
                        return pickle.read(_HEADER_BYTES).decode("latin-1")
    except _NOT_READABLE:
        # Not a file, not a ZIP archive, or one that is damaged or encrypted.
        return ""
    return ""
