"""Reading and writing napari layers; only ever in the main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image


def lazy_levels(layer: Image) -> tuple[Any, ...]:
    """Return the arrays of a layer that is dealt with lazily; empty if it is not.

    Those are the levels of a pyramid, and arrays of dask and Zarr.
    """
    if layer.multiscale:
        return tuple(layer.data)
    # By its name: to import dask takes long, and it may not be needed.
    module = type(layer.data).__module__.partition(".")[0]
    return (layer.data,) if module in ("dask", "zarr") else ()


def needs_range(layer: Image | None, *, takes_noise_level: bool) -> bool:
    """Tell whether the intensity range has to be given for a layer.

    A model that takes a noise level needs none.
    """
    if layer is None or takes_noise_level or not lazy_levels(layer):
        return False
    return bool(layer.data.dtype != np.uint8)


def proposed_range(layer: Image) -> tuple[float, float]:
    """Return the contrast limits of a layer, as they are shown."""
    if layer.rgb:
        whole = np.issubdtype(layer.data.dtype, np.integer)
        return (0.0, float(np.iinfo(layer.data.dtype).max) if whole else 1.0)
    low, high = layer.contrast_limits
    return float(low), float(high)
