"""Reading and writing napari layers; only ever in the main thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np
from napari.layers import Image

from ..errors import InvalidInputError
from .plan import Axes, describe_plan, find_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.viewer import Viewer
    from numpy.typing import NDArray

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
# Colours have none of these; napari refuses them.
_GREY_ONLY = ("colormap", "contrast_limits", "gamma")


def is_output(layer: Any) -> bool:
    """Tell whether the plugin made a layer."""
    return METADATA_KEY in layer.metadata


def describe_layer(layer: Image | None) -> str:
    """Return one line about a layer: shape, dtype, RGB or not."""
    if layer is None:
        return "no image layer"
    if layer.multiscale:
        return f"multiscale, {len(layer.data)} levels"
    shape = " x ".join(str(length) for length in layer.data.shape)
    colours = ("", ", RGB", ", RGBA")[max(layer.data.shape[-1] - 2, 0) * layer.rgb]
    return f"{shape}, {layer.data.dtype}{colours}"


def layer_axes(layer: Image) -> str:
    """Return the axes of a layer's data; see `read_axes`."""
    return read_axes(layer).letters


def read_axes(layer: Image) -> Axes:
    """Return the axes of a layer's data, and which of them it does not name.

    Raises
    ------
    InvalidInputError
        If the layer has axes that cannot be denoised, or is a pyramid.
    """
    if layer.multiscale:
        raise InvalidInputError(
            f"The layer {layer.name!r} is multiscale, which cannot be denoised yet. "
            "Add one of its levels as a layer of its own."
        )
    return find_axes(layer.axis_labels, layer.name, rgb=layer.rgb)


def plan_of(layer: Image | None) -> str:
    """Say what denoising will do with a layer; see `describe_plan`."""
    if layer is None:
        return ""
    try:
        axes = read_axes(layer)
    except InvalidInputError as error:
        return str(error)
    plan = describe_plan(axes, layer.data.shape)
    return f"{plan} The result: {layer.data.dtype}, in memory."


def current_plane(viewer: Viewer, layer: Image) -> tuple[int, ...]:
    """Return the index of the plane of a layer that the viewer shows."""
    point = layer.world_to_data(viewer.dims.point[-layer.ndim :])
    shape = layer.data.shape[: layer.ndim - 2]
    return tuple(
        int(np.clip(round(position), 0, length - 1))
        for position, length in zip(point, shape, strict=False)
    )


def visible_region(layer: Image) -> tuple[slice, slice]:
    """Return the rows and columns of a layer that the canvas shows."""
    (top, left), (bottom, right) = layer.corner_pixels[:, -2:]
    return slice(int(top), int(bottom) + 1), slice(int(left), int(right) + 1)


def shown_side_on(viewer: Viewer) -> str:
    """Say why the plane Y-X is not what the viewer shows; empty if it is."""
    if viewer.dims.ndisplay == 3:
        return "off in 3D display: it shows one plane"
    if tuple(viewer.dims.displayed) != tuple(range(viewer.dims.ndim))[-2:]:
        return "off while the axes are transposed: it shows the plane Y-X"
    return ""


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
    data: NDArray[Any],
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
    data : numpy.ndarray
        Its pixels.
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
    if layer is not None and (layer.ndim, layer.rgb) == (source.ndim, source.rgb):
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
    data: NDArray[Any],
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
        options = {k: v for k, v in options.items() if k not in _GREY_ONLY}
    return Image(data, **options)


def _metadata(role: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {METADATA_KEY: {"role": role, **provenance}}


def translate_of_part(source: Image, first: tuple[int, ...]) -> NDArray[Any]:
    """Return the `translate` of a layer that begins at a pixel of its source."""
    origin = np.zeros(source.ndim)
    moved = np.subtract(source.data_to_world(first), source.data_to_world(origin))
    # The affine comes after translate: undo it.
    physical: NDArray[Any] = np.linalg.solve(source.affine.linear_matrix, moved)
    physical += np.asarray(source.translate)
    return physical


def finished_planes(data: NDArray[Any], n_stacked: int, n_done: int) -> NDArray[Any]:
    """Return a stack with its first planes, and 0 instead of the others."""
    kept = np.zeros_like(data)
    plane_shape = data.shape[n_stacked:]
    kept.reshape(-1, *plane_shape)[:n_done] = data.reshape(-1, *plane_shape)[:n_done]
    return kept
