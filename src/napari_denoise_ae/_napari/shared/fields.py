"""Fields of forms, described by `FieldSpec` and built by `add_fields`."""

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
from .layout import ERROR_COLOR, Note, breakable, make_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qtpy.QtWidgets import QFormLayout


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """Description of a form field.

    Parameters
    ----------
    name : str
        Key of the field in the result of `add_fields`.
    label : str
        Label of the editor; empty if the editor shows its own text.
    editor : callable
        Returns a new editor.
    tooltip : str
        Meaning of the value, its unit and its default.
    is_wide : bool
        Whether the editor takes the full width, with the label above it.
    """

    name: str
    label: str
    editor: Callable[[], QWidget]
    tooltip: str
    is_wide: bool = False


class Field(QWidget):  # type: ignore[misc]
    """An editor with space below it for an explanation and an error message.

    Parameters
    ----------
    spec : FieldSpec
        Description of the field.

    Attributes
    ----------
    changed : Signal
        Emitted after the value has changed.
    editor : QWidget
        The editor.
    label : QLabel
        The label, which `add_fields` places beside or above the editor.
    """

    changed = Signal()

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self.editor = spec.editor()
        self.label = QLabel(spec.label)
        self._error = ""
        self._message = Note()
        self._message.setStyleSheet(f"color: {ERROR_COLOR}")
        self._explanation = Note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        self._row = make_row(self.editor)
        layout.addLayout(self._row)
        layout.addWidget(self._explanation)
        layout.addWidget(self._message)
        self.describe(spec.tooltip)
        _changed_signal(self.editor).connect(lambda *_: self._on_changed())

    @property
    def value(self) -> Any:
        """The value of the editor; a number field returns other text unchanged."""
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
        """The error message; empty if the value is valid."""
        return self._error

    @property
    def explanation(self) -> str:
        """The explanation below the editor."""
        return str(self._explanation.text())

    def describe(self, tooltip: str) -> None:
        """Set the tooltip of the field."""
        for widget in (self, self.editor, self.label):
            widget.setToolTip(f"<qt>{tooltip}</qt>")  # Qt wraps only rich text

    def explain(self, text: str) -> None:
        """Show an explanation below the editor; an empty text hides it."""
        self._explanation.setText(text)

    def mark(self, message: str) -> None:
        """Show an error message; an empty text removes it."""
        self._error = message
        if isinstance(self.editor, Editor) and self.editor.shows_errors:
            return
        self._message.setText(breakable(message))
        self.editor.setStyleSheet(
            f"border: 1px solid {ERROR_COLOR};" if message else ""
        )

    def put_beside(self, widget: QWidget) -> None:
        """Place another widget to the right of the editor."""
        self._row.addWidget(widget)
        self._row.setStretch(0, 1)

    def enable(self, on: bool) -> None:
        """Enable or disable the field and its label."""
        self.setEnabled(on)
        self.label.setEnabled(on)

    def show_if(self, on: bool) -> None:
        """Show or hide the field and its label."""
        self.setVisible(on)
        self.label.setVisible(on)

    def _on_changed(self) -> None:
        # The message was about the previous value.
        self.mark("")
        self.changed.emit()


def add_fields(
    form: QFormLayout, rows: Iterable[FieldSpec | QWidget]
) -> dict[str, Field]:
    """Add fields to a form, and other widgets at full width.

    Parameters
    ----------
    form : QFormLayout
        The form.
    rows : iterable of FieldSpec or QWidget
        The rows from top to bottom.

    Returns
    -------
    dict of str to Field
        The fields by name.
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


def align_labels(fields: Iterable[Field]) -> None:
    """Give the labels of several forms one width, so that the editors align."""
    for field in fields:
        field.label.setMinimumWidth(_LABEL_WIDTH)


# Fits the longest label of the forms, "intensity range".
_LABEL_WIDTH = 98
# In these number editors, `value` is a method.
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
