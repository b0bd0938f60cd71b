"""Plot of the losses of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqtgraph as pg
from qtpy.QtCore import QTimer

from ..shared.plot import BLUE, ORANGE, Plot

if TYPE_CHECKING:
    from qtpy.QtGui import QShowEvent

    from ...training.results import EpochResult

_TRAINING, _VALIDATION = BLUE, ORANGE
# A redraw blocks the event loop for up to 0.1 s.
_REDRAW_MILLISECONDS = 1000


class LossPlot(Plot):
    """Training and validation loss by epoch, with the best epoch marked.

    The plot is redrawn at most once a second, and only while it is visible.

    Attributes
    ----------
    history : list of EpochResult
        The results of the plotted epochs.
    """

    def __init__(self) -> None:
        super().__init__("epoch", "loss", axisItems={"bottom": _EpochAxis("bottom")})
        self.history: list[EpochResult] = []
        self._is_stale = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REDRAW_MILLISECONDS)
        self._timer.timeout.connect(self._redraw_if_stale)
        self._training = self._add_line("training", _TRAINING)
        self._validation = self._add_line("validation", _VALIDATION)
        self._best = self.plot(
            pen=None, symbol="star", symbolSize=16, symbolBrush=_VALIDATION, name="best"
        )
        self.getAxis("left").enableAutoSIPrefix(False)

    def set_history(self, history: list[EpochResult]) -> None:
        """Replace the plotted epochs."""
        self.history = list(history)
        self._schedule()

    def add_epoch(self, result: EpochResult) -> None:
        """Add the result of an epoch."""
        self.history.append(result)
        self._schedule()

    def set_log_scale(self, on: bool) -> None:
        """Switch between a logarithmic and a linear scale of the losses."""
        self.setLogMode(y=on)

    def showEvent(self, event: QShowEvent) -> None:
        """Redraw epochs that were added while the plot was hidden."""
        super().showEvent(event)
        self._redraw_if_stale()

    def _add_line(self, name: str, color: str) -> pg.PlotDataItem:
        pen = pg.mkPen(color, width=2)
        dots = {"symbol": "o", "symbolSize": 5, "symbolBrush": color}
        return self.plot(pen=pen, symbolPen=None, name=name, **dots)

    def _schedule(self) -> None:
        self._is_stale = True
        if not self._timer.isActive():
            self._redraw_if_stale()

    def _redraw_if_stale(self) -> None:
        if not self._is_stale or not self.isVisible():
            return
        self._is_stale = False
        self._timer.start()
        epochs = [result.epoch for result in self.history]
        self._training.setData(epochs, [r.train_loss for r in self.history])
        self._validation.setData(epochs, [r.val_loss for r in self.history])
        best = [result for result in self.history if result.is_best][-1:]
        self._best.setData([r.epoch for r in best], [r.val_loss for r in best])


class _EpochAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis with ticks at integers only."""

    def tickSpacing(
        self, minVal: float, maxVal: float, size: float
    ) -> list[tuple[float, float]]:
        """Return the tick spacings of at least 1, with their offsets."""
        spacings = super().tickSpacing(minVal, maxVal, size)
        return [(s, offset) for s, offset in spacings if s >= 1] or [(1.0, 0.0)]
