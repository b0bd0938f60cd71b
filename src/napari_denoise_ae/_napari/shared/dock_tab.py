"""Open the docks of the plugin as tabs of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from qtpy.QtCore import QEvent, QObject, QSize, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class DockTab(QObject):  # type: ignore[misc]
    """Makes the dock of a widget a tab beside an earlier one, when it is first shown.

    Parameters
    ----------
    widget : QWidget
        One of the plugin's widgets, which napari will put into a dock.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        # napari first puts the dock below the others, for which the window may grow.
        self._sizes: WeakKeyDictionary[QMainWindow, QSize] = WeakKeyDictionary()
        for window in QApplication.topLevelWidgets():
            if isinstance(window, QMainWindow):
                self._sizes[window] = window.size()
        self._soon = self._timer(self._join)
        self._later = self._timer(self._shrink)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Start when the widget is shown."""
        if event.type() == QEvent.Type.Show:
            watched.removeEventFilter(self)
            self._soon.start()
        return False

    def _timer(self, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(0)
        timer.timeout.connect(slot)
        return timer

    def _join(self) -> None:
        dock = _dock_of(self.parent())
        if dock is None or dock.isFloating():
            return
        others, window = list(_other_docks(dock)), dock.window()
        if others and not set(others) & set(window.tabifiedDockWidgets(dock)):
            window.tabifyDockWidget(others[0], dock)
            dock.raise_()
            self._later.start()

    def _shrink(self) -> None:
        """Give the window the size that it had before."""
        window = self.parent().window()
        size = self._sizes.get(window)
        if size is not None and not (window.isMaximized() or window.isFullScreen()):
            window.resize(size)


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
