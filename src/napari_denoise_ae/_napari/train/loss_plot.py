"""Plot of the losses of a training run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyqtgraph as pg
from qtpy.QtCore import Qt, QTimer, Signal

from ...training.results import watched_losses
from ..shared.plot import BLUE, ORANGE, Plot
from .curve import Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QShowEvent

    from ...training.results import EpochResult
    from .curve import Curve

_TRAINING, _VALIDATION = BLUE, ORANGE
_EARLIER = ("#8c929c", "#4fa37a", "#a97fc9", "#b39b3c")
_LEGEND_COLUMNS, _LEGEND_ROW = 2, 22  # pixels
# A redraw blocks the event loop for up to 0.1 s.
_REDRAW_MILLISECONDS = 1000


class LossPlot(Plot):
    """Training and validation loss by epoch, with the best epoch marked.

    The validation losses of other runs are drawn for comparison, if they measure the
    same as that of this one. The plot is redrawn at
    most once a second, and only while it is visible.

    Attributes
    ----------
    history : list of EpochResult
        The results of the plotted epochs.
    earlier : list of Curve
        The other runs, drawn or not.
    quantity : Quantity
        What the plotted validation losses measure.
    smoothing : int
        Number of epochs over which they are averaged.
    compared : Signal
        Emitted after other runs have been drawn or left out.
    """

    compared = Signal()

    def __init__(self) -> None:
        super().__init__("epoch", "loss", axisItems={"bottom": _EpochAxis("bottom")})
        self.history: list[EpochResult] = []
        self.earlier: list[Curve] = []
        self.quantity, self.smoothing = Quantity(), 1
        self._is_stale = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REDRAW_MILLISECONDS)
        self._timer.timeout.connect(self._redraw_if_stale)
        style = Qt.PenStyle.DashLine
        pens = [pg.mkPen(color, width=1, style=style) for color in _EARLIER]
        self._earlier = [self.plot(pen=pen) for pen in pens]
        self._training = self._add_line(_TRAINING)
        self._validation = self._add_line(_VALIDATION)
        self._best = self.plot(
            pen=None, symbol="star", symbolSize=16, symbolBrush=_VALIDATION
        )
        # Above the curves, which it would hide.
        self._legend.setParentItem(self.getPlotItem())
        self._legend.anchor((0.5, 0), (0.5, 0))
        self._legend.setColumnCount(_LEGEND_COLUMNS)
        self._fill_legend([])
        self.getAxis("left").enableAutoSIPrefix(False)

    def set_history(self, history: Sequence[EpochResult]) -> None:
        """Replace the plotted epochs."""
        self.history = list(history)
        self._compare()
        self._schedule()

    @property
    def watched(self) -> list[float]:
        """The validation losses as plotted, by which the best epoch is chosen."""
        return watched_losses(self.history, self.smoothing)

    @property
    def shows_training(self) -> bool:
        """Whether the training loss is plotted.

        Without clean images, the validation loss includes the noise, so that the two
        cannot be compared.
        """
        return not any(math.isnan(result.val_psnr) for result in self.history)

    @property
    def incomparable(self) -> list[Curve]:
        """The other runs that are not drawn, because their losses differ."""
        if not self.history:
            return []
        return [curve for curve in self.earlier if curve.quantity != self.quantity]

    def set_earlier(self, curves: Sequence[Curve]) -> None:
        """Replace the other runs, at most four."""
        self.earlier = list(curves)
        self._compare()
        self._schedule()

    def add_epoch(self, result: EpochResult) -> None:
        """Add the result of an epoch."""
        self.history.append(result)
        if len(self.history) == 1:
            self._compare()
        self._schedule()

    def set_log_scale(self, on: bool) -> None:
        """Switch between a logarithmic and a linear scale of the losses."""
        self.setLogMode(y=on)

    def showEvent(self, event: QShowEvent) -> None:
        """Redraw epochs that were added while the plot was hidden."""
        super().showEvent(event)
        self._redraw_if_stale()

    def _add_line(self, color: str) -> pg.PlotDataItem:
        pen = pg.mkPen(color, width=2)
        dots = {"symbol": "o", "symbolSize": 5, "symbolBrush": color}
        return self.plot(pen=pen, symbolPen=None, **dots)

    def _fill_legend(self, drawn: Sequence[Curve]) -> None:
        """Name the lines, and make room for the names above the plot."""
        self._legend.clear()
        lines = [(self._training, "training")] if self.shows_training else []
        lines.append((self._validation, "validation, ★ best"))
        names = [curve.name for curve in drawn]
        lines.extend(zip(self._earlier, names, strict=False))
        for line, name in lines:
            self._legend.addItem(line, name)
        height = math.ceil(len(lines) / _LEGEND_COLUMNS) * _LEGEND_ROW
        self.getPlotItem().layout.setContentsMargins(2, 8 + height, 8, 4)

    def _compare(self) -> None:
        """Draw the other runs whose losses can be compared with this one."""
        drawn = [c for c in self.earlier if c not in self.incomparable]
        for line in self._earlier:
            line.setData([])
        for line, curve in zip(self._earlier, drawn, strict=False):
            _draw(line, curve.losses)
        self._training.setVisible(self.shows_training)
        self.setLabel("left", "loss" if self.shows_training else "loss with noise")
        self._fill_legend(drawn)
        self.compared.emit()

    def _schedule(self) -> None:
        self._is_stale = True
        if not self._timer.isActive():
            self._redraw_if_stale()

    def _redraw_if_stale(self) -> None:
        if not self._is_stale or not self.isVisible():
            return
        self._is_stale = False
        self._timer.start()
        watched = self.watched
        shown = self.history if self.shows_training else []
        _draw(self._training, [result.train_loss for result in shown])
        _draw(self._validation, watched)
        best = [result.epoch for result in self.history if result.is_best][-1:]
        self._best.setData(best, [watched[epoch - 1] for epoch in best])


def _draw(line: pg.PlotDataItem, losses: Sequence[float]) -> None:
    line.setData(range(1, len(losses) + 1), losses)


class _EpochAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis with ticks at integers only."""

    def tickSpacing(
        self, minVal: float, maxVal: float, size: float
    ) -> list[tuple[float, float]]:
        """Return the tick spacings of at least 1, with their offsets."""
        spacings = super().tickSpacing(minVal, maxVal, size)
        return [(s, offset) for s, offset in spacings if s >= 1] or [(1.0, 0.0)]
