"""Editors for one value each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Choice(QComboBox):  # type: ignore[misc]
    """Offers values by their titles.

    Parameters
    ----------
    choices : iterable of str or (str, object), optional
        The values, or titles and values.
    value : object, optional
        The one that is chosen at first; None for the first.

    Attributes
    ----------
    changed : Signal
        Emitted after another value was chosen.
    """

    changed = Signal()

    def __init__(
        self, choices: Iterable[str | tuple[str, Any]] = (), value: Any = None
    ) -> None:
        super().__init__()
        self._values: list[Any] = []
        self._told: Any = None
        self.currentTextChanged.connect(self._tell)
        self.offer(choices, value)

    @property
    def values(self) -> tuple[Any, ...]:
        """The values, from the top down."""
        return tuple(self._values)

    @property
    def value(self) -> Any:
        """The chosen value; the text where any can be typed."""
        if self.isEditable():
            return self.currentText()
        index = self.currentIndex()
        return self._values[index] if index >= 0 else None

    @value.setter
    def value(self, value: Any) -> None:
        if self.isEditable():
            self.setCurrentText(value)
        elif value in self._values:
            self.setCurrentIndex(self._values.index(value))

    def offer(
        self, choices: Iterable[str | tuple[str, Any]], value: Any = None
    ) -> None:
        """Offer other values, and choose one of them.

        If none is given, the chosen value stays; if it is gone, the first is chosen.
        """
        chosen = self.value if value is None else value
        pairs = [(each, each) if isinstance(each, str) else each for each in choices]
        self.blockSignals(True)
        self.clear()
        self.addItems([title for title, _ in pairs])
        self._values = [value for _, value in pairs]
        self.value = chosen
        self.blockSignals(False)
        self._tell()

    def _tell(self) -> None:
        # Titles may change without the value, and the value without its title.
        before, self._told = self._told, self.value
        if self._told != before:
            self.changed.emit()


class Editor(QWidget):  # type: ignore[misc]
    """An editor that is made of several widgets, and has a `value`.

    Attributes
    ----------
    changed : Signal
        Emitted after the value has changed.
    marks_mistakes : bool
        Whether it shows by itself that its value is wrong.
    """

    changed = Signal()
    marks_mistakes = False


class RadioEdit(Editor):
    """Shows all values side by side, and the first as chosen."""

    def __init__(self, values: Iterable[str]) -> None:
        super().__init__()
        box = QGroupBox()
        row = QHBoxLayout(box)
        row.setContentsMargins(4, 4, 4, 4)
        self._buttons = {value: QRadioButton(value) for value in values}
        group = QButtonGroup(self)
        for button in self._buttons.values():
            group.addButton(button)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(box)
        next(iter(self._buttons.values())).setChecked(True)
        group.buttonToggled.connect(self._tell)

    @property
    def value(self) -> str:
        """The chosen value."""
        return next(v for v, button in self._buttons.items() if button.isChecked())

    @value.setter
    def value(self, value: str) -> None:
        self._buttons[value].setChecked(True)

    def _tell(self, _: QRadioButton, is_checked: bool) -> None:
        if is_checked:
            self.changed.emit()


class PathEdit(Editor):
    """A line for a path, and a button that asks for one.

    Parameters
    ----------
    path : str
        The path at first.
    ask : callable
        Asks the user for a path; returns an empty one if there is none.
    placeholder : str
        The text in gray while the line is empty.
    """

    def __init__(
        self, path: str, ask: Callable[[], str], *, placeholder: str = ""
    ) -> None:
        super().__init__()
        self.line = QLineEdit(path)
        self.line.setPlaceholderText(placeholder)
        self.line.textChanged.connect(self.changed)
        button = QPushButton("…")
        button.setFixedWidth(30)
        button.clicked.connect(lambda: self._take(ask()))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        layout.addWidget(button)

    @property
    def value(self) -> str:
        """The path."""
        return str(self.line.text()).strip()

    @value.setter
    def value(self, path: str) -> None:
        self.line.setText(path)

    def _take(self, path: str) -> None:
        if path:
            self.line.setText(path)


class NumberEdit(QLineEdit):  # type: ignore[misc]
    """A line for a number that a spin box would round, such as 1e-3."""


def make_editor(default: Any) -> QWidget:
    """Return an editor for values of the kind of `default`, which it holds."""
    if isinstance(default, bool):
        return make_check("", is_checked=default)
    if isinstance(default, int):
        # Its limits are those of Qt: the core tells which values are allowed.
        editor = QSpinBox()
        editor.setRange(0, 2**31 - 1)
        editor.setValue(default)
        return editor
    return (NumberEdit if isinstance(default, float) else QLineEdit)(str(default))


def make_line(*, placeholder: str) -> QLineEdit:
    """Return a line for text, which says in gray what an empty one means."""
    editor = QLineEdit()
    editor.setPlaceholderText(placeholder)
    return editor


def make_check(text: str, *, is_checked: bool = False) -> QCheckBox:
    """Return a box to check, with a text behind it."""
    editor = QCheckBox(text)
    editor.setChecked(is_checked)
    return editor
