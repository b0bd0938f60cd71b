"""Fields of a form: an editor with its explanation and what is wrong with its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from .layout import Note, breakable
from .noise_edit import WRONG, NoiseChooser

if TYPE_CHECKING:
    from collections.abc import Iterable


class Field(QWidget):  # type: ignore[misc]
    """An editor, and below it room for an explanation and for what is wrong.

    Parameters
    ----------
    editor : QWidget
        What the value is edited with.
    name : str
        What stands before it.
    tooltip : str
        What it is.

    Attributes
    ----------
    changed : Signal
        Emitted after the value has changed.
    label : QLabel
        The name, to be laid out before the field.
    """

    changed = Signal()

    def __init__(self, editor: QWidget, name: str, tooltip: str) -> None:
        super().__init__()
        self.editor = editor
        self.label = QLabel(name)
        self._wrong = ""
        self._message = Note()
        self._message.setStyleSheet(f"color: {WRONG}")
        self._explanation = Note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(editor)
        layout.addWidget(self._explanation)
        layout.addWidget(self._message)
        self.describe(tooltip)
        _changed_signal(editor).connect(lambda *_: self._tell())

    @property
    def value(self) -> Any:
        """What the editor holds; text that is no number stays text."""
        editor = self.editor
        if isinstance(editor, QComboBox):
            return editor.currentText()
        if isinstance(editor, QCheckBox):
            return editor.isChecked()
        if isinstance(editor, QSpinBox):
            return editor.value()
        text = editor.text().strip()
        return _number(text) if isinstance(editor, NumberEdit) else text

    @value.setter
    def value(self, value: Any) -> None:
        editor = self.editor
        if isinstance(editor, QComboBox):
            editor.setCurrentText(value)
        elif isinstance(editor, QCheckBox):
            editor.setChecked(value)
        elif isinstance(editor, QSpinBox):
            editor.setValue(value)
        else:
            editor.setText(str(value))

    @property
    def message(self) -> str:
        """What is wrong, or nothing."""
        return self._wrong

    @property
    def explanation(self) -> str:
        """What is said of the value."""
        return str(self._explanation.text())

    def describe(self, tooltip: str) -> None:
        """Say what the field is for, where the mouse rests on it."""
        for widget in (self, self.label):
            widget.setToolTip(f"<qt>{tooltip}</qt>")  # as rich text it is wrapped

    def explain(self, text: str) -> None:
        """Say below the editor what its value means; nothing, if it is empty."""
        self._explanation.setText(text)

    def mark(self, message: str) -> None:
        """Say what is wrong; an empty text takes it back."""
        self._wrong = message
        if isinstance(self.editor, NoiseChooser):
            return  # it says so by itself
        self._message.setText(breakable(message))
        self.editor.setStyleSheet(f"border: 1px solid {WRONG};" if message else "")

    def enable(self, on: bool) -> None:
        """Let the value be edited, or gray it out."""
        self.setEnabled(on)
        self.label.setEnabled(on)

    def _tell(self) -> None:
        # What was wrong with the old value says nothing about the new one.
        self.mark("")
        self.changed.emit()


class NumberEdit(QLineEdit):  # type: ignore[misc]
    """A line for a number that a spin box would round, such as 1e-3."""


class PathEdit(QWidget):  # type: ignore[misc]
    """A line for a path, and a button that asks for one."""

    def __init__(self, path: str, ask: Any) -> None:
        super().__init__()
        self.line = QLineEdit(path)
        button = QPushButton("…")
        button.setFixedWidth(30)
        button.clicked.connect(lambda: self._take(ask()))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line)
        layout.addWidget(button)

    def text(self) -> str:
        """Return the path."""
        return str(self.line.text())

    def setText(self, path: str) -> None:
        """Fill in a path."""
        self.line.setText(path)

    def _take(self, path: str) -> None:
        if path:
            self.line.setText(path)


def make_editor(default: Any) -> QWidget:
    """Return an editor for values of the kind of `default`, which it holds."""
    if isinstance(default, bool):
        editor = QCheckBox()
        editor.setChecked(default)
        return editor
    if isinstance(default, int):
        # Its limits are those of Qt: what is allowed is the core's to say.
        editor = QSpinBox()
        editor.setRange(0, 2**31 - 1)
        editor.setValue(default)
        return editor
    return (NumberEdit if isinstance(default, float) else QLineEdit)(str(default))


def make_combo(choices: Iterable[str]) -> QComboBox:
    """Return an editor that offers a few values."""
    editor = QComboBox()
    editor.addItems(list(choices))
    return editor


def _changed_signal(editor: QWidget) -> Any:
    if isinstance(editor, QComboBox):
        return editor.currentTextChanged
    if isinstance(editor, QCheckBox):
        return editor.toggled
    if isinstance(editor, QSpinBox):
        return editor.valueChanged
    if isinstance(editor, NoiseChooser):
        return editor.changed
    line = editor.line if isinstance(editor, PathEdit) else editor
    return line.textChanged


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
