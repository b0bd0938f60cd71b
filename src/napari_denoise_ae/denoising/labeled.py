"""Take the pixels out of an xarray.DataArray, and put results back."""

from __future__ import annotations

from typing import Any

from ..image.axes import axes_of_names


def is_labeled(image: object) -> bool:
    """Return whether an object is an `xarray.DataArray`, without importing xarray."""
    packages = {base.__module__.partition(".")[0] for base in type(image).__mro__}
    return "xarray" in packages and hasattr(image, "dims") and hasattr(image, "coords")


def pixels_of(image: Any) -> Any:
    """Return the pixels of a DataArray: a dask array if they are not in memory."""
    # xarray has no public name for whether a file has been read.
    if image.chunks is None and not image.variable._in_memory:  # noqa: SLF001
        image = image.chunk(image.encoding.get("preferred_chunks") or "auto")
    return image.data


def axes_of(image: Any) -> str | None:
    """Return the axes that the dimensions of a DataArray name, if all do."""
    return axes_of_names(image.dims)


def labeled_as(image: Any, pixels: Any) -> Any:
    """Return pixels with the dimensions, coordinates and attributes of a DataArray."""
    return image.copy(deep=False, data=pixels)
