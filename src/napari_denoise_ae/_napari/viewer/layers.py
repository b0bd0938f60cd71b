"""Read napari layers, in the main thread only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image


def lazy_levels(layer: Image) -> tuple[Any, ...]:
    """Return the arrays of a layer that is processed lazily; empty for others.

    Lazy are multiscale layers, and layers backed by dask or Zarr arrays.
    """
    if layer.multiscale:
        return tuple(layer.data)
    return (layer.data,) if _is_lazy(layer.data) else ()


def kind_of(layer: Image) -> str:
    """Return whether a layer is "lazy", "multiscale", or "in memory"."""
    if _is_lazy(layer.data[0] if layer.multiscale else layer.data):
        return "lazy"
    return "multiscale" if layer.multiscale else "in memory"


def _is_lazy(array: Any) -> bool:
    # By module name, because importing dask is slow.
    return type(array).__module__.partition(".")[0] in ("dask", "zarr")


def needs_range(layer: Image | None, *, model_uses_range: bool) -> bool:
    """Return whether the user must enter an intensity range for a layer.

    Models that take a noise level, or normalize intensities by a rule of their own, use
    none.
    """
    if layer is None or not model_uses_range or not lazy_levels(layer):
        return False
    return bool(layer.data.dtype != np.uint8)


def can_show_float32(layer: Image | None) -> bool:
    """Return whether a float32 result of a layer looks like the layer.

    napari shows floating-point colors from 0 to 1 only, whatever their limits, so
    color layers of integers need a result of integers.
    """
    if layer is None or not layer.rgb:
        return True
    return bool(np.issubdtype(layer.data.dtype, np.floating))


def proposed_range(layer: Image) -> tuple[float, float]:
    """Return the contrast limits of a layer, to suggest as intensity range."""
    if layer.rgb:
        is_integer = np.issubdtype(layer.data.dtype, np.integer)
        return (0.0, float(np.iinfo(layer.data.dtype).max) if is_integer else 1.0)
    low, high = layer.contrast_limits
    return float(low), float(high)
