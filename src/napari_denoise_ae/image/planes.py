"""A source of planes: what denoising needs of an image, wherever its pixels are.

Whoever measures noise, finds intensity ranges or reads pixels takes a `Planes`, and
does not ask whether they are in memory, in a dask graph or in a file. Each kind has
one class: `ArrayPlanes` here, `DaskPlanes` and `FilePlanes` where dask and files may
be imported.
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
    """An image or a stack of images, of which parts of planes are read.

    Attributes
    ----------
    axes : str
        One letter for each axis: those of the stack, then Y and X.
    shape : tuple of int
        The length of each of these axes, and the number of colors: 3, or 1 for
        gray. Alpha is left out.
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
            The index of the plane in the stack.
        region : tuple of slice
            Rows and columns.

        Returns
        -------
        array
            (Y, X, channels); a NumPy array, unless the source is lazy.
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
