"""Add, find and remove the layers that the plugin makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

import numpy as np
from napari.layers import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dask.array import Array
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from .tile_cache import Filler

#: Where a layer that the plugin made says so, and how, in its metadata.
METADATA_KEY = "napari-denoise-ae"
# What a result takes over from its source: where it lies and how it is shown.
_PLACED = ("affine", "rotate", "scale", "shear", "translate", "units", "axis_labels")
_SHOWN = (
    "blending",
    "colormap",
    "contrast_limits",
    "gamma",
    "interpolation2d",
    "interpolation3d",
    "opacity",
    "projection_mode",
    "rendering",
    "rgb",
)
# Colors have none of these; napari refuses them.
_GRAY_ONLY = ("colormap", "contrast_limits", "gamma")


def is_output(layer: Any) -> bool:
    """Tell whether the plugin made a layer."""
    return METADATA_KEY in layer.metadata


def show_lazy_output(
    viewer: Viewer,
    source: Image,
    levels: Sequence[Array],
    axes: str,
    provenance: Mapping[str, Any],
    **changes: Any,
) -> Image:
    """Add a lazy result, in the place of what was made from the layer before.

    What is looked at is computed outside the GUI thread; see `Filler`.
    """
    from .tile_cache import Filler

    before = find_output(viewer, source, "denoised")
    blank = 0.0 if source.rgb else float(source.contrast_limits[0])
    filler = Filler(levels, axes, blank=blank)
    arrays = filler.arrays
    is_pyramid = len(arrays) > 1
    changes |= {"multiscale": is_pyramid, "cache": False}
    if before is not None:
        changes |= {key: getattr(before, key) for key in ("name", "visible", "opacity")}
    remove_output(viewer, source, "denoised")
    data = arrays if is_pyramid else arrays[0]
    layer = show_output(viewer, source, "denoised", data, provenance, **changes)
    _refresh_when_filled(viewer, layer, filler)
    return layer


def _refresh_when_filled(viewer: Viewer, layer: Image, filler: Filler) -> None:
    """Draw a layer again when more of it is known; fill it only while it is shown."""
    # The filler belongs to the layer's data, and must not keep the layer alive.
    known = ref(layer)

    def is_needed() -> bool:
        layer = known()
        return layer is not None and layer.visible and layer in viewer.layers

    def show_more() -> None:
        if is_needed() and (layer := known()) is not None:
            layer.refresh(extent=False, highlight=False)

    filler.is_needed = is_needed
    filler.filled.connect(show_more)


# Outputs by their source and role. Shared by all that make outputs, so that a
# widget that is opened again finds them; weak, so that it keeps nothing alive.
_OUTPUTS: WeakKeyDictionary[Image, WeakValueDictionary[str, Image]] = (
    WeakKeyDictionary()
)


def find_output(viewer: Viewer, source: Image, role: str) -> Image | None:
    """Return what was made from a layer, unless the user has removed it."""
    layer = _OUTPUTS[source].get(role) if source in _OUTPUTS else None
    return layer if layer in viewer.layers else None


def remove_output(viewer: Viewer, source: Image, role: str) -> None:
    """Remove what was made from a layer, if it is there."""
    if (layer := find_output(viewer, source, role)) is not None:
        viewer.layers.remove(layer)


def show_output(
    viewer: Viewer,
    source: Image,
    role: str,
    data: Any,
    provenance: Mapping[str, Any],
    **changes: Any,
) -> Image:
    """Add what was made from a layer, or update it in place.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    source : napari.layers.Image
        The layer that it was made from.
    role : str
        What it is: ``"noisy"``, ``"denoised"``, ``"residual"`` or
        ``"preview"``; stands behind the source's name.
    data : array, or list of arrays
        Its pixels; of a pyramid its levels.
    provenance : mapping
        How it was made; goes into its metadata.
    **changes
        What it does not take over from its source.

    Returns
    -------
    napari.layers.Image
        The layer.
    """
    layer = find_output(viewer, source, role)
    alike = layer is not None and (layer.ndim, layer.rgb) == (source.ndim, source.rgb)
    if layer is not None and alike and not layer.multiscale:
        layer.data = data
        layer.metadata = _metadata(role, provenance)
        # How it is shown is the user's by now, but where it lies is its source's.
        for key in _PLACED:
            setattr(layer, key, changes.get(key, getattr(source, key)))
        return layer
    remove_output(viewer, source, role)
    chosen = viewer.layers.selection.active
    added = viewer.add_layer(make_output(source, role, data, provenance, **changes))
    if role == "preview":
        # What the user had chosen stays chosen.
        viewer.layers.selection.active = chosen
    _OUTPUTS.setdefault(source, WeakValueDictionary())[role] = added
    return added


def make_output(
    source: Image,
    role: str,
    data: Any,
    provenance: Mapping[str, Any],
    **changes: Any,
) -> Image:
    """Make a layer that lies and looks like its source; see `show_output`."""
    options = {key: getattr(source, key) for key in (*_PLACED, *_SHOWN)}
    options |= {
        "name": f"{source.name} [{role}]",
        "metadata": _metadata(role, provenance),
    }
    options |= changes
    if source.rgb:
        options = {k: v for k, v in options.items() if k not in _GRAY_ONLY}
    return Image(data, **options)


def _metadata(role: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {METADATA_KEY: {"role": role, **provenance}}


def finished_planes(data: NDArray[Any], n_stacked: int, n_done: int) -> NDArray[Any]:
    """Return a stack with its first planes, and 0 instead of the others."""
    kept = np.zeros_like(data)
    plane_shape = data.shape[n_stacked:]
    kept.reshape(-1, *plane_shape)[:n_done] = data.reshape(-1, *plane_shape)[:n_done]
    return kept
