"""Refuse chunks of HDF5 data sets that inflate far beyond their shape.

The HDF5 library grows its buffer until everything is inflated, and compares the size
with that of the chunk only then.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .inflation import ChunkLimit
from .limits import is_lifted

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from numpy.typing import NDArray

# Compressions of h5py itself, by the numbers of their filters.
_CODECS = {1: "zlib", 32000: "lzf"}
# The filter that appends a checksum, and the length of that.
_CHECKSUM, _CHECKSUM_BYTES = 3, 4
# Filters that come before the compression may make a chunk slightly larger.
_MOST_TIMES, _MORE = 2, 2**16


@dataclass(frozen=True, slots=True, eq=False)
class LimitedDataset:
    """A data set whose chunks are checked before they are read.

    Parameters
    ----------
    dataset : h5py.Dataset
        The data set, in compressed chunks.
    limit : ChunkLimit
        How far they may inflate.
    filters : tuple of int
        Numbers of the filters, in the order in which a chunk is written.
    """

    dataset: h5py.Dataset
    limit: ChunkLimit
    filters: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths."""
        shape: tuple[int, ...] = self.dataset.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        dtype: np.dtype[Any] = self.dataset.dtype
        return dtype

    def __getitem__(self, index: Any) -> NDArray[Any]:
        slices = (slice(None),) * len(self.shape) if index is Ellipsis else index
        starts = [
            range(start // side * side, stop, side)
            for side, (start, stop, _) in zip(
                self.dataset.chunks,
                map(slice.indices, slices, self.shape),
                strict=True,
            )
        ]
        for offset in itertools.product(*starts):
            self._require_small(offset)
        pixels: NDArray[Any] = self.dataset[index]
        return pixels

    def _require_small(self, offset: tuple[int, ...]) -> None:
        """Raise if a chunk inflates too much."""
        try:
            skipped, content = self.dataset.id.read_direct_chunk(offset)
        except (OSError, RuntimeError):
            # It is missing, which is allowed, or damaged, which reading it reports.
            return
        # Each bit stands for a filter that was not applied to this chunk.
        applied = [code for n, code in enumerate(self.filters) if not skipped >> n & 1]
        for n, code in enumerate(applied):
            if code in _CODECS:
                end = len(content) - _CHECKSUM_BYTES * applied[n:].count(_CHECKSUM)
                self.limit.require(memoryview(content)[: max(end, 0)], None)


def limit_chunks(dataset: h5py.Dataset) -> h5py.Dataset | LimitedDataset:
    """Return a data set whose chunks cannot inflate far beyond their shape.

    Parameters
    ----------
    dataset : h5py.Dataset
        The data set. Without a compression of h5py's own, it is returned as it is.

    Raises
    ------
    ValueError
        If its chunks are compressed more than once, so that it is unknown what they
        inflate to, unless the user has lifted the limits.
    """
    settings = dataset.id.get_create_plist()
    filters = [settings.get_filter(n) for n in range(settings.get_nfilters())]
    codes = [code for code, *_ in filters if code != _CHECKSUM]
    inflating = [code for code in codes if code in _CODECS]
    if not inflating or is_lifted():
        return dataset
    if inflating != codes[-1:]:
        names = [name.decode(errors="replace") for *_, name in filters]
        raise ValueError(f"its chunks are compressed by {' and '.join(names)}")
    n_bytes = math.prod(dataset.chunks) * dataset.dtype.itemsize
    limit = ChunkLimit(_CODECS[inflating[0]], _MOST_TIMES * n_bytes + _MORE)
    return LimitedDataset(dataset, limit, tuple(code for code, *_ in filters))
