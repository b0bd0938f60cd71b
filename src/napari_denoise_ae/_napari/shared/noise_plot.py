"""Plot of the noise variance against the intensity, as measured and as found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt

from .plot import COLORS, ORANGE, Plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...noise.measure import NoisePoints

_COLUMNS = 2
# The legend is above this multiple of the highest variance, and each of its rows
# needs as much more.
_HEADROOM, _ROW = 1.2, 0.25
# Parts are brighter than the last point if they are by this multiple of the noise.
_FAR = 3.0


class NoisePlot(Plot):
    """Measured variances as points, and the noise found as a line, for each channel.

    Attributes
    ----------
    missing : str
        Where bright parts have no points, because nothing in them is smooth. The line
        is dashed there. Empty if the points reach the brightest parts.
    """

    def __init__(self) -> None:
        super().__init__("intensity", "variance")
        self.missing = ""
        self._legend.setColumnCount(_COLUMNS)
        for axis in ("left", "bottom"):
            self.getAxis(axis).enableAutoSIPrefix(False)

    def set_points(self, channels: Sequence[NoisePoints]) -> None:
        """Replace the plotted points and lines."""
        self.clear()
        highest, missing = 0.0, []
        for number, each in enumerate(channels):
            points, line = COLORS[number % len(COLORS)], ORANGE
            names: tuple[str | None, str] = ("measured", "found")
            if len(channels) > 1:
                line, names = points, (None, f"channel {number}")
            ends = np.array([each.intensities.min(), each.intensities.max()])
            found = each.noise.variance(ends)
            self.plot(
                each.intensities,
                each.variances,
                pen=None,
                symbol="o",
                symbolSize=6,
                symbolPen=None,
                symbolBrush=points,
                name=names[0],
            )
            self.plot(ends, found, pen=pg.mkPen(line, width=2), name=names[1])
            highest = max(highest, each.variances.max(), found.max())
            if each.brightest > ends[1] + _FAR * math.sqrt(found[1]):
                highest = max(highest, self._extend(each, line))
                channel = f"Channel {number}: " if len(channels) > 1 else ""
                missing.append(f"{channel}above {ends[1]:.4g}")
        self.missing = ""
        if missing:
            listed = "; ".join(missing)
            self.missing = (
                f"{listed[0].upper()}{listed[1:]}, no smooth part to measure: the line "
                "is extended."
            )
        if highest > 0:
            # From 0, so that noise of one level does not look as if it varied.
            n_rows = math.ceil(len(self._legend.items) / _COLUMNS)
            self.setYRange(0.0, (_HEADROOM + _ROW * n_rows) * highest)

    def _extend(self, channel: NoisePoints, color: str) -> float:
        """Extend the line to the brightest parts, and return its variance there."""
        ends = np.array([channel.intensities.max(), channel.brightest])
        found = channel.noise.variance(ends)
        dashed = pg.mkPen(color, width=2, style=Qt.PenStyle.DashLine)
        self.plot(ends, found, pen=dashed)
        return float(found[1])
