"""A cache of decoded blocks of images, of bounded size."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ...image.tiling import region_shape, relative_region, shared_region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ...image.tiling import Region
    from .image import TrainingImage

# Image, plane, first row and first column.
_Key = tuple[int, tuple[int, ...], int, int]


class BlockCache:
    """Reads regions of images, and keeps the blocks that were used last.

    Can be used by several threads, which take turns.

    Parameters
    ----------
    images : sequence of TrainingImage
        The images.
    memory_limit : int
        Bytes of all blocks that are kept. A larger block is read, but not kept.
    """

    def __init__(self, images: Sequence[TrainingImage], memory_limit: int) -> None:
        self._images, self._limit = images, memory_limit
        self._blocks: OrderedDict[_Key, NDArray[Any]] = OrderedDict()
        self._lock = Lock()
        self.n_bytes = 0

    def read(self, number: int, plane: tuple[int, ...], region: Region) -> NDArray[Any]:
        """Return a copy of a region of a plane, (Y, X, colors).

        Parameters
        ----------
        number : int
            Index of the image.
        plane : tuple of int
            Index of the plane in the stack.
        region : tuple of slice
            Rows and columns.

        Raises
        ------
        DatasetError
            See `TrainingImage.read`.
        """
        image = self._images[number]
        if image.block is None:
            return image.read(plane, region).copy()
        shape = (*region_shape(region), image.n_colors)
        pixels = np.empty(shape, image.dtype)
        for part in _blocks_of(region, image.block, image.plane_shape):
            block = self._block(number, plane, part)
            shared = shared_region(region, part)
            source = block[relative_region(shared, part)]
            pixels[relative_region(shared, region)] = source
        return pixels

    def _block(
        self, number: int, plane: tuple[int, ...], region: Region
    ) -> NDArray[Any]:
        key = (number, plane, region[0].start, region[1].start)
        with self._lock:
            if key in self._blocks:
                self._blocks.move_to_end(key)
                return self._blocks[key]
            # A view would keep the whole decoded array alive.
            block = self._images[number].read(plane, region).copy()
            if block.nbytes <= self._limit:
                self._blocks[key] = block
                self.n_bytes += block.nbytes
            while self.n_bytes > self._limit:
                self.n_bytes -= self._blocks.popitem(last=False)[1].nbytes
            return block


def _blocks_of(
    region: Region, block: tuple[int, int], shape: tuple[int, int]
) -> Iterator[Region]:
    """Yield the blocks of a plane that a region needs."""
    starts = [
        part.start // side * side for part, side in zip(region, block, strict=True)
    ]
    stops = [min(part.stop, length) for part, length in zip(region, shape, strict=True)]
    for y in range(starts[0], stops[0], block[0]):
        for x in range(starts[1], stops[1], block[1]):
            rows = slice(y, min(y + block[0], shape[0]))
            yield rows, slice(x, min(x + block[1], shape[1]))
