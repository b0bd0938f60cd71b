"""Layouts and labels that fit a narrow dock."""

from __future__ import annotations

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

#: The color of what is wrong; legible on napari's dark and light themes.
WRONG = "#e05252"
# The width in pixels that napari's style adds to fields.
_STYLE = 12
# How long new widgets may take to find their place, in milliseconds.
_SETTLING = 100


class Note(QLabel):  # type: ignore[misc]
    """A label of several lines that takes no room while it says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.hide()

    def setText(self, text: str) -> None:
        """Say something; nothing, if it is empty."""
        super().setText(text)
        self.setVisible(bool(text))


class Folded(QWidget):  # type: ignore[misc]
    """A title that shows and hides what is below it, however that grows.

    Parameters
    ----------
    title : str
        The title.
    content : QWidget
        What is folded away at first.
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
        # Its room is kept for it, so that unfolding cuts nothing off.
        self.setMinimumWidth(content.minimumWidth())
        self._show(False)

    def unfold(self) -> None:
        """Show what is folded away."""
        self.button.setChecked(True)

    def _show(self, on: bool) -> None:
        self.button.setText(f"{'▼' if on else '▶'} {self._title}")
        self._content.setVisible(on)


class DockScroll(QScrollArea):  # type: ignore[misc]
    """Scrolls the content of a dock, which may be higher than the dock.

    Parameters
    ----------
    content : QWidget
        The content.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._new: tuple[QWidget, ...] = ()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar_width = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(content.minimumSizeHint().width() + bar_width + _STYLE)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLING)
        self._timer.timeout.connect(self._show_new)

    def show_soon(self, *widgets: QWidget) -> None:
        """Scroll to widgets that are new, once they have their place."""
        self._new = widgets
        self._timer.start()

    def stop(self) -> None:
        """Scroll no more by itself."""
        self._timer.stop()

    def _show_new(self) -> None:
        for widget in self._new:
            self.ensureWidgetVisible(widget, 0, 0)
        # Up and down only: a widget that is too wide must not cut off the others.
        self.horizontalScrollBar().setValue(0)


def make_form(parent: QWidget | None = None) -> QFormLayout:
    """Return a layout of labels and fields that fits a narrow dock."""
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def make_row(*widgets: QWidget) -> QHBoxLayout:
    """Return a layout of widgets side by side."""
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row


def make_button(text: str, tooltip: str) -> QPushButton:
    """Return a button with an explanation."""
    button = QPushButton(text)
    button.setToolTip(f"<qt>{tooltip}</qt>")
    return button


def breakable(text: str) -> str:
    """Let a label wrap long paths, which would make its dock as wide as they are."""
    for separator in ("/", "\\", "_", "-"):
        text = text.replace(separator, f"{separator}\u200b")
    return text
