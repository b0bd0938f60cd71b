"""Open TIFF files: read their metadata, and pixels on demand."""

from __future__ import annotations

import logging
import re
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ..image.axes import stack_axes
from .calibration import tiff_calibration, tiff_scale
from .channels import from_color_map, tiff_channels
from .compression import compression_of_page
from .limits import claimed_bytes, require_near, require_plausible_size
from .picture_metadata import PictureMetadata
from .stored import Dispensable, StoredImage, require_file
from .tiff_color import interpret
from .tiff_exif import read_tiff_exif
from .tiff_instruments import instrument_channels
from .tiff_series import choose_series, joined_axes
from .upright import make_upright
from .views import Stacked, chunks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .calibration import Calibration
    from .channels import Channel

# Problems that tifffile only logs. It then returns fewer planes, or zeros in place
# of a missing file.
# Orientations of TIFF after this one swap rows and columns.
_LAST_UNSWAPPED = 4
_TRUNCATED = ("invalid page offset", "metadata invalid or corrupted")
_MISSING_FILE = re.compile(r"OME series failed to read (.*), raised")


def open_tiff(path: Path, series: int | None = None) -> StoredImage:
    """Open an image of a TIFF, which may span several files.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    series : int, optional
        Number of the image, from 0, see `choose_series`.
    """
    require_file(path)
    with _capture_tifffile_log() as messages, tifffile.TiffFile(path) as tiff:
        chosen, note = choose_series(tiff, path, series)
        for each in chosen:
            _require_plausible(each, path)
            require_complete(each, tiff)
        axes, axes_are_assumed = joined_axes(chosen)
        page = chosen[0].keyframe
        orientation = _orientation(page)
        letters = chosen[0].axes.rjust(len(chosen[0].axes) + _is_stacked(chosen), "I")
        array = make_upright(_array(tiff, chosen, path), letters, orientation)
        pixels = interpret(array, axes, tiff, page)
        metadata = Dispensable()
        scale, units, calibration = _pixel_size(tiff, chosen[0], metadata)
        channels, labels = _channels(tiff, chosen[0], metadata)
        if pixels.color_map is not None:
            channels = (from_color_map(pixels.color_map),)
        if orientation > _LAST_UNSWAPPED:
            scale, calibration = _swapped(scale, calibration)
        picture = PictureMetadata(
            color_map=pixels.color_map,
            alpha=_alpha(page),
            icc=metadata.read("color profile", lambda: _icc(page), b""),
            exif=metadata.read("EXIF data", lambda: read_tiff_exif(path, page), b""),
        )
    _require_no_missing_planes(messages)
    return StoredImage(
        array=pixels.array,
        axes=pixels.axes,
        chunks=chunks_of(pixels.array),
        scale=scale,
        units=units,
        calibration=calibration,
        picture=picture,
        channels=channels if "S" not in (pixels.axes or "") else (),
        labels=labels,
        n_levels=len(chosen[0].levels),
        compression=compression_of_page(page),
        axes_are_assumed=axes_are_assumed,
        notes=tuple(text for text in (note, pixels.note, metadata.note) if text),
    )


def _pixel_size(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, metadata: Dispensable
) -> tuple[dict[str, float], dict[str, str], dict[str, Any]]:
    """Return the pixel size, its units and the calibration; empty if damaged."""
    none: Calibration = ({}, {})
    known = metadata.read("pixel size", lambda: tiff_scale(tiff, series), none)
    calibration: dict[str, Any] = metadata.read(
        "resolution", lambda: tiff_calibration(tiff, series), {}
    )
    return *known, calibration


def _channels(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, metadata: Dispensable
) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
    """Return the channels and the labels of the planes; none if they are damaged."""
    none: tuple[tuple[Channel, ...], tuple[str, ...]] = ((), ())
    number = tiff.series.index(series)
    known = metadata.read("channels", lambda: tiff_channels(tiff, number), none)
    if known[0]:
        return known
    return metadata.read("channels", lambda: instrument_channels(tiff), ()), known[1]


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


def require_complete(series: tifffile.TiffPageSeries, tiff: tifffile.TiffFile) -> None:
    """Raise `ValueError` if a file ends before the pixels of a series do."""
    # tifffile reads segments beyond the end of the file as zeros.
    for page in series.pages:
        if page is None:
            continue
        # Pages of an OME-TIFF may be in other files.
        file = page.parent.filehandle
        segments = zip(page.dataoffsets, page.databytecounts, strict=True)
        if any(offset + count > file.size for offset, count in segments):
            name = "it" if page.parent is tiff else file.name
            raise ValueError(f"{name} ends before its pixels do")


def _require_plausible(series: tifffile.TiffPageSeries, path: Path) -> None:
    """Raise if files of a series are elsewhere, or hold too few bytes for it."""
    files = {page.parent.filehandle for page in series.pages if page is not None}
    for file in files:
        require_near(Path(file.path), path, path.resolve().parent)
    claimed = claimed_bytes(series.shape, np.dtype(series.dtype))
    require_plausible_size(path, claimed, (file.size for file in files))


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


class _OpenTiff:
    """A TIFF that stays open as long as an image in it is used."""

    def __init__(self, path: Path) -> None:
        self.tiff = tifffile.TiffFile(path)
        weakref.finalize(self, self.tiff.close)


class _StoredTiff:
    """A compressed or non-contiguous image in an open TIFF, at full resolution."""

    def __init__(self, file: _OpenTiff, number: int) -> None:
        import zarr

        self._file = file
        self._series = file.tiff.series[number]
        # A pyramid without its level would open as a group.
        self._array = zarr.open_array(self._series.aszarr(level=0), mode="r")
        self.shape, self.dtype = self._array.shape, self._array.dtype
        self.chunks = self._array.chunks

    def __getitem__(self, index: Any) -> NDArray[Any]:
        if index is Ellipsis:
            # For the whole image tifffile decodes in several threads.
            return self._series.asarray(level=0)
        return np.asarray(self._array[index])


def _array(
    tiff: tifffile.TiffFile, chosen: list[tifffile.TiffPageSeries], path: Path
) -> Any:
    """Return the chosen series of a TIFF as one array, read on indexing."""
    arrays: list[Any] = []
    file = None
    for series in chosen:
        array: Any = _mapped(tiff, series, path)
        if array is None:
            file = file or _OpenTiff(path)
            array = _StoredTiff(file, tiff.series.index(series))
        arrays.append(array)
    if len(arrays) == 1:
        return arrays[0]
    return Stacked(arrays, new_axis=_is_stacked(chosen))


def _is_stacked(chosen: list[tifffile.TiffPageSeries]) -> bool:
    """Return whether series are joined along a new axis."""
    return len(chosen) > 1 and not stack_axes(chosen[0].axes)


def _orientation(page: tifffile.TiffPage) -> int:
    tag = page.tags.get("Orientation")
    return int(tag.value) if tag is not None and tag.value in range(1, 9) else 1


def _swapped(
    scale: dict[str, float], calibration: dict[str, Any]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Exchange the pixel sizes along X and Y."""
    other = {"X": "Y", "Y": "X"}
    swapped = {other.get(axis, axis): size for axis, size in scale.items()}
    if "resolution" in calibration:
        calibration = {**calibration, "resolution": calibration["resolution"][::-1]}
    return swapped, calibration


def _alpha(page: tifffile.TiffPage) -> str:
    """Return the meaning of the sample after the color, see `PictureMetadata`."""
    if not page.extrasamples:
        return "unassalpha"
    sample, known = page.extrasamples[0], set(tifffile.EXTRASAMPLE)
    return tifffile.EXTRASAMPLE(sample if sample in known else 0).name.lower()


def _icc(page: tifffile.TiffPage) -> bytes:
    tag = page.tags.get("InterColorProfile")
    return b"" if tag is None else bytes(tag.value)


def _mapped(
    tiff: tifffile.TiffFile, series: tifffile.TiffPageSeries, path: Path
) -> _MappedFile | None:
    """Return a series that lies uncompressed in one piece, or None."""
    # The offset does not say which file it refers to.
    in_this_file = all(page is None or page.parent is tiff for page in series.pages)
    offset = series.dataoffset if in_this_file else None
    if offset is None or series.dtype is None:
        return None
    dtype = np.dtype(tiff.byteorder + series.dtype.char)
    return _MappedFile(path, offset, series.shape, dtype)
