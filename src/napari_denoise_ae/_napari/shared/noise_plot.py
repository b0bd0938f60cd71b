"""Plot of the noise variance against the intensity, measured and fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg

from .plot import BLUE, ORANGE, Plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...noise.curve import NoiseFit


class NoisePlot(Plot):
    """Measured variances as points, and the fitted line, for each channel."""

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
        self._fitted = self.plot(
            pen=pg.mkPen(ORANGE, width=2), connect="pairs", name="fitted"
        )
        # The line rises, so the lower right corner is free.
        self._legend.setOffset((-5, -5))
        for axis in ("left", "bottom"):
            self.getAxis(axis).enableAutoSIPrefix(False)

    def set_fits(self, fits: Sequence[NoiseFit]) -> None:
        """Replace the plotted fits."""
        measured = [fit for fit in fits if len(fit.intensities)]
        points = [(fit.intensities, fit.variances) for fit in measured]
        self._measured.setData(*_concatenate(points))
        lines = []
        for fit in measured:
            ends = np.array([fit.intensities.min(), fit.intensities.max()])
            lines.append((ends, fit.curve.variance(ends)))
        self._fitted.setData(*_concatenate(lines))


def _concatenate(
    curves: Sequence[tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Concatenate the x and the y values of several curves."""
    if not curves:
        return np.array([]), np.array([])
    x, y = zip(*curves, strict=True)
    return np.concatenate(x), np.concatenate(y)
