"""Plot of the losses of a training run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyqtgraph as pg
from qtpy.QtCore import Qt, QTimer

from ...training.results import watched_losses
from ..shared.plot import BLUE, ORANGE, Plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QShowEvent

    from ...training.results import EpochResult

_TRAINING, _VALIDATION, _EARLIER = BLUE, ORANGE, "#8c929c"
# A redraw blocks the event loop for up to 0.1 s.
_REDRAW_MILLISECONDS = 1000


class LossPlot(Plot):
    """Training and validation loss by epoch, with the best epoch marked.

    The validation loss of an earlier run stays for comparison. The plot is redrawn at
    most once a second, and only while it is visible.

    Attributes
    ----------
    history : list of EpochResult
        The results of the plotted epochs.
    earlier : list of float
        The validation losses of the earlier run; empty without one.
    smoothing : int
        Number of epochs over which the plotted validation losses are averaged.
    """

    def __init__(self) -> None:
        super().__init__("epoch", "loss", axisItems={"bottom": _EpochAxis("bottom")})
        self.history: list[EpochResult] = []
        self.earlier: list[float] = []
        self.smoothing = 1
        self._is_stale = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REDRAW_MILLISECONDS)
        self._timer.timeout.connect(self._redraw_if_stale)
        pen = pg.mkPen(_EARLIER, width=1, style=Qt.PenStyle.DashLine)
        self._earlier = self.plot(pen=pen)
        self._training = self._add_line("training", _TRAINING)
        self._validation = self._add_line("validation", _VALIDATION)
        self._best = self.plot(
            pen=None, symbol="star", symbolSize=16, symbolBrush=_VALIDATION, name="best"
        )
        self.getAxis("left").enableAutoSIPrefix(False)

    def set_history(self, history: Sequence[EpochResult]) -> None:
        """Replace the plotted epochs."""
        self.history = list(history)
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

    def set_earlier(self, name: str, losses: Sequence[float]) -> None:
        """Replace the earlier run by another; without losses, remove it."""
        self._legend.removeItem(self._earlier)
        self.earlier = list(losses)
        if self.earlier:
            self._legend.addItem(self._earlier, name)
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

    def _show_training(self, on: bool) -> None:
        if on == self._training.isVisible():
            return
        self._training.setVisible(on)
        self._legend.removeItem(self._training)
        if on:
            self._legend.addItem(self._training, "training")
        label = "loss" if on else "loss with noise"
        self.setLabel("left", label)

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
        self._show_training(self.shows_training)
        _draw(self._earlier, self.earlier)
        shown = self.history if self.shows_training else []
        _draw(self._training, [result.train_loss for result in shown])
        _draw(self._validation, watched)
        best = [result.epoch for result in self.history if result.is_best][-1:]
        self._best.setData(best, [watched[epoch - 1] for epoch in best])


def _draw(line: pg.PlotDataItem, losses: list[float]) -> None:
    line.setData(range(1, len(losses) + 1), losses)


class _EpochAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis with ticks at integers only."""

    def tickSpacing(
        self, minVal: float, maxVal: float, size: float
    ) -> list[tuple[float, float]]:
        """Return the tick spacings of at least 1, with their offsets."""
        spacings = super().tickSpacing(minVal, maxVal, size)
        return [(s, offset) for s, offset in spacings if s >= 1] or [(1.0, 0.0)]
