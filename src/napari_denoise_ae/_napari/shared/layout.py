"""Layouts and labels that fit a narrow dock."""

from __future__ import annotations

import re

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

#: The color of errors, legible on napari's dark and light themes.
ERROR_COLOR = "#e05252"
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


class Collapsible(QWidget):  # type: ignore[misc]
    """A collapsible section, initially collapsed.

    Parameters
    ----------
    title : str
        The title.
    content : QWidget
        The content below the title.
    """

    def __init__(self, title: str, content: QWidget) -> None:
        super().__init__()
        self._title, self._content = title, content
        self.button = QPushButton()
        self.button.setCheckable(True)
        self.button.setStyleSheet("text-align: left")
        self.button.toggled.connect(self._show)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(content)
        # The width of the content is reserved, so that expanding cuts nothing off.
        self.setMinimumWidth(content.minimumWidth())
        self._show(False)

    def expand(self) -> None:
        """Expand the section."""
        self.button.setChecked(True)

    def _show(self, on: bool) -> None:
        self.button.setText(f"{'▼' if on else '▶'} {self._title}")
        self._content.setVisible(on)


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


def make_row(*widgets: QWidget) -> QHBoxLayout:
    """Return a layout with widgets side by side."""
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row


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
