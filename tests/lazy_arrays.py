"""Lazy arrays for tests."""

from __future__ import annotations

import dask.array as da
import numpy as np


def image_of(shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    """Return random values from 0 to 200."""
    values = np.random.default_rng(0).random(shape)
    return (200 * values).astype(dtype)


class CountedReads:
    """A lazy array that records which of its chunks have been computed."""

    def __init__(self, image: np.ndarray, chunks: tuple[int, ...]) -> None:
        self.read: set[tuple[int, ...]] = set()
        whole = da.from_array(image, chunks=chunks)
        self.array = whole.map_blocks(self._record, dtype=image.dtype, meta=image[:0])

    def _record(self, block: np.ndarray, block_id: tuple[int, ...]) -> np.ndarray:
        self.read.add(block_id)
        return block
