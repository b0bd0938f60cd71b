"""Convert arrays to dask, read their planes lazily, and make pyramids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import count_colors, resolve_axes, stack_axes
from ..image.casting import mean_of_pixels
from ..image.checks import require_real
from ..image.tiling import LARGEST_PLANE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dask.array import Array

    from ..image.tiling import Region


def is_lazy(image: object) -> bool:
    """Return whether an object is one of dask, Zarr or h5py, without importing them."""
    # All base classes are checked, because a class of another package may be derived
    # from one of theirs.
    packages = {base.__module__.partition(".")[0] for base in type(image).__mro__}
    return not packages.isdisjoint({"dask", "zarr", "h5py"})


def pyramid(image: Any, axes: str | None = None) -> list[Array]:
    """Return an array and downsampled copies of it, for a multiscale layer.

    Parameters
    ----------
    image : array
        In memory or lazy.
    axes : str, optional
        See `denoise`.

    Returns
    -------
    list of dask.array.Array
        The array, then levels that halve the rows and columns of the previous one
        until neither exceeds 2048. Each pixel is the mean of 2 x 2 pixels of the
        previous level. The array alone if its planes are that small.
    """
    import dask.array as da

    levels = [as_dask(image)]
    resolved = resolve_axes(levels[0].shape, axes)
    sides = (resolved.index("Y"), resolved.index("X"))
    while max(lengths := [levels[-1].shape[side] for side in sides]) > LARGEST_PLANE:
        if min(lengths) < 2:
            break
        half = da.coarsen(
            mean_of_pixels, levels[-1], dict.fromkeys(sides, 2), trim_excess=True
        )
        levels.append(half.astype(levels[0].dtype))
    return levels


def unknown_ranges(dtype: np.dtype[Any]) -> InvalidInputError:
    """Return the error for a lazy array whose intensity range must be given.

    Parameters
    ----------
    dtype : numpy.dtype
        The dtype of the array, for the message.
    """
    return InvalidInputError(
        f"The array is lazy and has dtype {dtype}: its lowest and highest value are "
        "unknown until all of it is read. Pass intensity_range=(low, high), the "
        "intensities that the network sees as 0 and 1, such as (0, 4095) for a 12-bit "
        "camera, or one such pair for each channel."
    )


def as_dask(image: Any) -> Array:
    """Return an array as a dask array, without reading it.

    Parameters
    ----------
    image : array
        A NumPy, dask or Zarr array, or a data set of h5py.

    Raises
    ------
    InvalidInputError
        If it is another object of dask, Zarr or h5py, such as a group.
    """
    import dask.array as da

    if isinstance(image, da.Array):
        return image
    if not is_lazy(image):
        return with_dtype(da.asarray(image))
    import zarr

    if type(image).__module__.startswith("h5py") and hasattr(image, "shape"):
        chunks = image.chunks or "auto"
        return with_dtype(da.from_array(image, chunks=chunks, lock=True))
    if not isinstance(image, zarr.Array):
        kind = f"{type(image).__module__.partition('.')[0]} {type(image).__name__}"
        raise InvalidInputError(
            f"Expected an array, got a {kind}. If it is a group, pass one of its "
            "arrays, such as group['0']."
        )
    return with_dtype(da.from_zarr(image))


def with_dtype(array: Any) -> Array:
    """Return a dask array unchanged, with its type: many dask functions have none."""
    dask_array: Array = array
    return dask_array


def stack_planes(image: Any, axes: str | None) -> tuple[Array, str, list[int]]:
    """Return an array as a dask array with its axes in the order of a stack.

    Parameters
    ----------
    image : array
        In memory or lazy.
    axes : str or None
        See `denoise`.

    Returns
    -------
    stack : dask.array.Array
        The array, transposed.
    axes : str
        Its axes: those of the stack, then Y, X and, for color, S.
    order : list of int
        The position in `image` of each of these axes.

    Raises
    ------
    InvalidInputError
        If the shape is unknown, or the array or its axes cannot be used.
    """
    array = as_dask(image)
    if any(np.isnan(length) for length in array.shape):
        raise InvalidInputError(
            f"The shape of the lazy array is unknown: {array.shape}. Call its "
            "compute_chunk_sizes() first."
        )
    require_real(array.dtype, array.shape)
    resolved = resolve_axes(array.shape, axes)
    ordered = stack_axes(resolved) + "YX"
    ordered += "S" * ("S" in resolved)
    order = [resolved.index(letter) for letter in ordered]
    return array.transpose(order), ordered, order


@dataclass(frozen=True, slots=True, eq=False)
class DaskPlanes:
    """The planes of a dask array, read as dask arrays.

    See `napari_denoise_ae.image.planes.Planes`. `read` indexes the array before it
    selects channels, because an operation on the whole array would add a task for
    each of its chunks.

    Parameters
    ----------
    stack : dask.array.Array
        The array with its axes in order, see `stack_planes`.
    axes : str
        The axes of the stack, then Y and X.
    """

    stack: Array
    axes: str

    @classmethod
    def of(cls, image: Any, axes: str | None) -> DaskPlanes:
        """View an array with these axes as lazy planes; see `stack_planes`."""
        stack, ordered, _ = stack_planes(image, axes)
        return cls(stack, ordered.removesuffix("S"))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""
        n_axes = len(self.axes)
        n_colors = count_colors(self.stack.shape, self.axes + "S" * self._has_samples)
        return (*self.stack.shape[:n_axes], n_colors)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the stack."""
        dtype: np.dtype[Any] = self.stack.dtype
        return dtype

    def read(self, plane: Sequence[int], region: Region) -> Array:
        """Return a part of a plane, (Y, X, channels), not yet computed."""
        part = self.stack[(*plane, *region)]
        if not self._has_samples:
            return with_dtype(part[..., np.newaxis])
        return with_dtype(part[..., : self.shape[-1]])

    @property
    def _has_samples(self) -> bool:
        return len(self.stack.shape) > len(self.axes)
