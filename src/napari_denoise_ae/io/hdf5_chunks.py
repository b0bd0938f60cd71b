"""Refuse chunks of HDF5 data sets that inflate far beyond their shape.

The HDF5 library grows its buffer until everything is inflated, and compares the size
with that of the chunk only then.
"""

from __future__ import annotations

import itertools
import math
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError, MissingDependencyError
from .inflation import ChunkLimit
from .limits import how_to_lift, is_lifted

if TYPE_CHECKING:
    from pathlib import Path

    import h5py
    import numpy as np
    from numpy.typing import NDArray

# Compressions of h5py and hdf5plugin that can be checked, by the numbers of filters.
_BITSHUFFLE = 32008
_CODECS = {
    1: "zlib",
    4: "szip",
    307: "bz2",
    32000: "lzf",
    32001: "blosc",
    32004: "hdf5-lz4",
    _BITSHUFFLE: "hdf5-bitshuffle",
    32015: "zstd",
}
# Bitshuffle also compresses if its fifth parameter is that of LZ4 or Zstandard.
_COMPRESSING_BITSHUFFLES = ((2,), (3,))
# The filter that appends a checksum, and the length of that.
_CHECKSUM, _CHECKSUM_BYTES = 3, 4
_SHUFFLE = 2
# N-bit and scale-offset inflate to parameter 2 times parameter 4 bytes.
_PACKING = (5, 6)
# Filters that come before the compression may make a chunk slightly larger.
_MOST_TIMES, _MORE = 2, 2**16


@dataclass(frozen=True, slots=True)
class _Filter:
    """A filter of chunks: its number, its name, and its parameters."""

    code: int
    name: str
    parameters: tuple[int, ...]

    @property
    def codec(self) -> str:
        """Name of the compression for `ChunkLimit`; empty if it is none."""
        method = self.parameters[4:5]
        if self.code == _BITSHUFFLE and method not in _COMPRESSING_BITSHUFFLES:
            return ""
        return _CODECS.get(self.code, "")

    def require_known(self, file: Path, limit: int) -> None:
        """Raise if it inflates beyond a limit, or if it is unknown how far."""
        if self.code in _PACKING:
            if math.prod(self.parameters[2:5:2]) > limit:
                raise ValueError(f"a chunk inflates to more than {limit:,} bytes")
        elif self.code not in {_SHUFFLE, _CHECKSUM, *_CODECS}:
            raise InvalidInputError(
                f"Cannot read {file}: it is unknown how far its compression, "
                f"{self.name}, inflates. {how_to_lift()}"
            )


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


def limit_chunks(dataset: h5py.Dataset, file: Path) -> h5py.Dataset | LimitedDataset:
    """Return a data set whose chunks cannot inflate far beyond their shape.

    Parameters
    ----------
    dataset : h5py.Dataset
        The data set. Without compression, or if the user has lifted the limits, it is
        returned as it is.
    file : pathlib.Path
        Its file, for errors.

    Raises
    ------
    InvalidInputError
        If it is unknown how far a compression inflates.
    MissingDependencyError
        If h5py lacks a compression.
    ValueError
        If its chunks are compressed more than once, so that it is unknown what they
        inflate to, or a filter has another size than the chunks.
    """
    filters = _filters_of(dataset, file)
    if not filters or is_lifted():
        return dataset
    limit = _MOST_TIMES * math.prod(dataset.chunks) * dataset.dtype.itemsize + _MORE
    for each in filters:
        each.require_known(file, limit)
    names = [each.codec for each in filters if each.code != _CHECKSUM]
    inflating = [name for name in names if name]
    if not inflating:
        return dataset
    if inflating != names[-1:]:
        called = [each.name for each in filters if each.code != _CHECKSUM]
        raise ValueError(f"its chunks are compressed by {' and '.join(called)}")
    codes = tuple(each.code for each in filters)
    return LimitedDataset(dataset, ChunkLimit(inflating[0], limit), codes)


def _filters_of(dataset: h5py.Dataset, file: Path) -> list[_Filter]:
    """Return the filters, in the order in which a chunk is written.

    Raises
    ------
    MissingDependencyError
        If h5py lacks one.
    """
    from h5py import h5z

    with suppress(ImportError):
        # Adds its compressions to those of h5py.
        import_module("hdf5plugin")
    settings = dataset.id.get_create_plist()
    filters = []
    for number in range(settings.get_nfilters()):
        code, _, parameters, name = settings.get_filter(number)
        called = name.decode(errors="replace") or f"number {code}"
        if not h5z.filter_avail(code):
            raise MissingDependencyError(
                f"Cannot read {file}: h5py lacks its compression, {called}. Install "
                "it with: pip install hdf5plugin"
            )
        filters.append(_Filter(code, called, parameters))
    return filters
