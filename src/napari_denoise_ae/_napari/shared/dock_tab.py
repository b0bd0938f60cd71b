"""Open the docks of the plugin as tabs of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QDockWidget, QWidget

if TYPE_CHECKING:
    from collections.abc import Iterator


class DockTab(QObject):  # type: ignore[misc]
    """Makes the dock of a widget a tab beside an earlier one, when it is first shown.

    Parameters
    ----------
    widget : QWidget
        One of the plugin's widgets, which napari will put into a dock.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        # napari first puts the dock below the others, and gives it a size.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._join)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Start when the widget is shown."""
        if event.type() == QEvent.Type.Show:
            watched.removeEventFilter(self)
            self._timer.start()
        return False

    def _join(self) -> None:
        dock = _dock_of(self.parent())
        if dock is None or dock.isFloating():
            return
        others, window = list(_other_docks(dock)), dock.window()
        if others and not set(others) & set(window.tabifiedDockWidgets(dock)):
            window.tabifyDockWidget(others[0], dock)
            dock.raise_()


def _other_docks(dock: QDockWidget) -> Iterator[QDockWidget]:
    """Yield the other docks of the plugin in the same window."""
    for tab in dock.window().findChildren(DockTab):
        other = _dock_of(tab.parent())
        if other is None or other is dock or other.isFloating() or other.isHidden():
            continue
        yield other


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent
