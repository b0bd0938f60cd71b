"""Show where a result is uncertain, and where it lost structure, as layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .outputs import find_outputs, remove_output, show_output
from .view import translate_of_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from napari.viewer import Viewer
    from numpy.typing import NDArray

#: First words of the roles of these layers.
ERROR_ROLE, STRUCTURE_ROLE = TRUST_ROLES = ("expected error", "removed structure")
_STYLE: dict[str, Any] = {
    "rgb": False,
    "blending": "translucent",
    "opacity": 0.7,
    "gamma": 1.0,
    "multiscale": False,
}
_COLORMAPS = {ERROR_ROLE: "inferno", STRUCTURE_ROLE: "PiYG"}
# Percentile of the errors that is shown brightest.
_BRIGHTEST = 99.0
# Structure is beyond 4 standard deviations of blurred noise.
_STRUCTURE_LIMITS = (-8.0, 8.0)


@dataclass(frozen=True, slots=True, eq=False)
class PlaneMap:
    """A map of one plane of a result.

    Parameters
    ----------
    plane : tuple of int
        Index of the plane.
    pixels : numpy.ndarray
        The map, (Y, X), float32; NaN where it was not determined.
    """

    plane: tuple[int, ...]
    pixels: NDArray[np.float32]


def show_maps(
    viewer: Viewer, layer: Image, result: Image, role: str, maps: Sequence[PlaneMap]
) -> None:
    """Add a layer for each plane, replacing earlier ones of the same layer and role.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    layer : napari.layers.Image
        The layer that was denoised.
    result : napari.layers.Image
        Its result, to which the planes refer.
    role : str
        One of `TRUST_ROLES`. Errors are in the units of the layer, and structure in
        standard deviations of blurred noise.
    maps : sequence of PlaneMap
        The maps.
    """
    for earlier in find_outputs(viewer, layer):
        if earlier.startswith(role):
            remove_output(viewer, layer, earlier)
    limits = _limits(role, maps)
    for each in maps:
        numbers = ", ".join(map(str, each.plane))
        shown = show_output(
            viewer,
            layer,
            f"{role}, plane {numbers}" if len(maps) > 1 else role,
            each.pixels.reshape((1,) * len(each.plane) + each.pixels.shape),
            {},
            translate=translate_of_part(result, (*each.plane, 0, 0)),
            contrast_limits=limits,
            colormap=_COLORMAPS[role],
            **_STYLE,
        )
        shown.visible = True
    viewer.layers.selection.active = result


def _limits(role: str, maps: Sequence[PlaneMap]) -> tuple[float, float]:
    if role == STRUCTURE_ROLE or not maps:
        return _STRUCTURE_LIMITS
    brightest = max(float(np.nanpercentile(each.pixels, _BRIGHTEST)) for each in maps)
    return 0.0, brightest or 1.0
