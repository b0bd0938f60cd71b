"""Read the planes of an image in a file, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..image.axes import color_planes, count_colors
from .location import absolute
from .source import changed_at, is_picture, open_volume, opened_volume

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..image.tiling import Region
    from .source import Volume


@dataclass(frozen=True, slots=True)
class VolumePlanes:
    """The planes of an open image, see `napari_denoise_ae.image.planes.Planes`.

    Parameters
    ----------
    volume : Volume
        The image.
    """

    volume: Volume

    @property
    def axes(self) -> str:
        """Letters of the stack, then Y and X."""
        return self.volume.stack_axes + "YX"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""
        lengths = self.volume.lengths
        n_colors = count_colors(self.volume.shape, self.volume.axes)
        return (*(lengths[letter] for letter in self.axes), n_colors)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels, in native byte order."""
        return self.volume.dtype

    def read(self, plane: Sequence[int], region: Region) -> NDArray[Any]:
        """Read a part of a plane, (Y, X, channels)."""
        block = self.volume.read(tuple(plane), region)
        planes = color_planes(block, self.volume.block_axes)
        colors: NDArray[Any] = planes[(0,) * len(plane)]
        return colors


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlanes:
    """The planes of a file that is opened when a part of it is read.

    Thousands of them take little memory and no file handles: this process keeps
    only the files that were read last open. See
    `napari_denoise_ae.image.planes.Planes`.

    Parameters
    ----------
    path : pathlib.Path
        The file, or the folder of an OME-Zarr image.
    file_axes : str
        Its axes.
    axes : str
        Letters of the stack, then Y and X.
    shape : tuple of int
        Shape as (..., Y, X, channels).
    dtype : numpy.dtype
        Data type of the pixels, in native byte order.
    series : int, optional
        Number of the image in the file, see `open_image`.
    """

    path: Path
    file_axes: str
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    series: int | None = None

    @classmethod
    def of(cls, volume: Volume) -> StoredPlanes:
        """View an image as planes, without keeping it open."""
        planes = VolumePlanes(volume)
        return cls(
            path=absolute(volume.path),
            file_axes=volume.axes,
            axes=planes.axes,
            shape=planes.shape,
            dtype=planes.dtype,
            series=volume.series,
        )

    def read(self, plane: Sequence[int], region: Region) -> NDArray[Any]:
        """Read a part of a plane, (Y, X, channels).

        Raises
        ------
        InvalidInputError
            If the file is missing or damaged.
        """
        return VolumePlanes(self._open()).read(plane, region)

    def _open(self) -> Volume:
        try:
            changed = changed_at(self.path)
        except OSError as error:
            raise InvalidInputError(
                f"Cannot read {self.path} any more: {error.strerror}."
            ) from error
        if is_picture(self.path):
            # An open picture holds all its pixels, so fewer of them are kept.
            return opened_volume(self.path, self.file_axes, self.series)
        return _opened(self.path, self.file_axes, self.series, changed)


# Opening a file with many pages takes longer than reading a part of it.
@lru_cache(maxsize=16)
def _opened(path: Path, axes: str, series: int | None, _changed: int) -> Volume:
    return open_volume(path, axes, series)
