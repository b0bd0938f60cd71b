"""The buttons of the Denoise widget that compare a layer with its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_info

from .before_after import Flip, SideBySide, compare_contrast
from .run_panel import FLIP_KEY, SWIPE_STEPS
from .swipe import Swipe

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from .form import DenoiseForm
    from .run_panel import RunPanel


class ResultView:
    """Connects the buttons, and the key that switches between before and after.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    form : DenoiseForm
        The form with the chosen layer.
    panel : RunPanel
        The panel with the buttons.
    """

    def __init__(self, viewer: Viewer, form: DenoiseForm, panel: RunPanel) -> None:
        self._viewer, self._form, self._panel = viewer, form, panel
        self._side_by_side, self._flip = SideBySide(viewer), Flip(viewer)
        self._swipe = Swipe(viewer)
        panel.swipe.valueChanged.connect(self._move_divider)
        panel.side_by_side.toggled.connect(self._set_side_by_side)
        panel.flip_button.clicked.connect(self._flip_layers)
        panel.contrast_button.clicked.connect(self._compare_contrast)
        viewer.canvas.grid.events.enabled.connect(self._on_grid)
        viewer.bind_key(FLIP_KEY, self._flip_layers, overwrite=True)

    def end_swipe(self) -> None:
        """Remove the divider, for another layer or a new result."""
        self._panel.swipe.setValue(0)

    def refresh(self) -> None:
        """Show new results side by side, too."""
        self.end_swipe()
        if self._panel.side_by_side.isChecked():
            self._set_side_by_side(True)

    def close(self) -> None:
        """Disconnect from the viewer."""
        self._swipe.end()
        self._side_by_side.close()
        self._viewer.canvas.grid.events.enabled.disconnect(self._on_grid)
        self._viewer.bind_key(FLIP_KEY, None)

    def _set_side_by_side(self, on: bool) -> None:
        if on:
            self._side_by_side.show(self._form.source)
        else:
            self._side_by_side.end()

    def _on_grid(self) -> None:
        """Follow napari's own button for the grid."""
        if not self._viewer.canvas.grid.enabled:
            self._panel.side_by_side.setChecked(False)

    def _move_divider(self, value: int) -> None:
        if not self._swipe.move(self._form.source, value / SWIPE_STEPS):
            self.end_swipe()

    def _flip_layers(self, _: object = None) -> None:
        self._flip.flip(self._form.source)

    def _compare_contrast(self) -> None:
        source = self._form.source
        if source is None or source.rgb:
            show_info("Compare contrast needs a layer that is not in color.")
            return
        compare_contrast(self._viewer, source)
