"""Lazy arrays: conversion to dask, color planes and pyramids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import count_colors, resolve_axes
from ..image.casting import mean_of_pixels
from ..image.checks import require_real
from ..image.tiling import LARGEST_PLANE

if TYPE_CHECKING:
    from dask.array import Array


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
    ordered = "".join(letter for letter in resolved if letter not in "YXS") + "YX"
    ordered += "S" * ("S" in resolved)
    order = [resolved.index(letter) for letter in ordered]
    return array.transpose(order), ordered, order


@dataclass(frozen=True, slots=True)
class LazyPlanes:
    """The planes of a lazy stack, as `color_planes` would give them.

    A view of the whole would be a task for each of its chunks; what is read here is
    cut out first.
    """

    stack: Array
    axes: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""
        n_colors = count_colors(self.stack.shape, self.axes)
        return (*self.stack.shape[: self.axes.index("X") + 1], n_colors)

    @property
    def dtype(self) -> Any:
        """Data type of the stack."""
        return self.stack.dtype

    def __getitem__(self, index: tuple[Any, ...]) -> Any:
        """Return a part of a plane, (Y, X, channels)."""
        part = self.stack[index]
        return part[..., :3] if "S" in self.axes else part[..., np.newaxis]
