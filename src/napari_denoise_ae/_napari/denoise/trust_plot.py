"""Plot of the signal that a result keeps at each spatial frequency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqtgraph as pg

from ..shared.plot import COLORS, Plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...evaluation.trust.report import TransferCurve

_HALF = 0.5


class TransferPlot(Plot):
    """The signal transfer of each channel, from 0 to the finest details."""

    def __init__(self) -> None:
        super().__init__("detail / cycles per pixel", "signal kept")
        self.getAxis("bottom").enableAutoSIPrefix(False)
        self.setYRange(0.0, 1.1)

    def set_curves(self, channels: Sequence[TransferCurve]) -> None:
        """Replace the plotted curves."""
        self.clear()
        self.addLine(y=_HALF, pen=pg.mkPen("#8c929c", width=1))
        for number, each in enumerate(channels):
            name = f"channel {number}" if len(channels) > 1 else None
            pen = pg.mkPen(COLORS[number % len(COLORS)], width=2)
            self.plot(each.frequencies, each.transfer, pen=pen, name=name)
