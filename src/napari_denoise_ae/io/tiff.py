"""TIFF files: what they say of axes and calibration, and writing them."""

from __future__ import annotations

import logging
import math
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ..image.axes import AXES
from .units import as_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
# Bytes of pixels. Beyond it a TIFF must be a BigTIFF, which ImageJ's kind cannot be.
_LARGEST_CLASSIC_TIFF = 2**32 - 2**25
# What tifffile only remarks on, and then reads fewer planes than there were.
_TIFF_IS_CUT_SHORT = ("invalid page offset", "metadata invalid or corrupted")


def require_no_cut(remarks: list[str]) -> None:
    """Raise `ValueError` if tifffile has remarked that planes are missing."""
    for remark in remarks:
        if any(sign in remark for sign in _TIFF_IS_CUT_SHORT):
            raise ValueError(remark)


def image_axes(tiff: tifffile.TiffFile) -> str | None:
    """Return what a TIFF says of its axes; None if it says nothing."""
    axes: str = tiff.series[0].axes
    return axes if set(axes) <= set(AXES) else None


class _Remarks(logging.Handler):
    """Collects what a library logs."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def tifffile_remarks() -> Iterator[list[str]]:
    """Collect what tifffile logs, instead of showing it to the user."""
    logger, handler = logging.getLogger("tifffile"), _Remarks()
    propagated = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


def require_complete(tiff: tifffile.TiffFile, file_size: int) -> None:
    """Raise `ValueError` if a file ends before its pixels do."""
    # tifffile fills segments that lie beyond the end of the file with zeros.
    for page in tiff.series[0].pages:
        if page is None:
            continue
        segments = zip(page.dataoffsets, page.databytecounts, strict=True)
        if any(offset + count > file_size for offset, count in segments):
            raise ValueError("it ends before its pixels do")


@dataclass(frozen=True, slots=True, eq=False)
class TiffLayout:
    """What a TIFF is to be, apart from its pixels.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    dtype : numpy.dtype
        Its dtype.
    axes : str
        Its axes.
    calibration : mapping
        Pixel size and the like, as arguments of `tifffile.imwrite`.
    tile : tuple of int, optional
        Rows and columns of its tiles; None for whole pages.
    ome : mapping, optional
        Metadata of an OME-TIFF; None for one of another kind.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    calibration: Mapping[str, Any] = field(default_factory=dict)
    tile: tuple[int, int] | None = None
    ome: Mapping[str, Any] | None = None


def write_tiff(
    path: Path,
    pixels: NDArray[Any] | Iterator[bytes] | None,
    layout: TiffLayout,
    *,
    provenance: str,
) -> None:
    """Write a TIFF from an array, from its tiles, or with empty pages (None)."""
    calibration = dict(layout.calibration)
    imagej = calibration.pop("metadata", {})
    metadata: dict[str, Any] = {"axes": layout.axes}
    # ImageJ's own metadata can only stand in a TIFF of the kind ImageJ writes.
    as_imagej = layout.ome is None and bool(imagej) and _fits_imagej(layout)
    if as_imagej:
        metadata |= {key: as_ascii(value) for key, value in imagej.items()}
    if layout.ome is not None:
        metadata |= {**layout.ome, "Description": provenance}
    elif provenance:
        metadata["Info"] = provenance
    color: dict[str, Any] = {"photometric": "minisblack"}
    if layout.axes.endswith(("YXS", "SYX")):
        planar = "separate" if layout.axes.endswith("SYX") else "contig"
        color = {"photometric": "rgb", "planarconfig": planar}
    tifffile.imwrite(
        path,
        pixels,
        shape=layout.shape,
        dtype=layout.dtype,
        tile=layout.tile,
        # tifffile cannot tell how large tiles that come one by one will be.
        bigtiff=stored_bytes(layout) > _LARGEST_CLASSIC_TIFF,
        imagej=as_imagej,
        ome=layout.ome is not None,
        metadata=metadata,
        **color,
        **calibration,
    )


def _fits_imagej(layout: TiffLayout) -> bool:
    """Tell whether ImageJ's kind of TIFF can hold an image: axes in its order."""
    axes = layout.axes
    order = "".join(letter for letter in "TZCYXS" if letter in axes)
    colors_fit = "S" not in axes or layout.dtype == np.uint8
    small = layout.tile is None and stored_bytes(layout) < _LARGEST_CLASSIC_TIFF
    return (
        layout.dtype.name in _IMAGEJ_DTYPES and axes == order and colors_fit and small
    )


def stored_bytes(layout: TiffLayout) -> int:
    """Return how many bytes the pixels take; tiles at the margin are filled up."""
    lengths = dict(zip(layout.axes, layout.shape, strict=True))
    if layout.tile is not None:
        for letter, side in zip("YX", layout.tile, strict=True):
            lengths[letter] += -lengths[letter] % side
    return math.prod(lengths.values()) * layout.dtype.itemsize


class _MappedFile:
    """An uncompressed image in a file; a part is in memory while it is read.

    A mapping that stays open counts what it has ever touched as this process's
    memory, so each part has a mapping of its own.
    """

    def __init__(self, mapped: np.memmap[Any, Any]) -> None:
        self.shape, self.dtype = mapped.shape, mapped.dtype
        self._path, self._offset = mapped.filename, mapped.offset

    def __getitem__(self, index: Any) -> NDArray[Any]:
        mapped = np.memmap(
            str(self._path), self.dtype, "r", offset=self._offset, shape=self.shape
        )
        return np.array(mapped[index])


class _StoredTiff:
    """A compressed or scattered image in a TIFF that stays open."""

    def __init__(self, tiff: tifffile.TiffFile) -> None:
        import zarr

        store = tiff.series[0].levels[0].aszarr()
        self._array = zarr.open_array(store, mode="r")
        self.shape, self.dtype = self._array.shape, self._array.dtype
        self.chunks = self._array.chunks
        weakref.finalize(self, tiff.close)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return np.asarray(self._array[index])


def tiff_array(path: Path) -> Any:
    """Return the first series of a TIFF, read on indexing."""
    try:
        return _MappedFile(tifffile.memmap(path, series=0, mode="r"))
    except ValueError:
        # Compressed, or scattered over the file.
        return _StoredTiff(tifffile.TiffFile(path))
