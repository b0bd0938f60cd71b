"""Write a TIFF page by page or tile by tile."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ..image.casting import mean_of_squares
from ..image.tiling import grid_of, round_up
from .tiff import level_layouts, write_tiff
from .tiff_encoding import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from .tiff import TiffLayout

# Alignment of pixel data in a file, in bytes, as in tifffile.
_ALIGNMENT = 16


@dataclass(slots=True, eq=False)
class _Level:
    """A level of a pyramid, or the only one.

    Parameters
    ----------
    sides : tuple of int
        Rows and columns of a page.
    pages : list of tifffile.TiffPage
        Its pages.
    keyframe : tifffile.TiffPage
        The page that describes the others.
    n_parts : int
        Number of tiles of a page; 1 if it is stored in one piece.
    """

    sides: tuple[int, int]
    pages: list[tifffile.TiffPage | tifffile.TiffFrame]
    keyframe: tifffile.TiffPage
    n_parts: int
    offsets: NDArray[np.uint64] = field(init=False)
    counts: NDArray[np.uint64] = field(init=False)

    def __post_init__(self) -> None:
        self.offsets = np.zeros((len(self.pages), self.n_parts), np.uint64)
        self.counts = np.zeros_like(self.offsets)


class TiffTarget:
    """A TIFF whose pages or tiles are written one by one, in any order.

    `write_tiff` takes all pixels in a single call. This class calls it to write the
    metadata only. Pages that are neither compressed nor tiled are then written to their
    places; other pages and tiles are appended, and tags say in the end where they are.

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
        write_tiff(path, None, layout, provenance=provenance)
        self.axes, self.tile = layout.axes, layout.tile
        samples = layout.shape[layout.axes.index("X") + 1 :]
        self._tiff = tifffile.TiffFile(path, mode="r+")
        self._levels = [
            _level(pages, each, layout.tile)
            for pages, each in zip(
                _pages_of_levels(self._tiff, layout), level_layouts(layout), strict=True
            )
        ]
        self._shape = (*(layout.tile or self._levels[0].sides), *samples)
        self._dtype = layout.dtype
        first = self._levels[0].keyframe
        self._start = None if layout.in_parts else int(first.dataoffsets[0])
        self._file = path.open("rb+")
        self._end = round_up(path.stat().st_size, _ALIGNMENT)

    def __enter__(self) -> TiffTarget:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        with self._tiff:
            if kind is None and self._start is None:
                for level in self._levels:
                    _write_tags(level)

    @property
    def n_reduced(self) -> int:
        """Number of tiles that `write_levels` writes."""
        return sum(level.offsets.size for level in self._levels[1:])

    def write(self, number: int, block: NDArray[Any]) -> None:
        """Write a page or a tile.

        Parameters
        ----------
        number : int
            Index in the order of the file, from 0.
        block : numpy.ndarray
            (Y, X) or (Y, X, S). Tiles at the right and bottom edges may be smaller.
        """
        self._put(self._levels[0], number, block)

    def write_levels(self) -> Iterator[None]:
        """Write the smaller levels: means of 2 x 2 pixels of the level before.

        Yields
        ------
        None
            After each tile.
        """
        if self.tile is None:
            return
        for before, level in zip(self._levels, self._levels[1:], strict=False):
            for page in range(len(level.pages)):
                for part, (rows, columns) in enumerate(grid_of(level.sides, self.tile)):
                    where = tuple(
                        slice(2 * each.start, 2 * each.stop) for each in (rows, columns)
                    )
                    block = self._read(before, page, where)
                    number = page * level.n_parts + part
                    self._put(level, number, mean_of_squares(block, 0))
                    yield

    def _put(self, level: _Level, number: int, block: NDArray[Any]) -> None:
        padding = [
            (0, full - length)
            for full, length in zip(self._shape, block.shape, strict=True)
        ]
        # Repeated pixels compress well, and do not show at the edges of a JPEG.
        padded = np.pad(block, padding, "edge").astype(self._dtype, copy=False)
        data = encode(padded, level.keyframe)
        if self._start is not None:
            self._file.seek(self._start + number * len(data))
        else:
            level.offsets.flat[number] = self._end
            level.counts.flat[number] = len(data)
            self._file.seek(self._end)
            self._end += round_up(len(data), _ALIGNMENT)
        self._file.write(data)

    def _read(
        self, level: _Level, number: int, where: tuple[slice, ...]
    ) -> NDArray[Any]:
        """Read rows and columns, which begin at a tile, of a page."""
        height, width = self._shape[:2]
        rows, columns = where
        n_columns = -(-level.sides[1] // width)
        lines = []
        for row in range(rows.start // height, -(-rows.stop // height)):
            tiles = []
            for column in range(columns.start // width, -(-columns.stop // width)):
                part = row * n_columns + column
                self._file.seek(int(level.offsets[number, part]))
                data = self._file.read(int(level.counts[number, part]))
                tiles.append(decode(data, part, level.keyframe, self._shape))
            lines.append(np.concatenate(tiles, axis=1))
        block = np.concatenate(lines, axis=0)
        return block[: rows.stop - rows.start, : columns.stop - columns.start]


def _pages_of_levels(
    tiff: tifffile.TiffFile, layout: TiffLayout
) -> list[list[tifffile.TiffPage | tifffile.TiffFrame]]:
    """Return the pages of each level; only the first if pages are contiguous."""
    if not layout.in_parts:
        return [[tiff.pages.first]]
    if layout.n_levels == 1:
        return [list(tiff.pages)]
    levels = tiff.series[0].levels
    return [[page for page in level.pages if page is not None] for level in levels]


def _level(
    pages: list[tifffile.TiffPage | tifffile.TiffFrame],
    layout: TiffLayout,
    tile: tuple[int, int] | None,
) -> _Level:
    lengths = dict(zip(layout.axes, layout.shape, strict=True))
    sides = lengths["Y"], lengths["X"]
    n_parts = 1
    if tile is not None:
        n_parts = math.prod(
            -(-side // part) for side, part in zip(sides, tile, strict=True)
        )
    return _Level(sides, pages, pages[0].aspage(), n_parts)


def _write_tags(level: _Level) -> None:
    kind = "Tile" if level.keyframe.is_tiled else "Strip"
    names = f"{kind}Offsets", f"{kind}ByteCounts"
    for page, *values in zip(level.pages, level.offsets, level.counts, strict=True):
        tags = page.aspage().tags
        for name, numbers in zip(names, values, strict=True):
            tags[name].overwrite(numbers.tolist())
