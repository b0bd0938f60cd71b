"""Refuse the result of a source that changed while it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..io.folders import signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Unchanged:
    """A file or folder that must not change while it is read.

    Parameters
    ----------
    path : pathlib.Path
        The file or folder. Its size and times now are those that it must keep.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, path.absolute()
        self._before = self._now()

    def require(self) -> None:
        """Raise if the file or folder has changed.

        Raises
        ------
        InvalidInputError
            If it has, or is gone.
        """
        if self._now() != self._before:
            raise InvalidInputError(
                f"{self._path} was changed or removed while it was denoised, so the "
                "result was discarded. Run the same command again once the file is "
                "complete."
            )

    def _now(self) -> list[int] | None:
        """Return the signature of the file, or None if there is none."""
        try:
            return signature(self._file)
        except (OSError, InvalidInputError):
            return None

    def required_before(
        self, then: Callable[[Path, Path], None] | None
    ) -> Callable[[Path, Path], None]:
        """Return a function for `atomic_write` that calls `require` and then `then`."""

        def before_replacing(path: Path, complete: Path) -> None:
            self.require()
            if then is not None:
                then(path, complete)

        return before_replacing
