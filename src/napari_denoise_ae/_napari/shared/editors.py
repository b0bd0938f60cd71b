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

# Number of letters that a choice always shows.
_SHORTEST = 8


class Choice(QComboBox):  # type: ignore[misc]
    """A combo box whose items have titles and values.

    Parameters
    ----------
    choices : iterable of str or (str, object), optional
        The values, or pairs of a title and a value.
    value : object, optional
        The initial value. None selects the first.

    Attributes
    ----------
    changed : Signal
        Emitted after another value has been chosen.
    """

    changed = Signal()

    def __init__(
        self, choices: Iterable[str | tuple[str, Any]] = (), value: Any = None
    ) -> None:
        super().__init__()
        # Long titles must not widen the dock.
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(policy)
        self.setMinimumContentsLength(_SHORTEST)
        self._values: list[Any] = []
        self._last_emitted: Any = None
        self.currentTextChanged.connect(self._emit_changed)
        self.set_choices(choices, value)

    @property
    def values(self) -> tuple[Any, ...]:
        """The values, from top to bottom."""
        return tuple(self._values)

    @property
    def value(self) -> Any:
        """The chosen value; the typed text if the combo box is editable."""
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

    def set_choices(
        self, choices: Iterable[str | tuple[str, Any]], value: Any = None
    ) -> None:
        """Replace the choices and select a value.

        If `value` is None, the current value stays selected, or the first one is
        if the choices no longer include it.
        """
        chosen = self.value if value is None else value
        pairs = [(each, each) if isinstance(each, str) else each for each in choices]
        self.blockSignals(True)
        self.clear()
        self.addItems([title for title, _ in pairs])
        self._values = [value for _, value in pairs]
        self.value = chosen
        self.blockSignals(False)
        self._emit_changed()

    def _emit_changed(self) -> None:
        # A title may change without its value, and a value without its title.
        before, self._last_emitted = self._last_emitted, self.value
        if self._last_emitted != before:
            self.changed.emit()


class Editor(QWidget):  # type: ignore[misc]
    """Base class of editors made of several widgets, which have a `value`.

    Attributes
    ----------
    changed : Signal
        Emitted after the value has changed.
    shows_errors : bool
        Whether the editor itself shows that its value is invalid.
    """

    changed = Signal()
    shows_errors = False


class RadioEdit(Editor):
    """Radio buttons side by side; the first is selected initially."""

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
        group.buttonToggled.connect(self._on_toggled)

    @property
    def value(self) -> str:
        """The chosen value."""
        return next(v for v, button in self._buttons.items() if button.isChecked())

    @value.setter
    def value(self, value: str) -> None:
        self._buttons[value].setChecked(True)

    def _on_toggled(self, _: QRadioButton, is_checked: bool) -> None:
        if is_checked:
            self.changed.emit()


class PathEdit(Editor):
    """A line edit for a path, and a button that opens a dialog.

    Parameters
    ----------
    path : str
        The initial path.
    ask : callable
        Asks the user for a path; returns an empty string if canceled.
    placeholder : str
        Text shown in gray while the line is empty.
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
        button.clicked.connect(lambda: self._set_path(ask()))
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

    def _set_path(self, path: str) -> None:
        if path:
            self.line.setText(path)


class NumberEdit(QLineEdit):  # type: ignore[misc]
    """A line edit for a number that a spin box would round, such as 1e-3."""


def make_editor(default: Any) -> QWidget:
    """Return an editor for values of the type of `default`, its initial value."""
    if isinstance(default, bool):
        return make_check("", is_checked=default)
    if isinstance(default, int):
        # Only Qt's limits: the settings themselves check the value.
        editor = QSpinBox()
        editor.setRange(0, 2**31 - 1)
        editor.setValue(default)
        return editor
    return (NumberEdit if isinstance(default, float) else QLineEdit)(str(default))


def make_count(highest: int) -> QSpinBox:
    """Return an editor for a count from 0, its initial value, to a highest one."""
    editor = QSpinBox()
    editor.setRange(0, highest)
    return editor


def make_line(*, placeholder: str) -> QLineEdit:
    """Return a line edit whose placeholder says what an empty text means."""
    editor = QLineEdit()
    editor.setPlaceholderText(placeholder)
    return editor


def make_check(text: str, *, is_checked: bool = False) -> QCheckBox:
    """Return a check box with a text."""
    editor = QCheckBox(text)
    editor.setChecked(is_checked)
    return editor
