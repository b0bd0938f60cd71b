"""Open images of any supported format and read regions of them on demand."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import plugins
from ..errors import InvalidInputError
from ..image.axes import resolve_axes, stack_axes
from ..image.checks import require_real
from .bioio_file import PLUGINS, open_bioio
from .hdf5_file import open_hdf5
from .location import HDF5, file_of, is_remote, url_of
from .numpy_file import open_npy
from .ome_zarr import open_ome_zarr
from .pictures import open_jpeg, open_png, open_webp
from .plugin_reader import plugin_reader
from .stored import StoredImage, refuse_damaged
from .tiff_reader import open_tiff

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from ..image.tiling import Region

#: Suffix of OME-Zarr folders.
ZARR = ".zarr"
#: Suffixes of TIFF files that are written, lower case.
TIFF = {".tif", ".tiff"}
#: Suffixes of plain arrays, lower case, which may hold anything.
ARRAYS = {".npy", *HDF5}
# Suffixes of other TIFF files: BigTIFF, and those of instruments.
_READ_AS_TIFF = {".btf", ".lsm", ".ndpi", ".qptiff", ".stk", ".svs", ".tf2", ".tf8"}
# Suffixes of files that are decoded as a whole, lower case.
_PICTURES = {".jpeg", ".jpg", ".png", ".webp"}


# Reads a file's metadata and gives access to its pixels. `open_image` translates
# errors of the imaging libraries. Some take the number of the image in the file.
_Reader = Callable[..., StoredImage]

#: Readers by suffix in lower case: a new format is one line.
READERS: dict[str, _Reader] = {
    ".jpeg": open_jpeg,
    ".jpg": open_jpeg,
    ".npy": open_npy,
    ".png": open_png,
    ".webp": open_webp,
    ZARR: open_ome_zarr,
    **dict.fromkeys(HDF5, open_hdf5),
    **dict.fromkeys(PLUGINS, open_bioio),
    **dict.fromkeys(TIFF | _READ_AS_TIFF, open_tiff),
}


def readable_suffixes() -> list[str]:
    """Return the suffixes of all formats that are read, lower case, sorted."""
    return sorted({*READERS, *(f".{name}" for name in plugins.added(plugins.READERS))})


def _is_readable(suffix: str) -> bool:
    return suffix in READERS or suffix[1:] in plugins.added(plugins.READERS)


def _reader_of(suffix: str) -> _Reader | None:
    """Return the reader of a format, from this package or another one."""
    return READERS.get(suffix) or plugin_reader(suffix)


def _takes_series(reader: _Reader) -> bool:
    return "series" in inspect.signature(reader).parameters


@dataclass(frozen=True, eq=False, kw_only=True)
class Volume(StoredImage):
    """An image of any size whose regions are read on demand.

    Parameters
    ----------
    path : pathlib.Path
        The file, or the folder of an OME-Zarr image.
    axes : str
        Its axes.
    series : int, optional
        Number of the image in the file, see `open_image`.

    The other parameters are those of `StoredImage`.
    """

    path: Path
    axes: str
    series: int | None = None

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Axis lengths by letter."""
        return dict(zip(self.axes, self.shape, strict=True))

    @property
    def stack_axes(self) -> str:
        """The axes without Y, X and S."""
        return stack_axes(self.axes)

    @property
    def block_axes(self) -> str:
        """The axes of the arrays that `read` returns."""
        return self.stack_axes + "YX" + "S" * ("S" in self.axes)

    def read(self, plane: tuple[int, ...], region: Region) -> NDArray[Any]:
        """Read a region of a plane.

        Parameters
        ----------
        plane : tuple of int
            Index of the plane along `stack_axes`.
        region : tuple of slice
            Rows and columns.

        Returns
        -------
        numpy.ndarray
            Axes as in `block_axes`; the stack axes have length 1.
        """
        parts = {
            letter: slice(i, i + 1)
            for letter, i in zip(self.stack_axes, plane, strict=True)
        }
        parts |= {"Y": region[0], "X": region[1], "S": slice(None)}
        block = self.read_part(tuple(parts[letter] for letter in self.axes))
        order = [self.axes.index(letter) for letter in self.block_axes]
        return block.transpose(order)

    def read_part(self, part: tuple[slice, ...]) -> NDArray[Any]:
        """Read a region, given as one slice per axis.

        Raises
        ------
        InvalidInputError
            If the file is damaged.
        """
        with refuse_damaged(self.path, "a part"):
            block = np.asarray(self.array[part])
        # torch supports native byte order only.
        return block.astype(self.dtype, copy=False)


def is_zarr(path: Path) -> bool:
    """Return whether a path is an OME-Zarr image, or an image inside a plate.

    An image inside a plate must exist; otherwise the suffix decides. Addresses are
    those of OME-Zarr images unless the suffix is that of another format.
    """
    if is_remote(path):
        return path.suffix.lower() not in READERS.keys() - {ZARR}
    if path.suffix.lower() == ZARR:
        return True
    inside = any(parent.suffix.lower() == ZARR for parent in path.parents)
    return inside and os.path.isdir(path)  # noqa: PTH112 - no error for a long name


def format_of(path: Path) -> str:
    """Return the suffix of a path's format, lower case; it may not be in `READERS`."""
    return ZARR if is_zarr(path) else file_of(path).suffix.lower()


def is_picture(path: Path) -> bool:
    """Return whether a file of this name is decoded as a whole at the first access."""
    return path.suffix.lower() in _PICTURES


def is_image(path: Path) -> bool:
    """Return whether a path has the suffix of a readable format."""
    suffix = file_of(path).suffix.lower()
    return suffix == ZARR or (_is_readable(suffix) and not path.is_dir())


def unknown_format(path: Path, suffixes: Iterable[str]) -> InvalidInputError:
    """Return the error for a file with an unknown suffix."""
    return InvalidInputError(
        f"Cannot infer the format of {str(path)!r}: the name must end in one of "
        f"{', '.join(sorted(suffixes))}."
    )


def open_image(path: Path, series: int | None = None) -> StoredImage:
    """Open an image and read its metadata; pixels are read on demand.

    Parameters
    ----------
    path : pathlib.Path
        A file in one of the formats of `readable_suffixes`.
    series : int, optional
        Number of the image in a file that holds several, from 0: a series of a TIFF,
        a scene of a microscope's file, an image of an OME-Zarr, or a picture of a
        JPEG. None means the pages of one shape in a TIFF together, otherwise the
        largest image, and the first picture of a JPEG.

    Raises
    ------
    InvalidInputError
        If the file does not exist or cannot be read.
    """
    suffix = format_of(path)
    reader = _reader_of(suffix)
    if reader is None:
        raise unknown_format(path, readable_suffixes())
    if is_remote(path) and suffix != ZARR:
        raise InvalidInputError(
            f"Cannot read {url_of(path)}: only OME-Zarr images are read from an "
            "address. Download the file first."
        )
    with refuse_damaged(path):
        if series is None:
            return reader(path)
        if not _takes_series(reader):
            raise InvalidInputError(
                f"{path} holds no series to choose from: only TIFF, JPEG, OME-Zarr and "
                "microscopes' files do. Omit --series."
            )
        return reader(path, series=series)


def open_volume(
    path: Path, axes: str | None = None, series: int | None = None
) -> Volume:
    """Open an image of any size; pixels are read on demand.

    Parameters
    ----------
    path : pathlib.Path
        A file in one of the formats of `readable_suffixes`.
    axes : str, optional
        Its axes, if the file states none or the wrong ones.
    series : int, optional
        See `open_image`.

    Returns
    -------
    Volume
        The image. PNG, JPEG and WebP files are decoded as a whole at the first access.

    Raises
    ------
    InvalidInputError
        If the file does not exist or cannot be read, or its axes cannot be inferred.
    """
    stored = open_image(path, series)
    known = resolve_axes(stored.shape, axes or stored.axes)
    require_real(stored.dtype, stored.shape)
    notes = stored.notes
    if stored.axes_are_assumed and axes is None:
        notes += (
            f"The file does not say what its {stored.shape[0]} pages are. They are "
            "read as frames T; name their axis with --axes.",
        )
    content = {field.name: getattr(stored, field.name) for field in fields(StoredImage)}
    return Volume(
        **content
        | {
            "path": path,
            "series": series,
            "axes": known,
            "scale": {
                axis: stored.scale[axis] for axis in known if axis in stored.scale
            },
            "units": {
                axis: stored.units[axis] for axis in known if axis in stored.units
            },
            "notes": notes,
        }
    )


def opened_volume(path: Path, axes: str, series: int | None = None) -> Volume:
    """Return an image from this process's cache; reopen it if the file changed.

    Raises
    ------
    InvalidInputError
        If it is gone, or see `open_volume`.
    """
    try:
        changed = changed_at(path)
    except OSError as error:
        raise InvalidInputError(
            f"{path} can no longer be read: {error.strerror}. Was it moved or removed?"
        ) from error
    return _opened(path, axes, series, changed)


def changed_at(path: Path) -> int:
    """Return when an image was changed, in nanoseconds; 0 for an address."""
    return 0 if is_remote(path) else file_of(path).stat().st_mtime_ns


def close_volumes() -> None:
    """Close the files that `opened_volume` keeps open."""
    _opened.cache_clear()


@lru_cache(maxsize=2)
def _opened(path: Path, axes: str, series: int | None, _changed: int) -> Volume:
    return open_volume(path, axes, series)
