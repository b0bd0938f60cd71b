"""Forms: their fields are described as data, and built by `add_fields`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from .editors import Editor, NumberEdit
from .layout import WRONG, Note, breakable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qtpy.QtWidgets import QFormLayout


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a field of a form is.

    Parameters
    ----------
    name : str
        The name by which the field is found.
    label : str
        The text before the editor; empty for an editor that has a text itself.
    editor : callable
        Makes the editor.
    tooltip : str
        What the value means, its unit and its default.
    is_wide : bool
        Whether the editor takes the whole width, with the label above it.
    """

    name: str
    label: str
    editor: Callable[[], QWidget]
    tooltip: str
    is_wide: bool = False


class Field(QWidget):  # type: ignore[misc]
    """An editor, and below it room for an explanation and for what is wrong.

    Parameters
    ----------
    spec : FieldSpec
        What it is.

    Attributes
    ----------
    changed : Signal
        Emitted after the value has changed.
    editor : QWidget
        The editor.
    label : QLabel
        The text before it; see `add_fields`.
    """

    changed = Signal()

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self.editor = spec.editor()
        self.label = QLabel(spec.label)
        self._wrong = ""
        self._message = Note()
        self._message.setStyleSheet(f"color: {WRONG}")
        self._explanation = Note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self.editor)
        layout.addWidget(self._explanation)
        layout.addWidget(self._message)
        self.describe(spec.tooltip)
        _changed_signal(self.editor).connect(lambda *_: self._tell())

    @property
    def value(self) -> Any:
        """The value of the editor; text that is no number stays text."""
        editor = self.editor
        if isinstance(editor, QCheckBox):
            return editor.isChecked()
        if isinstance(editor, _WITH_VALUE):
            return editor.value()
        if isinstance(editor, QLineEdit):
            text = editor.text().strip()
            return _number(text) if isinstance(editor, NumberEdit) else text
        return editor.value

    @value.setter
    def value(self, value: Any) -> None:
        editor = self.editor
        if isinstance(editor, QCheckBox):
            editor.setChecked(value)
        elif isinstance(editor, _WITH_VALUE):
            editor.setValue(value)
        elif isinstance(editor, QLineEdit):
            editor.setText(str(value))
        else:
            editor.value = value

    @property
    def message(self) -> str:
        """What is wrong, or nothing."""
        return self._wrong

    @property
    def explanation(self) -> str:
        """The text that explains the value."""
        return str(self._explanation.text())

    def describe(self, tooltip: str) -> None:
        """Say what the field is for, where the mouse rests on it."""
        for widget in (self, self.editor, self.label):
            widget.setToolTip(f"<qt>{tooltip}</qt>")  # as rich text it is wrapped

    def explain(self, text: str) -> None:
        """Say below the editor what its value means; nothing, if it is empty."""
        self._explanation.setText(text)

    def mark(self, message: str) -> None:
        """Say what is wrong; an empty text takes it back."""
        self._wrong = message
        if isinstance(self.editor, Editor) and self.editor.marks_mistakes:
            return
        self._message.setText(breakable(message))
        self.editor.setStyleSheet(f"border: 1px solid {WRONG};" if message else "")

    def enable(self, on: bool) -> None:
        """Let the value be edited, or gray it out."""
        self.setEnabled(on)
        self.label.setEnabled(on)

    def show_if(self, on: bool) -> None:
        """Show the field and its label, or hide both."""
        self.setVisible(on)
        self.label.setVisible(on)

    def _tell(self) -> None:
        # What was wrong with the old value says nothing about the new one.
        self.mark("")
        self.changed.emit()


def add_fields(
    form: QFormLayout, rows: Iterable[FieldSpec | QWidget]
) -> dict[str, Field]:
    """Add fields to a form, and other widgets that take the whole width.

    Parameters
    ----------
    form : QFormLayout
        The form.
    rows : iterable of FieldSpec or QWidget
        What to add, from the top down.

    Returns
    -------
    dict of str to Field
        The fields by their names.
    """
    fields: dict[str, Field] = {}
    for row in rows:
        if not isinstance(row, FieldSpec):
            form.addRow(row)
            continue
        field = fields[row.name] = Field(row)
        if row.is_wide:
            if row.label:
                form.addRow(field.label)
            form.addRow(field)
        else:
            form.addRow(field.label, field)
    return fields


# Qt's and superqt's editors of numbers have a method `value`, no attribute.
_WITH_VALUE = (QSpinBox, QLabeledDoubleSlider)


def _changed_signal(editor: QWidget) -> Any:
    if isinstance(editor, QCheckBox):
        return editor.toggled
    if isinstance(editor, _WITH_VALUE):
        return editor.valueChanged
    return editor.textChanged if isinstance(editor, QLineEdit) else editor.changed


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
