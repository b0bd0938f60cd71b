"""Images of which only parts are read: OME-Zarr and TIFF, larger than memory."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ..errors import InvalidInputError
from ..image.axes import resolve_axes
from ..image.checks import require_real
from .calibration import tiff_calibration, tiff_scale
from .images import DAMAGED, read_image, require_file
from .ome_zarr import read_ome_zarr
from .tiff import (
    image_axes,
    require_complete,
    require_no_cut,
    tiff_array,
    tifffile_remarks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..image.tiling import Region
    from .ome_zarr import OmeMetadata

#: What the folder of an OME-Zarr image is called.
ZARR = ".zarr"
#: Suffixes of TIFF files, lower case.
TIFF = {".tif", ".tiff"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Volume:
    """An image of any size, of which parts are read.

    Parameters
    ----------
    path : pathlib.Path
        The file, or the folder of an OME-Zarr.
    array : array
        Its pixels: has shape and dtype, and slices of it are NumPy arrays.
    axes : str
        What its axes are.
    chunks : tuple of int, optional
        What is read at once.
    scale, units : mapping
        Distance between pixels and its unit, by axis, where they are known.
    calibration : mapping
        What else a TIFF says, as arguments of `tifffile.imwrite`.
    ome : OmeMetadata, optional
        What else an OME-Zarr says.
    """

    path: Path
    array: Any
    axes: str
    chunks: tuple[int, ...] | None = None
    scale: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    ome: OmeMetadata | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels, in the machine's byte order."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype.newbyteorder("=")

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


def open_volume(path: Path, axes: str | None = None) -> Volume:
    """Open an image of any size; its pixels are not read yet.

    Parameters
    ----------
    path : pathlib.Path
        An OME-Zarr folder or Zarr array, TIFF, PNG or JPEG file.
    axes : str, optional
        What its axes are, if the file does not say or says it wrongly.

    Returns
    -------
    Volume
        The image. PNG and JPEG files are read whole.

    Raises
    ------
    InvalidInputError
        If there is no such file, it cannot be read, or its axes are unknown.
    """
    if is_zarr(path):
        opened = _open_zarr(path, axes)
    elif path.suffix.lower() in TIFF:
        opened = _open_tiff(path, axes)
    else:
        image = read_image(path)
        known = resolve_axes(image.pixels.shape, axes or image.axes)
        opened = Volume(path=path, array=image.pixels, axes=known)
    require_real(opened.dtype, opened.shape)
    return opened


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


def _open_zarr(path: Path, axes: str | None) -> Volume:
    array, ome = read_ome_zarr(path)
    return Volume(
        path=path,
        array=array,
        axes=resolve_axes(array.shape, axes or (ome.axes if ome else None)),
        chunks=array.chunks,
        scale=ome.scale if ome else {},
        units=ome.units if ome else {},
        ome=ome,
    )


def _open_tiff(path: Path, axes: str | None) -> Volume:
    require_file(path)
    try:
        with tifffile_remarks() as remarks, tifffile.TiffFile(path) as tiff:
            require_complete(tiff, path.stat().st_size)
            array = tiff_array(path)
            scale, units = tiff_scale(tiff)
            calibration, own_axes = tiff_calibration(tiff), image_axes(tiff)
        require_no_cut(remarks)
    except DAMAGED as error:
        raise InvalidInputError(
            f"Cannot read {path} as a TIFF image: {error}. The file is damaged, "
            "incomplete or of another kind than its name says."
        ) from error
    known = resolve_axes(array.shape, axes or own_axes)
    return Volume(
        path=path,
        array=array,
        axes=known,
        chunks=getattr(array, "chunks", None),
        scale={letter: scale[letter] for letter in known if letter in scale},
        units={letter: units[letter] for letter in known if letter in units},
        calibration=calibration,
    )
