"""Open arrays in NumPy's format, .npy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .stored import StoredImage, require_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def open_npy(path: Path) -> StoredImage:
    """Open an array; it is memory-mapped, and no objects are unpickled."""
    require_file(path)
    mapped = _map(path)
    return StoredImage(array=_MappedArray(path, mapped.shape, mapped.dtype))


@dataclass(frozen=True, slots=True)
class _MappedArray:
    """An array in a file, memory-mapped anew for each read.

    Pages that a memory map has touched count as this process's memory until it is
    closed.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return np.array(_map(self.path)[index])


def _map(path: Path) -> NDArray[Any]:
    # Unlike np.load, it opens no archive, and never unpickles.
    return np.lib.format.open_memmap(path, mode="r")
