"""Open files with the readers that other packages add."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import wraps
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plugins
from ..errors import DenoiseAEError, InvalidInputError, one_line
from .location import shown
from .stored import StoredImage, require_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

_LONGEST_REASON = 200


def plugin_reader(suffix: str) -> Callable[..., StoredImage] | None:
    """Return the reader that another package adds for a suffix; None if there is none.

    Whatever it raises or returns, it ends in a `StoredImage`, or in an
    `InvalidInputError` that names the reader and its package.
    """
    name = suffix[1:]
    reader = plugins.load(plugins.READERS, name, _is_reader)
    if reader is None:
        return None
    title = plugins.title(plugins.READERS, name)

    @wraps(reader)
    def read(path: Path, **series: int) -> StoredImage:
        if not path.is_dir():
            require_file(path)
        try:
            stored: StoredImage = reader(path, **series)
            wrong = _fault(stored)
        except DenoiseAEError:
            raise
        # Another package may raise anything.
        except Exception as error:
            raise _unreadable(path, title, error) from error
        if wrong:
            raise _wrong_result(path, title, wrong)
        return replace(stored, array=_PluginPixels(stored.array, path, title))

    return read


def _is_reader(_name: str, loaded: Any) -> bool:
    return callable(loaded)


@dataclass(frozen=True, slots=True, eq=False)
class _PluginPixels:
    """The pixels of such an image, checked when they are read."""

    array: Any
    path: Path
    title: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype

    def __getitem__(self, index: Any) -> NDArray[Any]:
        try:
            pixels = np.asarray(self.array[index])
        except Exception as error:
            raise _unreadable(self.path, self.title, error) from error
        # A view of one element, which takes no memory.
        expected = np.broadcast_to(np.empty((), self.dtype), self.shape)[index]
        if (pixels.shape, pixels.dtype) != (expected.shape, expected.dtype):
            raise _wrong_result(
                self.path,
                self.title,
                f"pixels of shape {pixels.shape} and dtype {pixels.dtype}, where "
                f"{expected.shape} and {expected.dtype} are expected",
            )
        return pixels


def _unreadable(path: Path, title: str, error: Exception) -> InvalidInputError:
    reason = f"{type(error).__name__}: {one_line(error, _LONGEST_REASON)}"
    return InvalidInputError(
        f"Cannot read {shown(path)} with the {title}: {reason.rstrip('.: ')}. The file "
        "is damaged, or the reader does not read files of this kind."
    )


def _wrong_result(path: Path, title: str, wrong: str) -> InvalidInputError:
    return InvalidInputError(
        f"Cannot read {shown(path)}: the {title} returned {wrong}. Update the package, "
        "or report this to its authors."
    )


def _fault(stored: Any) -> str:
    """Return what is wrong with the result of a reader; empty if nothing is."""
    if not isinstance(stored, StoredImage):
        return f"an object of type {type(stored).__name__} instead of a StoredImage"
    array: Any = stored.array
    if not (hasattr(array, "shape") and hasattr(array, "dtype")):
        return f"an array of type {type(array).__name__}, without shape or dtype"
    shape, axes, chunks = (
        getattr(stored, name) for name in ("shape", "axes", "chunks")
    )
    fits = _are_lengths(chunks, 1) and len(chunks) == len(shape)
    is_valid = {
        "shape": _are_lengths(shape, 0),
        "axes": axes is None or isinstance(axes, str),
        "chunks": chunks is None or fits,
        "scale": all(isfinite(size) and size > 0 for size in stored.scale.values()),
    }
    wrong = [
        f"{name}={getattr(stored, name)!r}" for name in is_valid if not is_valid[name]
    ]
    return f"an invalid StoredImage, {', '.join(wrong)}" if wrong else ""


def _are_lengths(lengths: Any, least: int) -> bool:
    """Return whether a value is a tuple of integers, all at least `least`."""
    return isinstance(lengths, tuple) and all(
        isinstance(length, int | np.integer) and length >= least for length in lengths
    )
