"""Show a layer and its results side by side, or switch between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..viewer.outputs import find_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from napari.viewer import Viewer


class SideBySide:
    """Shows a layer and its results in a grid, with linked contrast limits.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._linked: list[Image] = []

    def show(self, layer: Image | None, roles: Sequence[str]) -> None:
        """Switch the grid on, and link a layer with its outputs of the given roles."""
        self._viewer.canvas.grid.enabled = True
        self._unlink()
        if layer is None or layer.rgb:
            return
        outputs = (find_output(self._viewer, layer, role) for role in roles)
        self._linked = [layer, *(output for output in outputs if output is not None)]
        self._viewer.layers.link_layers(self._linked, ("contrast_limits",))

    def end(self) -> None:
        """Switch the grid off and unlink the contrast limits."""
        self._viewer.canvas.grid.enabled = False
        self._unlink()

    def _unlink(self) -> None:
        if self._linked:
            self._viewer.layers.unlink_layers(self._linked, ("contrast_limits",))
        self._linked = []


def flip(viewer: Viewer, layer: Image | None) -> None:
    """Toggle the visibility of the denoised layer of a source."""
    denoised = None if layer is None else find_output(viewer, layer, "denoised")
    if denoised is not None:
        denoised.visible = not denoised.visible
