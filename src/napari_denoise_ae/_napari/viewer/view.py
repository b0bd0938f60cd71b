"""Find the part of a layer that is visible, chosen or drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes

from ...errors import InvalidInputError
from ..shared.scope_edit import EVERYTHING, RANGE, SLICE, VISIBLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from ..denoise.job import DenoiseJob


def at_shown_level(viewer: Viewer, layer: Image, job: DenoiseJob) -> DenoiseJob:
    """Restrict a job to the visible region of the displayed pyramid level."""
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
    """Return the slices of the chosen scope, one for each axis; None for everything.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    layer : napari.layers.Image
        The layer.
    scope : str
        One of `SCOPES`.
    first, last : int
        First and last index of a range, both included.

    Raises
    ------
    InvalidInputError
        If the scope does not exist or is empty.
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
        if reason := not_planar_reason(viewer):
            raise InvalidInputError(f"The scope 'visible region' is {reason}.")
        corners = _visible_corners(viewer, layer)[:, -2:]
    else:
        corners = _drawn_corners(viewer, layer)
    part[-2:] = _touched_pixels(corners, shape[-2:])
    if any(cut.start >= cut.stop for cut in part):
        raise InvalidInputError(
            f"The {scope} does not overlap the layer {layer.name!r}."
        )
    return tuple(part)


def _chosen_planes(
    viewer: Viewer, layer: Image, scope: str, first: int, last: int
) -> list[slice]:
    """Return the slices of the leading axes of a stack."""
    if scope == SLICE:
        return [slice(index, index + 1) for index in current_plane(viewer, layer)]
    if first > last:
        raise InvalidInputError(
            f"The first index of the range must not be above the last, got {first} "
            f"to {last}."
        )
    return [slice(first, last + 1)]


def _touched_pixels(corners: NDArray[Any], shape: Sequence[int]) -> list[slice]:
    """Return the pixels that a region touches; pixel centers are at integers."""
    low = np.floor(corners.min(axis=0) + 0.5)
    high = np.ceil(corners.max(axis=0) + 0.5)
    first = np.clip(low, 0, shape).astype(int).tolist()
    stop = np.clip(high, 0, shape).astype(int).tolist()
    return [slice(a, b) for a, b in zip(first, stop, strict=True)]


def _drawn_corners(viewer: Viewer, layer: Image) -> NDArray[Any]:
    """Return the vertices of the drawn shape, as rows and columns of a layer."""
    drawn = [
        each for each in viewer.layers if isinstance(each, Shapes) and len(each.data)
    ]
    if not drawn:
        raise InvalidInputError(
            "There is no drawn rectangle. Draw one in a Shapes layer, or choose "
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

    For multiscale layers, napari's `corner_pixels` are useless: they only grow.
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
    """Return the position of a level's pixel in the largest level, and its `scale`."""
    factors = np.asarray(layer.downsample_factors[level][: layer.ndim])
    return tuple(np.multiply(first, factors)), np.asarray(layer.scale) * factors


def current_plane(viewer: Viewer, layer: Image) -> tuple[int, ...]:
    """Return the index of the displayed plane of a layer."""
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


def not_planar_reason(viewer: Viewer) -> str:
    """Return why the viewer does not show the Y-X plane; empty if it does."""
    if viewer.dims.ndisplay == 3:
        return "off in 3D display: it shows one plane"
    if tuple(viewer.dims.displayed) != tuple(range(viewer.dims.ndim))[-2:]:
        return "off while the axes are transposed: it shows the plane Y-X"
    return ""


def place_of_part(source: Image, part: Sequence[slice] | None) -> dict[str, Any]:
    """Return the layer attributes of a part that differ from those of its source."""
    if part is None:
        return {}
    first = [cut.start for cut in part]
    return {"translate": translate_of_part(source, first)}


def translate_of_part(source: Image, first: Sequence[float]) -> NDArray[Any]:
    """Return the `translate` of a layer whose first pixel is `first` in its source."""
    origin = np.zeros(source.ndim)
    moved = np.subtract(source.data_to_world(first), source.data_to_world(origin))
    # napari applies the affine after translate.
    physical: NDArray[Any] = np.linalg.solve(source.affine.linear_matrix, moved)
    physical += np.asarray(source.translate)
    return physical
