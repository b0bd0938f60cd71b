"""Read Zarr that other people have made: from folders, and from addresses."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from zarr.storage import FsspecStore, LocalStore

from .inflation import ChunkLimit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import zarr
    from zarr.abc.store import ByteRequest

_METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


class _ChunkLimits:
    """The limits of the arrays in a store, by their paths."""

    def __init__(self) -> None:
        self._limits: dict[str, ChunkLimit] = {}

    def add(self, array: zarr.Array[Any]) -> None:
        """Limit the chunks of an array; see `ChunkLimit.of`."""
        self._limits[array.path] = ChunkLimit.of(array)

    def require(self, key: str, content: Any, part: ByteRequest | None) -> None:
        """Raise if a file is a chunk that inflates too much."""
        if content is None or key.endswith(_METADATA):
            return
        for path, limit in self._limits.items():
            if not path or key.startswith(f"{path}/"):
                data = memoryview(content.as_numpy_array())
                limit.require(data, part)


class RegularFileStore(LocalStore):
    """A folder whose pipes and devices are refused: reading them may never end.

    Attributes
    ----------
    limits
        How far the chunks of arrays in it may inflate.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.limits = _ChunkLimits()

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        """Return the content of a file; None if it does not exist."""
        path = self.root / key
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ValueError(f"{key} is not a file")
        content = await super().get(key, prototype, byte_range)
        self.limits.require(key, content, byte_range)
        return content


class RemoteStore(FsspecStore):
    """A Zarr at an address that remembers which files were missing.

    Most servers list no files, so a missing chunk is noticed only when it is read.

    Attributes
    ----------
    missing : set of str
        Names of the files that were asked for and do not exist, metadata included.
    limits
        How far the chunks of arrays in it may inflate.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.missing: set[str] = set()
        self.limits = _ChunkLimits()

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        """Return the content of a file; None if it does not exist."""
        content = await super().get(key, prototype, byte_range)
        if content is None:
            self.missing.add(key)
        self.limits.require(key, content, byte_range)
        return content


def sizes_of_files(folder: Path) -> Iterator[int]:
    """Yield the size of each file in a folder and its folders, in bytes."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - there may be millions
            yield os.lstat(path).st_size
