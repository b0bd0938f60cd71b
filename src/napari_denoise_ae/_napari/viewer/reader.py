"""Opening a checkpoint as a file: it is chosen as the model; no layer is added."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from ...models.builtin import CHECKPOINT_FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable

    # What napari takes for "read, but there is no layer".
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
# The format is the first entry of the dict in a checkpoint's pickle.
_BEGINNING = 4096


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], NoLayers] | None:
    """Return a reader if a file is a checkpoint of this package.

    Parameters
    ----------
    path : str or list of str
        A file, or several that are dropped as a stack.

    Returns
    -------
    callable or None
        The reader; None leaves the file to other plugins.
    """
    is_ours = isinstance(path, str) and CHECKPOINT_FORMAT in _beginning(path)
    return read_checkpoint if is_ours else None


def read_checkpoint(path: str | list[str]) -> NoLayers:
    """Choose a checkpoint in the current viewer."""
    import napari

    from ..shared.open_checkpoint import open_checkpoint

    viewer = napari.current_viewer()
    if viewer is not None and isinstance(path, str):
        open_checkpoint(viewer, path)
    return [(None,)]


def _beginning(path: str) -> str:
    """Return how the pickle in a file of `torch.save` begins, without torch."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("/data.pkl"):
                    with archive.open(name) as pickle:
                        return pickle.read(_BEGINNING).decode("latin-1")
    except _NOT_READABLE:
        # Not a file, no archive, a damaged one, or one that torch.save never makes.
        return ""
    return ""
