"""Views of stored images whose pixels are converted when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """An image whose pixels are converted one by one.

    Parameters
    ----------
    array : array
        The stored pixels, read on indexing.
    dtype : numpy.dtype
        Data type of the converted pixels.
    convert : callable
        Converts an array of pixels of any shape.
    """

    array: Any
    dtype: np.dtype[Any]
    convert: Callable[[NDArray[Any]], NDArray[Any]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths."""
        return tuple(self.array.shape)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the chunks in which pixels are stored."""
        return chunks_of(self.array)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return self.convert(np.asarray(self.array[index]))


@dataclass(frozen=True, slots=True, eq=False)
class Colored:
    """An image of indices whose colors are looked up; the samples are the last axis.

    Parameters
    ----------
    array : array
        The indices, read on indexing.
    colors : numpy.ndarray
        (index, 3): the colors.
    """

    array: Any
    colors: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths."""
        return (*self.array.shape, self.colors.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the colors."""
        return self.colors.dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the chunks in which pixels are stored."""
        chunks = chunks_of(self.array)
        return None if chunks is None else (*chunks, self.colors.shape[1])

    def __getitem__(self, index: Any) -> NDArray[Any]:
        pixels, samples = (
            (..., slice(None)) if index is Ellipsis else (tuple(index[:-1]), index[-1])
        )
        indices = self.array[pixels]
        colors: NDArray[Any] = self.colors[indices][..., samples]
        return colors


@dataclass(frozen=True, slots=True, eq=False)
class Stacked:
    """Images of one shape along a new first axis, or joined along the first axis.

    Parameters
    ----------
    arrays : sequence of array
        The images, read on indexing; their shapes differ in the first axis only.
    new_axis : bool
        Whether the images are stacked along a new axis.
    """

    arrays: Sequence[Any]
    new_axis: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths."""
        first = tuple(self.arrays[0].shape)
        if self.new_axis:
            return (len(self.arrays), *first)
        return (sum(array.shape[0] for array in self.arrays), *first[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        dtype: np.dtype[Any] = self.arrays[0].dtype
        return dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the chunks in which pixels are stored."""
        chunks = chunks_of(self.arrays[0])
        return (1, *chunks) if chunks and self.new_axis else chunks

    def __getitem__(self, index: Any) -> NDArray[Any]:
        if index is Ellipsis:
            index = (slice(None),) * len(self.shape)
        first, *rest = index
        wanted = range(*first.indices(self.shape[0]))
        if self.new_axis:
            return np.stack([self.arrays[n][tuple(rest)] for n in wanted])
        parts, start = [], 0
        for array in self.arrays:
            stop = start + array.shape[0]
            inside = slice(max(wanted.start, start), min(wanted.stop, stop))
            if inside.start < inside.stop:
                here = slice(inside.start - start, inside.stop - start)
                parts.append(array[(here, *rest)])
            start = stop
        return np.concatenate(parts)


def chunks_of(array: Any) -> tuple[int, ...] | None:
    """Return the shape of an array's chunks; None if it is not chunked."""
    return getattr(array, "chunks", None)
