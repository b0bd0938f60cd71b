"""Show a layer and its results side by side, one after the other, and with contrast."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from ..viewer.layers import lazy_levels
from ..viewer.outputs import find_output, find_outputs
from ..viewer.trust_layers import TRUST_ROLES
from ..viewer.view import current_plane
from .layer_names import LayerNames, set_for_now
from .swipe import SWIPE_ROLE

if TYPE_CHECKING:
    from napari.viewer import Viewer

# Kinds of outputs that are no results to be compared with their source.
_NO_RESULTS = ("preview", "residual", SWIPE_ROLE, *TRUST_ROLES)
# Percentiles of the pixels of a plane that become black and white.
_BLACK, _WHITE = 0.2, 99.8
# About as many pixels of a plane are enough for percentiles.
_N_PIXELS = 10**6


def shown_results(viewer: Viewer, source: Image) -> list[Image]:
    """Return a layer and its results, from bottom to top."""
    outputs = find_outputs(viewer, source)
    results = [outputs[role] for role in outputs if not role.startswith(_NO_RESULTS)]
    return [layer for layer in viewer.layers if layer is source or layer in results]


class SideBySide:
    """Shows a layer and its results in a grid, with names and linked contrast limits.

    All other images are hidden meanwhile.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._undo = ExitStack()
        self._names = LayerNames(viewer)

    def show(self, layer: Image | None) -> None:
        """Show a layer and its results, as they are now; None shows all layers."""
        self._undo.close()
        grid, layers = self._viewer.canvas.grid, self._viewer.layers
        set_for_now(self._undo, grid, "stride", 1)
        grid.enabled = True
        if layer is None:
            self._names.hide()
            return
        shown = shown_results(self._viewer, layer)
        for each in layers:
            if isinstance(each, Image):
                set_for_now(self._undo, each, "visible", each in shown)
        self._names.show(shown)
        if not layer.rgb:
            layers.link_layers(shown, ("contrast_limits",))
            self._undo.callback(layers.unlink_layers, shown, ("contrast_limits",))

    def end(self) -> None:
        """Switch the grid off, and show the layers as before."""
        self._viewer.canvas.grid.enabled = False
        self._names.hide()
        self._undo.close()

    def close(self) -> None:
        """Leave the layers as they are."""
        self._names.stop()


class Flip:
    """Switches between a layer's result, as it is shown, and the layer before it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._hidden: list[Image] = []

    def flip(self, source: Image | None) -> None:
        """Hide all images above the layer before denoising, or show them again."""
        layers = self._viewer.layers
        hidden = [each for each in self._hidden if each in layers and not each.visible]
        self._hidden = []
        if source is None:
            return
        before = find_output(self._viewer, source, "noisy") or source
        before.visible = True
        above = [
            each
            for each in layers[layers.index(before) + 1 :]
            if isinstance(each, Image) and each.visible
        ]
        if above:
            self._hidden = above
            for each in above:
                each.visible = False
            return
        for each in hidden or shown_results(self._viewer, source)[-1:]:
            each.visible = True


def compare_contrast(viewer: Viewer, source: Image) -> None:
    """Give a layer and its results the same contrast limits, which fit the top one.

    The limits are percentiles of the displayed plane of the result, so that a few
    bright pixels do not hide the difference. Only what is displayed of a lazy layer
    is read.
    """
    shown = shown_results(viewer, source)
    top = shown[-1]
    if lazy_levels(top):
        top.reset_contrast_limits("slice")
        limits = tuple(top.contrast_limits)
    else:
        limits = _tight_limits(np.asarray(top.data[current_plane(viewer, top)]))
    for each in shown:
        each.contrast_limits = limits


def _tight_limits(plane: Any) -> tuple[float, float]:
    step = max(int(np.sqrt(plane.size / _N_PIXELS)), 1)
    low, high = np.nanpercentile(plane[::step, ::step], (_BLACK, _WHITE))
    return float(low), float(high) if high > low else float(low) + 1
