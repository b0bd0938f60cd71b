"""Write a TIFF page by page or tile by tile."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from .tiff import stored_bytes, write_tiff

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from .tiff import TiffLayout

# Alignment of pixel data in a file, in bytes, as in tifffile.
_ALIGNMENT = 16


class TiffTarget:
    """A TIFF whose pages or tiles are written one by one, in any order.

    `write_tiff` takes all pixels in a single call. This class calls it to write the
    metadata only, and then writes pixels at the offsets that the metadata give.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    layout : TiffLayout
        Structure and metadata of the file. Samples, if any, are the last axis.
    provenance : str
        How the image was made.
    """

    def __init__(self, path: Path, layout: TiffLayout, *, provenance: str) -> None:
        lengths = dict(zip(layout.axes, layout.shape, strict=True))
        sides = layout.tile or (lengths["Y"], lengths["X"])
        self.axes = layout.axes
        self._shape = (*sides, *layout.shape[layout.axes.index("X") + 1 :])
        self._dtype = layout.dtype
        self._n_bytes = math.prod(self._shape) * layout.dtype.itemsize
        if layout.tile is None:
            self._start = _begin_pages(path, layout, provenance)
        else:
            self._start = _begin_tiles(path, layout, provenance, self._n_bytes)
        self._file = path.open("rb+")

    def __enter__(self) -> TiffTarget:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, number: int, block: NDArray[Any]) -> None:
        """Write a page or a tile.

        Parameters
        ----------
        number : int
            Index in the order of the file, from 0.
        block : numpy.ndarray
            (Y, X) or (Y, X, S). Tiles at the right and bottom edges may be smaller.
        """
        padding = [
            (0, full - length)
            for full, length in zip(self._shape, block.shape, strict=True)
        ]
        padded = np.pad(block, padding).astype(self._dtype, copy=False)
        self._file.seek(self._start + number * self._n_bytes)
        self._file.write(padded.tobytes())


def _begin_pages(path: Path, layout: TiffLayout, provenance: str) -> int:
    """Write a TIFF of empty pages; return the offset of the first pixel."""
    write_tiff(path, None, layout, provenance=provenance)
    with tifffile.TiffFile(path) as tiff:
        return int(tiff.pages[0].dataoffsets[0])


def _begin_tiles(
    path: Path, layout: TiffLayout, provenance: str, tile_bytes: int
) -> int:
    """Write a TIFF of empty tiles; return the offset of the first pixel."""
    # tifffile reserves no space for tiles, so they are appended after the metadata.
    n_tiles = stored_bytes(layout) // tile_bytes
    write_tiff(path, iter([b""] * n_tiles), layout, provenance=provenance)
    start = offset = -(-path.stat().st_size // _ALIGNMENT) * _ALIGNMENT
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for page in tiff.pages:
            tags = page.aspage().tags
            counts = [tile_bytes] * tags["TileOffsets"].count
            offsets = [offset + number * tile_bytes for number in range(len(counts))]
            tags["TileOffsets"].overwrite(offsets)
            tags["TileByteCounts"].overwrite(counts)
            offset += sum(counts)
    return start
