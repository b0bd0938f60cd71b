"""Copies of the files that a run replaces, to restore them if it is canceled."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ..errors import OutputError

if TYPE_CHECKING:
    from .run_files import RunFiles


# Another program, such as a virus scanner, may hold a file for a moment.
_ATTEMPTS = 2


class RunBackup:
    """A hidden folder beside a run's files with copies of those that exist.

    A run replaces its files one by one, each atomically, so that a kill loses nothing.
    The copies are needed only to take back what it wrote. If it is killed, they remain
    until the next run of the same name.

    Parameters
    ----------
    files : RunFiles
        Paths of the run's files.
    """

    def __init__(self, files: RunFiles) -> None:
        self._files = files
        name = f".{files.checkpoint.stem}.backup"
        self._folder = files.checkpoint.with_name(name)
        self._is_saved = False

    def save(self) -> None:
        """Copy the files that exist.

        Raises
        ------
        OutputError
            If they cannot be copied.
        """
        self.discard()
        existing = [path for path in self._files.paths if path.is_file()]
        try:
            if existing:
                self._folder.mkdir()
            for path in existing:
                shutil.copy2(path, self._folder / path.name)
        except OSError as error:
            self.discard()
            raise OutputError(
                f"Cannot copy the files of {self._files.checkpoint}, which this run "
                f"replaces, to {self._folder}: {error.strerror or error}."
            ) from error
        self._is_saved = True

    def restore(self) -> None:
        """Restore the copied files, and remove those that did not exist."""
        if not self._is_saved:
            return
        state = self._files.state
        # Without a state, nothing can be resumed from the files of two runs.
        state.unlink(missing_ok=True)
        for path in (*(path for path in self._files.paths if path != state), state):
            copy = self._folder / path.name
            if copy.is_file():
                copy.replace(path)
            else:
                path.unlink(missing_ok=True)
        self.discard()

    def discard(self) -> None:
        """Remove the copies."""
        for _ in range(_ATTEMPTS):
            if self._folder.exists():
                shutil.rmtree(self._folder, ignore_errors=True)
        self._is_saved = False
