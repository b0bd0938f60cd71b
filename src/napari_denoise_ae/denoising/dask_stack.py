"""Lazy arrays: conversion to dask, color planes and pyramids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import resolve_axes, stack_axes
from ..image.casting import mean_of_pixels
from ..image.checks import require_real
from ..image.tiling import LARGEST_PLANE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dask.array import Array

    from ..image.tiling import Region


def is_lazy(image: object) -> bool:
    """Tell whether an array is one of dask's or Zarr's, importing neither."""
    # A class of ours, or of another package, may be derived from one of theirs.
    packages = {base.__module__.partition(".")[0] for base in type(image).__mro__}
    return not packages.isdisjoint({"dask", "zarr"})


def pyramid(image: Any, axes: str | None = None) -> list[Array]:
    """Return an array and its halves, the last of them no larger than 2048 pixels.

    Parameters
    ----------
    image : array
        In memory or lazy.
    axes : str, optional
        See `denoise`.

    Returns
    -------
    list of dask.array.Array
        The whole, a half, a quarter ... of the rows and columns; each pixel
        is the mean of four. One array if the planes are small enough.
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
    """Return the error of a lazy stack that would have to be read as a whole."""
    return InvalidInputError(
        f"The array is lazy and of {dtype}: its lowest and highest value are not known "
        "before all of it is read. Give intensity_range=(low, high), the intensities "
        "that the network sees as 0 and 1, such as (0, 4095) for a 12-bit camera, or "
        "one such pair for each channel."
    )


def as_dask(image: Any) -> Array:
    """Return any array as a dask array; nothing is read.

    Raises
    ------
    InvalidInputError
        If it is lazy, but no array.
    """
    import dask.array as da

    if isinstance(image, da.Array):
        return image
    if not is_lazy(image):
        return with_dtype(da.asarray(image))
    import zarr

    if not isinstance(image, zarr.Array):
        kind = f"{type(image).__module__.partition('.')[0]} {type(image).__name__}"
        raise InvalidInputError(
            f"Expected an array, got a {kind}. If it is a group, give one of its "
            "arrays, such as group['0']."
        )
    return with_dtype(da.from_zarr(image))


def with_dtype(array: Any) -> Array:
    """Say what dask does not say of what it returns."""
    dask_array: Array = array
    return dask_array


def stack_planes(image: Any, axes: str | None) -> tuple[Array, str, list[int]]:
    """Return an array with its axes in order: the stack, Y, X and S."""
    array = as_dask(image)
    if any(np.isnan(length) for length in array.shape):
        raise InvalidInputError(
            f"The shape of the lazy array is not known: {array.shape}. Call its "
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
    """The planes of a dask array; what is read of them is a dask array, too.

    See `napari_denoise_ae.image.planes.Planes`. A part is cut out of the array before
    anything else, because a view of the whole would be a task for each of its chunks.

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
        """View any array with these axes as lazy planes; see `stack_planes`."""
        stack, ordered, _ = stack_planes(image, axes)
        return cls(stack, ordered.removesuffix("S"))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""
        return (*self.stack.shape[: len(self.axes)], 3 if self._has_colors else 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the stack."""
        dtype: np.dtype[Any] = self.stack.dtype
        return dtype

    def read(self, plane: Sequence[int], region: Region) -> Array:
        """Return a part of a plane as (Y, X, channels), to be computed."""
        part = self.stack[(*plane, *region)]
        return with_dtype(part[..., :3] if self._has_colors else part[..., np.newaxis])

    @property
    def _has_colors(self) -> bool:
        return len(self.stack.shape) > len(self.axes)
