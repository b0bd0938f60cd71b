"""A source of planes: read parts of an image in memory, in a dask graph or in a file.

Functions that measure noise, find intensity ranges or read pixels take a `Planes` and
do not depend on where the pixels are. `ArrayPlanes` reads an array in memory,
`napari_denoise_ae.denoising.dask_stack.DaskPlanes` a dask array, and
`napari_denoise_ae.files.planes.FilePlanes` a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .axes import color_planes, stack_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .tiling import Region


class Planes(Protocol):
    """An image or a stack of images whose planes are read part by part.

    Attributes
    ----------
    axes : str
        One letter for each axis: those of the stack, then Y and X.
    shape : tuple of int
        Length of each of these axes, then the number of colors: 3, or 1 for gray.
        Alpha is not included.
    dtype : numpy.dtype
        Data type of the pixels.
    """

    @property
    def axes(self) -> str:
        """Letters of the stack, then Y and X."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""

    def read(self, plane: Sequence[int], region: Region) -> Any:
        """Return a part of a plane.

        Parameters
        ----------
        plane : sequence of int
            Index of the plane in the stack.
        region : tuple of slice
            Rows and columns.

        Returns
        -------
        array
            (Y, X, channels): a dask array if the source is lazy, else a NumPy array.
        """


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPlanes:
    """The planes of an array in memory.

    Parameters
    ----------
    pixels : numpy.ndarray
        (..., Y, X, channels), see `color_planes`.
    axes : str
        See `Planes`.
    """

    pixels: NDArray[Any]
    axes: str

    @classmethod
    def of(cls, array: NDArray[Any], axes: str) -> ArrayPlanes:
        """View an array with these axes, such as ``"TYXS"``, as planes."""
        return cls(color_planes(array, axes), stack_axes(axes) + "YX")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""
        return self.pixels.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        return self.pixels.dtype

    def read(self, plane: Sequence[int], region: Region) -> NDArray[Any]:
        """View a part of a plane as (Y, X, channels)."""
        rows, columns = region
        part: NDArray[Any] = self.pixels[tuple(plane)][rows, columns]
        return part


def plane_indices(planes: Planes) -> Iterator[tuple[int, ...]]:
    """Yield the index of each plane in the stack."""
    yield from np.ndindex(*planes.shape[:-3])


def whole_plane(planes: Planes) -> Region:
    """Return all rows and columns of a plane."""
    height, width, _ = planes.shape[-3:]
    return slice(0, height), slice(0, width)
