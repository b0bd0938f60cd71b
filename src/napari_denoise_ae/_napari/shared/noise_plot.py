"""The variance of the noise against the intensity: measured, and fitted."""

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
    """Points that were measured, and the line that was fitted to them.

    Of several channels each has its points and its line.
    """

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
        # The line rises: there is room below its end.
        self._legend.setOffset((-5, -5))
        for axis in ("left", "bottom"):
            self.getAxis(axis).enableAutoSIPrefix(False)

    def set_fits(self, fits: Sequence[NoiseFit]) -> None:
        """Show these and forget others."""
        known = [fit for fit in fits if len(fit.intensities)]
        points = [(fit.intensities, fit.variances) for fit in known]
        self._measured.setData(*_joined(points))
        ends = [np.array([x.min(), x.max()]) for x, _ in points]
        lines = [(x, fit.curve.variance(x)) for x, fit in zip(ends, known, strict=True)]
        self._fitted.setData(*_joined(lines))


def _joined(
    pairs: Sequence[tuple[NDArray[Any], NDArray[Any]]],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the first of several pairs in one array, and the second in another."""
    if not pairs:
        return np.array([]), np.array([])
    first, second = zip(*pairs, strict=True)
    return np.concatenate(first), np.concatenate(second)
