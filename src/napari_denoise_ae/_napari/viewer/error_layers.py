"""Show the expected error of a result as layers."""

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

#: First words of the role of these layers.
ERROR_ROLE = "expected error"
_STYLE: dict[str, Any] = {
    "rgb": False,
    "colormap": "inferno",
    "blending": "translucent",
    "opacity": 0.7,
    "gamma": 1.0,
    "cache": True,
    "multiscale": False,
}
# Percentile of the errors that is shown brightest.
_BRIGHTEST = 99.0


@dataclass(frozen=True, slots=True, eq=False)
class ErrorMap:
    """The expected error in one plane of a result.

    Parameters
    ----------
    plane : tuple of int
        Index of the plane.
    pixels : numpy.ndarray
        The typical error, (Y, X), float32; NaN where it was not determined.
    """

    plane: tuple[int, ...]
    pixels: NDArray[np.float32]


def show_error_maps(
    viewer: Viewer, layer: Image, result: Image, maps: Sequence[ErrorMap]
) -> None:
    """Add a layer for each plane, replacing earlier ones of the same layer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    layer : napari.layers.Image
        The layer that was denoised.
    result : napari.layers.Image
        Its result, to which the planes refer.
    maps : sequence of ErrorMap
        The errors, in the units of the layer.
    """
    for role in find_outputs(viewer, layer):
        if role.startswith(ERROR_ROLE):
            remove_output(viewer, layer, role)
    if not maps:
        return
    brightest = max(float(np.nanpercentile(each.pixels, _BRIGHTEST)) for each in maps)
    limits = (0.0, brightest or 1.0)
    for each in maps:
        numbers = ", ".join(map(str, each.plane))
        shown = show_output(
            viewer,
            layer,
            f"{ERROR_ROLE}, plane {numbers}" if len(maps) > 1 else ERROR_ROLE,
            each.pixels.reshape((1,) * len(each.plane) + each.pixels.shape),
            {"unit": "that of the image"},
            translate=translate_of_part(result, (*each.plane, 0, 0)),
            contrast_limits=limits,
            **_STYLE,
        )
        shown.visible = True
    viewer.layers.selection.active = result
