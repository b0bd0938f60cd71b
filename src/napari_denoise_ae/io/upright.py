"""Show an image upright whose rows and columns are stored in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .views import chunks_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Orientations of EXIF and TIFF, 1 to 8. Those from 5 on swap rows and columns first.
_FIRST_SWAPPED = 5
_FLIPPED_ROWS, _FLIPPED_COLUMNS = {3, 4, 7, 8}, {2, 3, 6, 7}


def make_upright(array: Any, axes: str, orientation: int) -> Any:
    """View an image upright.

    Parameters
    ----------
    array : array
        The stored pixels, read on indexing.
    axes : str
        Their axes; Y before X.
    orientation : int
        Orientation of EXIF and TIFF, 1 to 8; 1 is upright.
    """
    return array if orientation == 1 else _Upright(array, axes, orientation)


@dataclass(frozen=True, slots=True, eq=False)
class _Upright:
    """An image whose rows and columns are brought into order when they are read."""

    array: Any
    axes: str
    orientation: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths of the upright image."""
        return self._swap(tuple(self.array.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the chunks in which pixels are stored."""
        chunks = chunks_of(self.array)
        return None if chunks is None else self._swap(chunks)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        parts = index
        if index is not Ellipsis:
            y, x = self._yx
            parts = list(index)
            for axis, flipped in zip((y, x), self._flips, strict=True):
                length = self.shape[axis]
                start, stop, _ = parts[axis].indices(length)
                if flipped:
                    start, stop = length - max(stop, start), length - start
                parts[axis] = slice(start, stop)
            parts = self._swap(tuple(parts))
        block = np.asarray(self.array[parts])
        if self.orientation >= _FIRST_SWAPPED:
            block = block.swapaxes(*self._yx)
        flips = zip(self._yx, self._flips, strict=True)
        upright: NDArray[Any] = np.flip(
            block, tuple(axis for axis, is_flipped in flips if is_flipped)
        )
        return upright

    @property
    def _yx(self) -> tuple[int, int]:
        return self.axes.index("Y"), self.axes.index("X")

    @property
    def _flips(self) -> tuple[bool, bool]:
        """Whether rows and columns of the upright image are in reverse order."""
        return self.orientation in _FLIPPED_ROWS, self.orientation in _FLIPPED_COLUMNS

    def _swap(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Exchange the values of Y and X if rows and columns are."""
        swapped = list(values)
        if self.orientation >= _FIRST_SWAPPED:
            y, x = self._yx
            swapped[y], swapped[x] = swapped[x], swapped[y]
        return tuple(swapped)
