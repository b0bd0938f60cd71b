"""Images of which only parts are read: OME-Zarr and TIFF, larger than memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import resolve_axes
from ..image.checks import require_real
from .ome_zarr import open_ome_zarr
from .pictures import open_jpeg, open_png
from .stored import DAMAGED, StoredImage, refuse_damaged
from .tiff_reader import open_tiff

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ..image.tiling import Region

#: What the folder of an OME-Zarr image is called.
ZARR = ".zarr"
#: Suffixes of TIFF files, lower case.
TIFF = {".tif", ".tiff"}


# Reads what a file says of its image, and gives access to its pixels. Errors of an
# imaging library are turned into one for the user, see `open_image`.
_Reader = Callable[[Path], StoredImage]

#: How to open a file, by its suffix in lower case: a new format is one line.
READERS: dict[str, _Reader] = {
    ".jpeg": open_jpeg,
    ".jpg": open_jpeg,
    ".png": open_png,
    ".tif": open_tiff,
    ".tiff": open_tiff,
    ZARR: open_ome_zarr,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Volume(StoredImage):
    """An image of any size, of which parts are read.

    Parameters
    ----------
    path : pathlib.Path
        The file, or the folder of an OME-Zarr.
    axes : str
        Its axes, which are known.
    array, chunks, scale, units, calibration, ome
        See `StoredImage`.
    """

    path: Path
    axes: str

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Length of each axis, by its letter."""
        return dict(zip(self.axes, self.shape, strict=True))

    @property
    def stack_axes(self) -> str:
        """The axes without Y, X and S."""
        return "".join(letter for letter in self.axes if letter not in "YXS")

    @property
    def block_axes(self) -> str:
        """The axes of what `read` returns."""
        return self.stack_axes + "YX" + "S" * ("S" in self.axes)

    def read(self, plane: tuple[int, ...], region: Region) -> NDArray[Any]:
        """Read rows and columns of a plane.

        Parameters
        ----------
        plane : tuple of int
            Its index along `stack_axes`.
        region : tuple of slice
            Rows and columns.

        Returns
        -------
        numpy.ndarray
            With the axes `block_axes`; those of the stack have length 1.
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
        """Read a part, one slice for each of `axes`.

        Raises
        ------
        InvalidInputError
            If the file is damaged.
        """
        try:
            block = np.asarray(self.array[part])
        except DAMAGED as error:
            raise InvalidInputError(
                f"Cannot read a part of {self.path}: {error}. The file is damaged or "
                "incomplete."
            ) from error
        # In the machine's byte order, which is all that torch knows.
        return block.astype(self.dtype, copy=False)


def is_zarr(path: Path) -> bool:
    """Tell whether a path is that of an OME-Zarr image, or of one in a plate.

    The latter is a folder that is there; what is new is told by its own name.
    """
    if path.suffix.lower() == ZARR:
        return True
    within = any(parent.suffix.lower() == ZARR for parent in path.parents)
    return within and os.path.isdir(path)  # noqa: PTH112 - no error for a long name


def is_image(path: Path) -> bool:
    """Return whether a path has the suffix of a readable image."""
    suffix = path.suffix.lower()
    return suffix == ZARR or (suffix in READERS and not path.is_dir())


def list_images(folder: Path) -> list[Path]:
    """Return the images in a folder, in the order of their names.

    Hidden files are left out: macOS puts ``._a.tif``, which is no image, beside
    ``a.tif`` on disks of other systems.
    """
    return sorted(
        path
        for path in folder.iterdir()
        if is_image(path) and not path.name.startswith(".")
    )


def unknown_format(path: Path, suffixes: Iterable[str]) -> InvalidInputError:
    """Return the error for a file whose suffix is none of those known."""
    return InvalidInputError(
        f"Cannot tell the format of {str(path)!r}: the name must end in one of "
        f"{', '.join(sorted(suffixes))}."
    )


def open_image(path: Path) -> StoredImage:
    """Read what a file says of its image; its pixels are not read yet.

    Parameters
    ----------
    path : pathlib.Path
        A file of one of the formats in `READERS`.

    Raises
    ------
    InvalidInputError
        If there is no such file or it cannot be read.
    """
    suffix = ZARR if is_zarr(path) else path.suffix.lower()
    if suffix not in READERS:
        raise unknown_format(path, READERS)
    with refuse_damaged(path):
        return READERS[suffix](path)


def open_volume(path: Path, axes: str | None = None) -> Volume:
    """Open an image of any size; its pixels are not read yet.

    Parameters
    ----------
    path : pathlib.Path
        A file of one of the formats in `READERS`.
    axes : str, optional
        What its axes are, if the file does not say or says it wrongly.

    Returns
    -------
    Volume
        The image. PNG and JPEG files are read as a whole with their first part.

    Raises
    ------
    InvalidInputError
        If there is no such file, it cannot be read, or its axes are unknown.
    """
    stored = open_image(path)
    known = resolve_axes(stored.shape, axes or stored.axes)
    require_real(stored.dtype, stored.shape)
    return Volume(
        path=path,
        array=stored.array,
        axes=known,
        chunks=stored.chunks,
        scale={axis: stored.scale[axis] for axis in known if axis in stored.scale},
        units={axis: stored.units[axis] for axis in known if axis in stored.units},
        calibration=stored.calibration,
        ome=stored.ome,
    )


def signature(path: Path) -> list[int]:
    """Return numbers that change when a file, or one in a folder, changes."""
    files = [path]
    if path.is_dir():
        files = [
            Path(folder, name) for folder, _, names in os.walk(path) for name in names
        ]
    stats = [file.stat() for file in files]
    newest = max((stat.st_mtime_ns for stat in stats), default=0)
    return [len(stats), sum(stat.st_size for stat in stats), newest]


def opened_volume(path: Path, axes: str) -> Volume:
    """Return an image that stays open in this process while it does not change."""
    return _opened(path, axes, path.stat().st_mtime_ns)


def close_volumes() -> None:
    """Let go of the files that `opened_volume` keeps open."""
    _opened.cache_clear()


@lru_cache(maxsize=2)
def _opened(path: Path, axes: str, _changed: int) -> Volume:
    return open_volume(path, axes)
