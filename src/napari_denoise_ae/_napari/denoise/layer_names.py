"""Show the names of layers on their pictures in the grid, for a time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtGui import QFontMetricsF
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image
    from napari.viewer import Viewer

# Sizes of the names, in points: small enough for three pictures side by side, and as
# small as can be read.
_FONT_SIZE, _LEAST_FONT_SIZE = 8.0, 6.0
# napari draws text on the canvas larger than Qt draws text of the same size.
_CANVAS_SCALE = 96 / 72
# Space beside a name, in pixels.
_PADDING = 20
# Time for the canvas to be drawn before the next name, in milliseconds.
_PAUSE = 20


def set_for_now(undo: ExitStack, target: Any, name: str, value: Any) -> None:
    """Set an attribute, and set it back when the stack is closed."""
    before = getattr(target, name)
    if before != value:
        setattr(target, name, value)
        undo.callback(setattr, target, name, before)


class LayerNames:
    """Shows names with napari's name overlay, one in each turn of the event loop.

    napari needs about 0.1 s for the first text of a layer on a slow machine, so several
    at once would be a noticeable delay.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        # How to show each name, and whether, as before.
        self._fits: dict[Image, ExitStack] = {}
        self._shown: dict[Image, ExitStack] = {}
        self._waiting: list[Image] = []
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._show_next)

    def show(self, layers: Sequence[Image]) -> None:
        """Show the names of these layers only."""
        for layer in [layer for layer in self._shown if layer not in layers]:
            self._hide(layer)
        self._waiting = list(layers)
        self._timer.start()

    def hide(self) -> None:
        """Show the names, or show none, as before."""
        self.stop()
        for layer in list(self._shown):
            self._hide(layer)

    def stop(self) -> None:
        """Show no more names."""
        # Qt may have deleted the timer.
        self._waiting = []

    def _show_next(self) -> None:
        if not self._waiting:
            return
        self._timer.start()
        layer = self._waiting.pop(0)
        if layer not in self._viewer.layers:
            return
        overlay = layer.name_overlay
        fit = self._fits.setdefault(layer, ExitStack())
        # The pictures may have another size than before.
        fit.close()
        size, fits = self._fit(layer.name)
        set_for_now(fit, overlay, "font_size", size)
        if not fits:
            # The end of a name tells results of one layer apart.
            set_for_now(fit, overlay, "position", "top_right")
        shown = self._shown.setdefault(layer, ExitStack())
        set_for_now(shown, overlay, "visible", True)

    def _hide(self, layer: Image) -> None:
        self._shown.pop(layer).close()
        self._fits.pop(layer).close()

    def _fit(self, name: str) -> tuple[float, bool]:
        """Return the font size for a name, and whether the whole name is visible."""
        canvas = self._viewer.canvas
        _, n_columns = canvas.grid.actual_shape(self._viewer.layers)
        space = canvas.size[1] / n_columns - _PADDING
        font = QApplication.font()
        font.setPointSizeF(_FONT_SIZE)
        width = QFontMetricsF(font).horizontalAdvance(name) * _CANVAS_SCALE
        size = min(max(_FONT_SIZE * space / width, _LEAST_FONT_SIZE), _FONT_SIZE)
        return size, width * size / _FONT_SIZE <= space + 1
