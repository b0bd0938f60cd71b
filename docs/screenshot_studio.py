"""A napari viewer of which screenshots are taken."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from napari.viewer import Viewer
    from numpy.typing import NDArray

PLUGIN = "napari-denoise-ae"
# Few enough for small files, enough to look right.
N_COLORS = 192


class Studio:
    """A viewer of which screenshots are taken."""

    def __init__(self, theme: str, size: str, folder: Path) -> None:
        import napari

        self.viewer: Viewer = napari.Viewer()
        self.viewer.theme = theme
        self.viewer.window.resize(*(int(side) for side in size.split("x")))
        self._folder = folder

    def open_widget(self, name: str) -> Any:
        """Open a widget of the plugin and return it."""
        dock, widget = self.viewer.window.add_plugin_dock_widget(
            PLUGIN, name, tabify=True
        )
        dock.raise_()
        return widget

    def wait(
        self, until: Callable[[], bool] | None = None, seconds: float = 1.0
    ) -> None:
        """Run Qt's event loop for some seconds, or until a condition is true.

        Waiting for a condition ends after 10 minutes.
        """
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + (600.0 if until else seconds)
        while time.monotonic() < end and not (until and until()):
            QApplication.processEvents()
            time.sleep(0.01)

    def take(self, name: str, *, few_colors: bool = True) -> None:
        """Take a screenshot of the window."""
        self.save(name, self._pixels(), few_colors=few_colors)

    def dock_pixels(self, widget: Any) -> NDArray[np.uint8]:
        """Return a picture of a dock widget."""
        pixels = self._pixels()
        corner = widget.mapTo(widget.window(), widget.rect().topLeft())
        rows = slice(corner.y(), corner.y() + widget.height())
        return pixels[rows, corner.x() : corner.x() + widget.width()]

    def _pixels(self) -> NDArray[np.uint8]:
        self.wait(seconds=1.0)
        return self.viewer.screenshot(canvas_only=False, flash=False)[..., :3]

    def save(
        self, name: str, pixels: NDArray[np.uint8], *, few_colors: bool = True
    ) -> None:
        """Write a picture; with few colors, small colored marks may change theirs."""
        path = self._folder / f"napari-{name}.png"
        picture = Image.fromarray(pixels)
        picture = picture.quantize(N_COLORS) if few_colors else picture
        picture.save(path, optimize=True)
        print(path)

    def scroll_to_the_end(self, widget: Any) -> None:
        """Scroll a widget to its end."""
        from qtpy.QtWidgets import QScrollArea

        self.wait(seconds=0.5)
        bar = widget.findChild(QScrollArea).verticalScrollBar()
        bar.setValue(bar.maximum())
