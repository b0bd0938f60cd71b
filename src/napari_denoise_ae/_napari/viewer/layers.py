"""Reading and writing napari layers; only ever in the main thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

import numpy as np
from napari.layers import Image, Shapes

from ...errors import InvalidInputError
from ..shared.scope_edit import EVERYTHING, RANGE, SLICE, VISIBLE
from .plan import describe_plan, describe_result, find_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from dask.array import Array
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from ..denoise.job import DenoiseJob
    from .plan import Axes

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
    shape = " x ".join(str(length) for length in layer.data.shape)
    colours = ("", ", RGB", ", RGBA")[max(layer.data.shape[-1] - 2, 0) * layer.rgb]
    levels = f", multiscale, {len(layer.data)} levels" if layer.multiscale else ""
    return f"{shape}, {layer.data.dtype}{colours}{levels}"


def layer_axes(layer: Image) -> str:
    """Return the axes of a layer's data; see `read_axes`."""
    return read_axes(layer).letters


def read_axes(layer: Image) -> Axes:
    """Return the axes of a layer's data, and which of them it does not name.

    Raises
    ------
    InvalidInputError
        If the layer has axes that cannot be denoised.
    """
    return find_axes(layer.axis_labels, layer.name, rgb=layer.rgb)


def plan_of(
    layer: Image | None, *, takes_noise_level: bool, range_of: str = "stack"
) -> str:
    """Say what denoising will do with a layer; see `describe_plan`."""
    if layer is None:
        return ""
    try:
        axes = read_axes(layer)
    except InvalidInputError as error:
        return str(error)
    own = "a noise level" if takes_noise_level else "an intensity range"
    plan = describe_plan(axes, layer.data.shape, own, range_of)
    levels = lazy_levels(layer)
    result = describe_result(axes, layer.data.shape, len(levels))
    return f"{plan} The result: {layer.data.dtype}, {result}."


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


def at_shown_level(viewer: Viewer, layer: Image, job: DenoiseJob) -> DenoiseJob:
    """Return what to do with what is visible of the level that is shown."""
    level, n_stacked = layer.data_level, len(job.plane)
    shape = job.levels[level].shape
    factors = layer.downsample_factors[level][: layer.ndim]
    plane = tuple(
        min(int(index / factor), length - 1)
        for index, factor, length in zip(job.plane, factors, shape, strict=False)
    )
    corners = _visible_corners(viewer, layer)[:, -2:] / factors[-2:]
    lengths = np.asarray(shape[n_stacked : n_stacked + 2])
    first = np.clip(np.floor(corners.min(axis=0)), 0, lengths - 1).astype(int)
    last = np.clip(np.ceil(corners.max(axis=0)), 0, lengths - 1).astype(int)
    rows, columns = (
        slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True)
    )
    return replace(job, level=level, plane=plane, region=(rows, columns))


def part_in_scope(
    viewer: Viewer, layer: Image, scope: str, first: int, last: int
) -> tuple[slice, ...] | None:
    """Return the planes, rows and columns that are meant; None for everything.

    Raises
    ------
    InvalidInputError
        If there is nothing of that kind.
    """
    if scope == EVERYTHING:
        return None
    shape = layer.data.shape[: layer.ndim]
    part = [slice(0, length) for length in shape]
    if scope in (SLICE, RANGE):
        if layer.ndim == 2:
            raise InvalidInputError(
                f"The layer {layer.name!r} is a single image: there is no {scope}. "
                "Choose another scope."
            )
        chosen = _chosen_planes(viewer, layer, scope, first, last)
        return (*chosen, *part[len(chosen) :])
    if scope == VISIBLE:
        if reason := shown_side_on(viewer):
            raise InvalidInputError(f"The scope 'visible region' is {reason}.")
        corners = _visible_corners(viewer, layer)[:, -2:]
    else:
        corners = _drawn_corners(viewer, layer)
    part[-2:] = _covering(corners, shape[-2:])
    if any(cut.start >= cut.stop for cut in part):
        raise InvalidInputError(
            f"The {scope} has nothing of the layer {layer.name!r}: move it onto it."
        )
    return tuple(part)


def _chosen_planes(
    viewer: Viewer, layer: Image, scope: str, first: int, last: int
) -> list[slice]:
    """Return where the first axes of a stack are cut."""
    if scope == SLICE:
        return [slice(index, index + 1) for index in current_plane(viewer, layer)]
    if first > last:
        raise InvalidInputError(
            f"The range ends before it begins: expected the lower index first, got "
            f"{first} to {last}."
        )
    return [slice(first, last + 1)]


def _covering(corners: NDArray[Any], shape: Sequence[int]) -> list[slice]:
    """Return the pixels that a region touches; pixels have their middle at integers."""
    low = np.floor(corners.min(axis=0) + 0.5)
    high = np.ceil(corners.max(axis=0) + 0.5)
    first = np.clip(low, 0, shape).astype(int).tolist()
    stop = np.clip(high, 0, shape).astype(int).tolist()
    return [slice(a, b) for a, b in zip(first, stop, strict=True)]


def _drawn_corners(viewer: Viewer, layer: Image) -> NDArray[Any]:
    """Return the vertices of the drawn shape in rows and columns of a layer."""
    drawn = [
        each for each in viewer.layers if isinstance(each, Shapes) and len(each.data)
    ]
    if not drawn:
        raise InvalidInputError(
            "There is no drawn rectangle. Add a Shapes layer and draw one, or choose "
            "another scope."
        )
    shapes = next((each for each in reversed(drawn) if each.selected_data), drawn[-1])
    number = max(shapes.selected_data, default=len(shapes.data) - 1)
    corners = []
    for vertex in shapes.data[number]:
        point = np.array(viewer.dims.point[-layer.ndim :])
        world = np.asarray(shapes.data_to_world(vertex))
        point[-2:] = world[-2:]
        corners.append(layer.world_to_data(point)[-2:])
    return np.asarray(corners)


def _visible_corners(viewer: Viewer, layer: Image) -> NDArray[Any]:
    """Return the corners of the canvas in data coordinates.

    The `corner_pixels` of a pyramid are no such: they only grow.
    """
    half = np.asarray(viewer.canvas.size) / viewer.scene.camera.zoom / 2
    corners = []
    for signs in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        point = np.array(viewer.dims.point[-layer.ndim :])
        point[-2:] = viewer.scene.camera.center[-2:] + half * signs
        corners.append(layer.world_to_data(point))
    return np.asarray(corners)


def place_of_level(
    layer: Image, level: int, first: Sequence[int]
) -> tuple[tuple[float, ...], NDArray[Any]]:
    """Return a pixel of a level as one of the largest level, and its `scale`."""
    factors = np.asarray(layer.downsample_factors[level][: layer.ndim])
    return tuple(np.multiply(first, factors)), np.asarray(layer.scale) * factors


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
    layer = show_output(
        viewer,
        source,
        "denoised",
        arrays if is_pyramid else arrays[0],
        provenance,
        **changes,
    )
    known = ref(layer)

    def is_needed() -> bool:
        layer = known()
        return layer is not None and layer.visible and layer in viewer.layers

    def show_more() -> None:
        if is_needed() and (layer := known()) is not None:
            layer.refresh(extent=False, highlight=False)

    filler.is_needed = is_needed
    filler.filled.connect(show_more)
    return layer


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
        options = {k: v for k, v in options.items() if k not in _GREY_ONLY}
    return Image(data, **options)


def _metadata(role: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    return {METADATA_KEY: {"role": role, **provenance}}


def place_of_part(source: Image, part: Sequence[slice] | None) -> dict[str, Any]:
    """Return what a layer of a part of its source does not take over from it."""
    if part is None:
        return {}
    first = [cut.start for cut in part]
    return {"translate": translate_of_part(source, first)}


def translate_of_part(source: Image, first: Sequence[float]) -> NDArray[Any]:
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
