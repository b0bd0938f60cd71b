"""Base class of the plots in the widgets."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from qtpy.QtCore import QSize

#: Colors that the color-blind can distinguish, legible on dark and light themes.
BLUE, ORANGE = "#3d9be0", "#e0662f"
#: Colors of channels.
COLORS = (BLUE, ORANGE, "#2ca02c", "#cc79a7", "#e0b400", "#56b4e9")


class Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot with a legend that fits a dock and follows the theme.

    Parameters
    ----------
    bottom, left : str
        Labels of the axes.
    **options
        Options of `pyqtgraph.PlotWidget`.
    """

    def __init__(self, bottom: str, left: str, **options: Any) -> None:
        super().__init__(**options)
        self._legend = self.addLegend(offset=(-5, 5))
        self.setLabel("bottom", bottom)
        self.setLabel("left", left)
        # Without margins, the outermost tick labels would be cut off.
        self.getPlotItem().layout.setContentsMargins(2, 8, 8, 4)
        self.setMouseEnabled(False, False)
        self.setMenuEnabled(False)
        self.hideButtons()

    def sizeHint(self) -> QSize:
        """Return a size that fits a dock; pyqtgraph's own is 640 x 480."""
        return QSize(280, 200)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size at which the axes are legible."""
        return QSize(200, 130)

    def set_colors(self, background: str, text: str) -> None:
        """Set the background and text colors, as ``#rrggbb``."""
        self.setBackground(background)
        for name in ("left", "bottom"):
            self.getAxis(name).setPen(text)
            self.getAxis(name).setTextPen(text)
        self._legend.setLabelTextColor(text)
        for _, label in self._legend.items:
            # setLabelTextColor affects only labels that are added later.
            label.setText(label.text, color=text)
