"""What the plots of the widgets have in common."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from qtpy.QtCore import QSize

#: Told apart by the color-blind, and on a dark as well as on a light ground.
BLUE, ORANGE = "#3d9be0", "#e0662f"


class Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot with a legend that fits a dock and takes over the colors of a theme.

    Parameters
    ----------
    bottom, left : str
        What its axes show.
    **options
        Of `pyqtgraph.PlotWidget`.
    """

    def __init__(self, bottom: str, left: str, **options: Any) -> None:
        super().__init__(**options)
        self._legend = self.addLegend(offset=(-5, 5))
        self.setLabel("bottom", bottom)
        self.setLabel("left", left)
        # Or the outermost labels of the axes are cut.
        self.getPlotItem().layout.setContentsMargins(2, 8, 8, 4)
        self.setMouseEnabled(False, False)
        self.setMenuEnabled(False)
        self.hideButtons()

    def sizeHint(self) -> QSize:
        """Return a size that fits a dock; pyqtgraph's own is 640 x 480."""
        return QSize(280, 200)

    def minimumSizeHint(self) -> QSize:
        """Return the size below which the axes could not be read."""
        return QSize(200, 130)

    def set_colors(self, background: str, text: str) -> None:
        """Take over the colors of a theme, as ``#rrggbb``."""
        self.setBackground(background)
        for name in ("left", "bottom"):
            self.getAxis(name).setPen(text)
            self.getAxis(name).setTextPen(text)
        self._legend.setLabelTextColor(text)
        for _, label in self._legend.items:
            # The legend itself colors only labels that come later.
            label.setText(label.text, color=text)
