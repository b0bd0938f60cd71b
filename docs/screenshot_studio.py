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
#: The sizes and themes of the window in which every state is looked at.
SIZES, THEMES = ("1280x800", "1920x1080"), ("dark", "light")
# Few enough for small files, enough to look right.
N_COLORS = 192


class Studio:
    """A viewer of which screenshots are taken.

    Parameters
    ----------
    theme, size : str
        Theme and size of the window, such as ``"dark"`` and ``"1280x800"``.
    folder : pathlib.Path
        Where the pictures are written.
    takes_all : bool
        Whether to take each screenshot in all sizes and themes.
    """

    def __init__(
        self, theme: str, size: str, folder: Path, *, takes_all: bool = False
    ) -> None:
        import napari

        self.viewer: Viewer = napari.Viewer()
        self._look = theme, size
        self._folder, self._takes_all = folder, takes_all
        self._dress(theme, size)

    def _dress(self, theme: str, size: str) -> None:
        self.viewer.theme = theme
        self.viewer.window.resize(*(int(side) for side in size.split("x")))

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
        from qtpy.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        end = time.monotonic() + (600.0 if until else seconds)
        while time.monotonic() < end and not (until and until()):
            QTimer.singleShot(10, loop.quit)
            loop.exec()

    def take(self, name: str, *, few_colors: bool = True) -> None:
        """Take a screenshot of the window, or one in each size and theme."""
        if not self._takes_all:
            self.save(name, self._pixels(), few_colors=few_colors)
            return
        for size in SIZES:
            for theme in THEMES:
                self._dress(theme, size)
                self.save(f"{name}-{size}-{theme}", self._pixels(), few_colors=False)
        self._dress(*self._look)
        self.wait(seconds=0.5)

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
