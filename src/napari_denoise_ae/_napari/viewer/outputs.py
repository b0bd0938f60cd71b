"""Add, find and remove the layers made by the plugin."""

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

    from .tile_cache import TileCache

#: Key of the provenance in the metadata of layers made by the plugin.
METADATA_KEY = "napari-denoise-ae"
# Attributes that an output copies from its source: its position and appearance.
_PLACEMENT = ("affine", "rotate", "scale", "shear", "translate", "units", "axis_labels")
_APPEARANCE = (
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
# napari rejects these for RGB layers.
_GRAY_ONLY = ("colormap", "contrast_limits", "gamma")


def is_output(layer: Any) -> bool:
    """Return whether a layer was made by the plugin."""
    return METADATA_KEY in layer.metadata


def show_lazy_output(
    viewer: Viewer,
    source: Image,
    levels: Sequence[Array],
    sources: Sequence[Any],
    axes: str,
    provenance: Mapping[str, Any],
    **changes: Any,
) -> Image:
    """Add a lazy result, replacing an earlier result of the same layer.

    Only what is viewed is computed, outside the GUI thread, and meanwhile the source
    is shown; see `TileCache`.
    """
    from .tile_cache import TileCache

    previous = find_output(viewer, source, "denoised")
    blank = 0.0 if source.rgb else float(source.contrast_limits[0])
    cache = TileCache(levels, sources, axes, blank=blank)
    arrays = cache.arrays
    is_pyramid = len(arrays) > 1
    changes |= {"multiscale": is_pyramid, "cache": False}
    if previous is not None:
        changes |= {
            key: getattr(previous, key) for key in ("name", "visible", "opacity")
        }
    remove_output(viewer, source, "denoised")
    data = arrays if is_pyramid else arrays[0]
    layer = show_output(viewer, source, "denoised", data, provenance, **changes)
    _redraw_when_updated(viewer, layer, cache)
    _CACHES[layer] = cache
    return layer


def _redraw_when_updated(viewer: Viewer, layer: Image, cache: TileCache) -> None:
    """Redraw a layer when parts are computed, and compute only while it is visible."""
    # The cache belongs to the layer's data and must not keep the layer alive.
    reference = ref(layer)

    def is_needed() -> bool:
        layer = reference()
        return layer is not None and layer.visible and layer in viewer.layers

    def redraw() -> None:
        if is_needed() and (layer := reference()) is not None:
            layer.refresh(extent=False, highlight=False)

    cache.is_needed = is_needed
    cache.updated.connect(redraw)


# Outputs by source and role. Global, so that a reopened widget finds them; weak, so
# that removed layers are freed.
_OUTPUTS: WeakKeyDictionary[Image, WeakValueDictionary[str, Image]] = (
    WeakKeyDictionary()
)


_CACHES: WeakKeyDictionary[Image, TileCache] = WeakKeyDictionary()


def find_cache(layer: Image) -> TileCache | None:
    """Return the cache of a lazy result; None for other layers."""
    return _CACHES.get(layer)


def find_output(viewer: Viewer, source: Image, role: str) -> Image | None:
    """Return an output of a layer; None if there is none or the user has removed it."""
    layer = _OUTPUTS[source].get(role) if source in _OUTPUTS else None
    return layer if layer in viewer.layers else None


def keep_outputs(viewer: Viewer, source: Image, *roles: str) -> None:
    """Keep outputs of a layer as they are: the next ones will be new layers."""
    for role in roles:
        if find_output(viewer, source, role) is not None:
            del _OUTPUTS[source][role]


def find_outputs(viewer: Viewer, source: Image) -> dict[str, Image]:
    """Return the outputs of a layer by their roles."""
    outputs = _OUTPUTS.get(source) or WeakValueDictionary()
    return {role: layer for role, layer in outputs.items() if layer in viewer.layers}


def remove_output(viewer: Viewer, source: Image, role: str) -> None:
    """Remove an output of a layer, if it exists."""
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
    """Add an output of a layer, or update it in place.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    source : napari.layers.Image
        The layer that the output was made from.
    role : str
        Kind of output, such as ``"noisy"``, ``"denoised"``, ``"residual"`` or
        ``"preview"``. Follows the name of the source.
    data : array, or list of arrays
        The pixels; for a pyramid, its levels.
    provenance : mapping
        How the output was made, for its metadata.
    **changes
        Layer attributes that differ from those of the source.

    Returns
    -------
    napari.layers.Image
        The output layer.
    """
    layer = find_output(viewer, source, role)
    if layer is not None and not layer.multiscale and _is_same_kind(layer, source):
        layer.data = data
        layer.metadata = _metadata(source, role, provenance)
        # The position follows the source; the user may have changed the appearance.
        for key in _PLACEMENT:
            setattr(layer, key, changes.get(key, getattr(source, key)))
        return layer
    remove_output(viewer, source, role)
    active = viewer.layers.selection.active
    added = viewer.add_layer(make_output(source, role, data, provenance, **changes))
    if role == "preview":
        viewer.layers.selection.active = active  # a preview does not take it over
    _OUTPUTS.setdefault(source, WeakValueDictionary())[role] = added
    return added


def make_output(
    source: Image,
    role: str,
    data: Any,
    provenance: Mapping[str, Any],
    **changes: Any,
) -> Image:
    """Make a layer with the position and appearance of its source.

    The parameters are those of `show_output`.
    """
    options = {key: getattr(source, key) for key in (*_PLACEMENT, *_APPEARANCE)}
    options |= {
        "name": f"{source.name} [{role}]",
        "metadata": _metadata(source, role, provenance),
    }
    options |= changes
    if source.rgb:
        options = {k: v for k, v in options.items() if k not in _GRAY_ONLY}
    return Image(data, **options)


def _is_same_kind(layer: Image, source: Image) -> bool:
    return bool((layer.ndim, layer.rgb) == (source.ndim, source.rgb))


def _metadata(
    source: Image, role: str, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    return {**source.metadata, METADATA_KEY: {"role": role, **provenance}}


def finished_planes(data: NDArray[Any], n_stacked: int, n_done: int) -> NDArray[Any]:
    """Return a copy of a stack with all but its first planes set to 0."""
    kept = np.zeros_like(data)
    plane_shape = data.shape[n_stacked:]
    kept.reshape(-1, *plane_shape)[:n_done] = data.reshape(-1, *plane_shape)[:n_done]
    return kept
