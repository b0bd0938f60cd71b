"""Layouts and labels that fit a narrow dock."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from .remembered import recall, remember

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtpy.QtGui import QResizeEvent
    from qtpy.QtWidgets import QLayout

#: The color of errors, legible on napari's dark and light themes.
ERROR_COLOR = "#e05252"
#: Space between the rows of a form, in pixels.
SPACING = 6
# As many letters of a word as fit a narrow dock.
_LONG_WORD = re.compile(r"[^\s\u200b]{28}(?=[^\s\u200b])")
# Width in pixels that napari's style adds to fields.
_STYLE = 12
# Time for the layout of new widgets to settle, in milliseconds.
_SETTLING = 100


class Note(QLabel):  # type: ignore[misc]
    """A label that wraps its text and is hidden while the text is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.hide()

    def setText(self, text: str) -> None:
        """Show a text; an empty text hides the label."""
        super().setText(text)
        self.setVisible(bool(text))


class OneLine(QLabel):  # type: ignore[misc]
    """A label of one line, which is shortened to fit and shown in full as tooltip.

    Attributes
    ----------
    details : str
        More about the text, which only the tooltip shows.
    """

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self.details = ""

    def text(self) -> str:
        """Return the full text."""
        return self._text

    def setText(self, text: str) -> None:
        """Show a text."""
        self._text = text
        self._update()

    def explain(self, details: str) -> None:
        """Set the details."""
        self.details = details
        self._update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the text to the new width."""
        super().resizeEvent(event)
        self._update()

    def minimumSizeHint(self) -> QSize:
        """Return the height of a line; any width is enough."""
        return QSize(0, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Return the size hint, which the text must not widen."""
        return self.minimumSizeHint()

    def _update(self) -> None:
        elide = self.fontMetrics().elidedText
        shown = elide(self._text, Qt.TextElideMode.ElideRight, self.width())
        super().setText(shown)
        lines = [line for line in (self._text, self.details) if line]
        self.setToolTip(f"<qt>{'<br>'.join(lines)}</qt>" if lines else "")


class Collapsible(QWidget):  # type: ignore[misc]
    """A collapsible section, initially collapsed or as the user has left it.

    Parameters
    ----------
    title : str
        The title.
    content : QWidget
        The content below the title.
    tooltip : str
        What the section contains.
    key : str
        Key under which it is remembered whether the section is expanded. Empty:
        it is not remembered.
    """

    def __init__(
        self, title: str, content: QWidget, tooltip: str, *, key: str = ""
    ) -> None:
        super().__init__()
        self._title, self._content, self._key = title, content, key
        self.button = make_button("", tooltip)
        self.button.setCheckable(True)
        self.button.setStyleSheet("text-align: left")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(content)
        # The width of the content is reserved, so that expanding cuts nothing off.
        self.setMinimumWidth(content.minimumWidth())
        self.button.setChecked(bool(key) and recall(key) == "open")
        self._show(self.button.isChecked())
        self.button.toggled.connect(self._show)
        self.button.clicked.connect(self._remember)

    def expand(self) -> None:
        """Expand the section."""
        self.button.setChecked(True)

    def _show(self, on: bool) -> None:
        self.button.setText(f"{'▼' if on else '▶'} {self._title}")
        self._content.setVisible(on)

    def _remember(self, on: bool) -> None:
        if self._key:
            remember(self._key, "open" if on else "closed")


class DockScroll(QScrollArea):  # type: ignore[misc]
    """Scroll area for a dock whose content may be taller than the dock.

    Parameters
    ----------
    content : QWidget
        The content.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._scroll_to: tuple[QWidget, ...] = ()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar_width = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(content.minimumSizeHint().width() + bar_width + _STYLE)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLING)
        self._timer.timeout.connect(self._scroll)

    def scroll_to_soon(self, *widgets: QWidget) -> None:
        """Scroll to new widgets after their layout has settled."""
        self._scroll_to = widgets
        self._timer.start()

    def stop(self) -> None:
        """Cancel scrolling to new widgets."""
        self._timer.stop()

    def _scroll(self) -> None:
        for widget in self._scroll_to:
            self.ensureWidgetVisible(widget, 0, 0)
        # Vertically only: scrolling to a wide widget would cut off the others.
        self.horizontalScrollBar().setValue(0)


def make_form(parent: QWidget | None = None) -> QFormLayout:
    """Return a form layout that fits a narrow dock."""
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def make_column(parent: QWidget) -> QVBoxLayout:
    """Return a column without margins."""
    column = QVBoxLayout(parent)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(SPACING)
    return column


def make_row(*widgets: QWidget) -> QHBoxLayout:
    """Return a layout with widgets side by side."""
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row


def set_tab_order(root: QWidget) -> None:
    """Make the Tab key follow the layout of a widget, from top to bottom."""
    for first, second in pairwise(_tab_stops(root)):
        QWidget.setTabOrder(first, second)


def _tab_stops(widget: QWidget) -> Iterator[QWidget]:
    if isinstance(widget, QScrollArea):
        yield from _tab_stops(widget.widget())
    elif widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
        yield widget
    elif (layout := widget.layout()) is not None:
        yield from _tab_stops_in(layout)


def _tab_stops_in(layout: QLayout) -> Iterator[QWidget]:
    for index in range(layout.count()):
        item = layout.itemAt(index)
        if (widget := item.widget()) is not None:
            yield from _tab_stops(widget)
        elif (inner := item.layout()) is not None:
            yield from _tab_stops_in(inner)


def make_button(text: str, tooltip: str) -> QPushButton:
    """Return a button with a tooltip."""
    button = QPushButton(text)
    button.setToolTip(f"<qt>{tooltip}</qt>")
    return button


def breakable(text: str) -> str:
    """Add break opportunities, so that paths and long words do not widen the dock."""
    for separator in ("/", "\\", "_", "-", "]"):
        text = text.replace(separator, f"{separator}\u200b")
    return _LONG_WORD.sub("\\g<0>\u200b", text)
