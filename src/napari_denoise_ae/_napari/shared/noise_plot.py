"""Plot of the noise variance against the intensity, as measured and as found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg

from .plot import BLUE, ORANGE, Plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...noise.measure import NoisePoints


# The legend is in the upper part of this multiple of the highest variance.
_HEADROOM = 1.4


class NoisePlot(Plot):
    """Measured variances as points, and the noise found as a line, for each channel."""

    def __init__(self) -> None:
        super().__init__("intensity", "variance")
        self._measured = self.plot(
            pen=None,
            symbol="o",
            symbolSize=6,
            symbolPen=None,
            symbolBrush=BLUE,
            name="measured",
        )
        self._found = self.plot(
            pen=pg.mkPen(ORANGE, width=2), connect="pairs", name="found"
        )
        # Above the points, which `set_points` leaves free.
        self._legend.setColumnCount(2)
        for axis in ("left", "bottom"):
            self.getAxis(axis).enableAutoSIPrefix(False)

    def set_points(self, channels: Sequence[NoisePoints]) -> None:
        """Replace the plotted points and lines."""
        points = [(each.intensities, each.variances) for each in channels]
        self._measured.setData(*_concatenate(points))
        lines = []
        for each in channels:
            ends = np.array([each.intensities.min(), each.intensities.max()])
            lines.append((ends, each.noise.variance(ends)))
        self._found.setData(*_concatenate(lines))
        highest = max((y.max() for _, y in [*points, *lines]), default=0.0)
        if highest > 0:
            # From 0, so that noise of one level does not look as if it varied.
            self.setYRange(0.0, _HEADROOM * highest)


def _concatenate(
    curves: Sequence[tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Concatenate the x and the y values of several curves."""
    if not curves:
        return np.array([]), np.array([])
    x, y = zip(*curves, strict=True)
    return np.concatenate(x), np.concatenate(y)
