"""Read Zarr that other people have made: from folders, and from addresses."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from zarr.storage import FsspecStore, LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class RegularFileStore(LocalStore):
    """A folder whose pipes and devices are refused: reading them may never end."""

    async def get(self, key: str, *arguments: Any, **keywords: Any) -> Any:
        """Return the content of a file; None if it does not exist."""
        path = self.root / key
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ValueError(f"{key} is not a file")
        return await super().get(key, *arguments, **keywords)


class RemoteStore(FsspecStore):
    """A Zarr at an address that remembers which files were missing.

    Most servers list no files, so a missing chunk is noticed only when it is read.

    Attributes
    ----------
    missing : set of str
        Names of the files that were asked for and do not exist, metadata included.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.missing: set[str] = set()

    async def get(self, key: str, *arguments: Any, **keywords: Any) -> Any:
        """Return the content of a file; None if it does not exist."""
        content = await super().get(key, *arguments, **keywords)
        if content is None:
            self.missing.add(key)
        return content


def sizes_of_files(folder: Path) -> Iterator[int]:
    """Yield the size of each file in a folder and its folders, in bytes."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - there may be millions
            yield os.lstat(path).st_size
