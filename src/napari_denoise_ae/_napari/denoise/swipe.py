"""A movable divider on the canvas: before on its left, the result on its right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info

from ..viewer.layers import lazy_levels
from ..viewer.outputs import find_output, remove_output, show_output
from ..viewer.view import not_planar_reason, visible_region

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

#: Role of the layer that covers the result.
SWIPE_ROLE = "before"


class Swipe:
    """Covers the left part of the canvas with the layer before denoising.

    napari has no clipping of layers in 2D, so the cover is a layer of its own, a view
    of the pixels to the left of the divider.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._source: Image | None = None

    def move(self, source: Image | None, fraction: float) -> bool:
        """Move the divider; return False if it cannot be shown.

        Parameters
        ----------
        source : napari.layers.Image or None
            The layer that was denoised.
        fraction : float
            Where the divider is in the visible part of the layer, from 0, at its left
            edge, to 1. At 0, the cover is removed.
        """
        if source is not self._source:
            self.end()
        reason = self._reason(source)
        if source is None or reason or fraction <= 0:
            self.end()
            if reason and fraction > 0:
                show_info(f"Swipe is {reason}.")
            return not reason
        before = find_output(self._viewer, source, "noisy") or source
        _, columns = visible_region(before)
        width = columns.stop - columns.start
        column = min(columns.start + max(round(fraction * width), 1), columns.stop)
        colors = (slice(None),) if source.rgb else ()
        self._source = source
        self._show(source, before, before.data[(..., slice(0, column), *colors)])
        return True

    def _show(self, source: Image, before: Image, pixels: Any) -> None:
        cover = find_output(self._viewer, source, SWIPE_ROLE)
        if cover is None:
            active = self._viewer.layers.selection.active
            cover = show_output(self._viewer, source, SWIPE_ROLE, pixels, {})
            self._viewer.layers.selection.active = active
        else:
            cover.data = pixels
        if not source.rgb:
            cover.contrast_limits = before.contrast_limits

    def end(self) -> None:
        """Remove the cover."""
        source, self._source = self._source, None
        if source is not None:
            remove_output(self._viewer, source, SWIPE_ROLE)

    def _reason(self, source: Image | None) -> str:
        """Return why there is nothing to swipe; empty if there is something."""
        if source is None or find_output(self._viewer, source, "denoised") is None:
            return "for a layer and its result: denoise the layer first"
        if lazy_levels(source):
            return "for layers in memory"
        return not_planar_reason(self._viewer)
