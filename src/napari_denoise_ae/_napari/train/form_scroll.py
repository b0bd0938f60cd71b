"""Scroll area whose form cuts off no text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QLayout, QScrollArea

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

# Time for the layout of changed fields to settle, in milliseconds.
_SETTLING = 50


class FormScroll(QScrollArea):  # type: ignore[misc]
    """Scroll area that lays its form out again after a change.

    Qt computes the rows of a form for the width without a scroll bar. If one appears,
    texts wrap into more lines, which would be cut off.
    """

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLING)
        self._timer.timeout.connect(self._lay_out)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)

    def lay_out_soon(self) -> None:
        """Compute the rows once more."""
        self._timer.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out the form for its new width."""
        super().resizeEvent(event)
        self.lay_out_soon()

    def changeEvent(self, event: QEvent) -> None:
        """Lay out the form for another theme or font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self.lay_out_soon()

    def _lay_out(self) -> None:
        # Layouts keep the heights of their rows, even if something inside has changed.
        for layout in self.widget().findChildren(QLayout):
            layout.invalidate()
            layout.parentWidget().updateGeometry()
