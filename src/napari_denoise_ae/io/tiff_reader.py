"""Open TIFF files: read their metadata, and pixels on demand."""

from __future__ import annotations

import logging
import re
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ..image.axes import AXES
from .calibration import tiff_calibration, tiff_scale
from .stored import StoredImage, require_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# Problems that tifffile only logs. It then returns fewer planes, or zeros in place
# of a missing file.
_TRUNCATED = ("invalid page offset", "metadata invalid or corrupted")
_MISSING_FILE = re.compile(r"OME series failed to read (.*), raised")


def open_tiff(path: Path) -> StoredImage:
    """Open the first series of a TIFF, which may span several files."""
    require_file(path)
    with _capture_tifffile_log() as messages, tifffile.TiffFile(path) as tiff:
        require_complete(tiff)
        array = _array(tiff, path)
        scale, units = tiff_scale(tiff)
        axes = tiff.series[0].axes
        calibration = tiff_calibration(tiff)
    _require_no_missing_planes(messages)
    return StoredImage(
        array=array,
        axes=axes if set(axes) <= set(AXES) else None,
        chunks=getattr(array, "chunks", None),
        scale=scale,
        units=units,
        calibration=calibration,
    )


class _LogCollector(logging.Handler):
    """Collects log messages."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _capture_tifffile_log() -> Iterator[list[str]]:
    """Collect tifffile's log messages instead of showing them to the user."""
    logger, handler = logging.getLogger("tifffile"), _LogCollector()
    propagated = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler.messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


def _require_no_missing_planes(messages: list[str]) -> None:
    """Raise `ValueError` if tifffile has logged that planes are missing."""
    for message in messages:
        if missing := _MISSING_FILE.search(message):
            raise ValueError(f"its planes in {missing[1]} are missing")
        if any(text in message for text in _TRUNCATED):
            raise ValueError(message)


def require_complete(tiff: tifffile.TiffFile) -> None:
    """Raise `ValueError` if a file ends before its pixels do."""
    # tifffile reads segments beyond the end of the file as zeros.
    for page in tiff.series[0].pages:
        if page is None:
            continue
        # Pages of an OME-TIFF may be in other files.
        file = page.parent.filehandle
        segments = zip(page.dataoffsets, page.databytecounts, strict=True)
        if any(offset + count > file.size for offset, count in segments):
            name = "it" if page.parent is tiff else file.name
            raise ValueError(f"{name} ends before its pixels do")


class _MappedFile:
    """An uncompressed image in a file, memory-mapped anew for each read.

    Pages that a memory map has touched count as this process's memory until it is
    closed.
    """

    def __init__(
        self, path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self._path, self._offset = path, offset

    def __getitem__(self, index: Any) -> NDArray[Any]:
        mapped = np.memmap(
            self._path, self.dtype, "r", offset=self._offset, shape=self.shape
        )
        return np.array(mapped[index])


class _StoredTiff:
    """A compressed or non-contiguous image in a TIFF that stays open."""

    def __init__(self, path: Path) -> None:
        import zarr

        tiff = tifffile.TiffFile(path)
        weakref.finalize(self, tiff.close)
        self._series = tiff.series[0]
        store = self._series.levels[0].aszarr()
        self._array = zarr.open_array(store, mode="r")
        self.shape, self.dtype = self._array.shape, self._array.dtype
        self.chunks = self._array.chunks

    def __getitem__(self, index: Any) -> NDArray[Any]:
        if index is Ellipsis:
            # For the whole image tifffile decodes in several threads.
            return self._series.asarray()
        return np.asarray(self._array[index])


def _array(tiff: tifffile.TiffFile, path: Path) -> _MappedFile | _StoredTiff:
    """Return the first series of a TIFF, read on indexing."""
    series = tiff.series[0]
    # The offset does not say which file it refers to.
    in_this_file = all(page is None or page.parent is tiff for page in series.pages)
    offset = series.dataoffset if in_this_file else None
    if offset is None or series.dtype is None:
        return _StoredTiff(path)
    dtype = np.dtype(tiff.byteorder + series.dtype.char)
    return _MappedFile(path, offset, series.shape, dtype)
