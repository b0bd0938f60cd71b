"""Fields for one component of synthetic noise."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...noise.base import amount_fields, flag_fields, format_amount, option_fields
from ...noise.spec import parse_noise
from ...noise.synthetic import noise_models
from .docstrings import parameter_texts
from .editors import Editor, make_check
from .fields import FieldSpec, add_fields
from .layout import make_form

if TYPE_CHECKING:
    from collections.abc import Iterator
    from dataclasses import Field

    from ...noise.base import NoiseModel

# Initial amounts of a newly chosen noise model, by name.
_DEFAULT_AMOUNTS = {"photons": 50.0, "gain": 0.01, "read_noise": 0.02, "amount": 0.05}
_DEFAULT_AMOUNT = 0.1


class NoisePart(QFrame):  # type: ignore[misc]
    """Fields for one noise model, its amounts and its flags.

    Parameters
    ----------
    model : NoiseModel
        The noise to show first.

    Attributes
    ----------
    kind : QComboBox
        The noise model.
    amounts : list of _AmountEdit
        The amounts, in the order of the noise string.
    options : dict of str to _AmountEdit
        The optional amounts, by name; an empty one is left out.
    flags : dict of str to QCheckBox
        The flags, by their words in the noise string.
    changed : Signal
        Emitted after the user has changed a field.
    removed : Signal
        Emitted when the user removes this component.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, model: NoiseModel) -> None:
        super().__init__()
        self.kind = QComboBox()
        for name, kind in noise_models().items():
            self.kind.addItem(capitalize(kind.title), name)
        self.kind.setToolTip("<qt>The kind of noise.</qt>")
        self.remove_button = QToolButton()
        self.remove_button.setText("✕")
        self.remove_button.setToolTip("<qt>Remove this noise.</qt>")
        self.remove_button.clicked.connect(self.removed)
        self.explanation = wrapped_label()
        self._fields = QWidget()
        top = QHBoxLayout()
        top.addWidget(self.kind, 1)
        top.addWidget(self.remove_button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addLayout(top)
        self._column.addWidget(self.explanation)
        self._column.addWidget(self._fields)
        self._fill(model)
        self.kind.currentIndexChanged.connect(self._on_kind_changed)

    @property
    def model_name(self) -> str:
        """The name of the noise model."""
        return str(self.kind.currentData())

    @property
    def text(self) -> str:
        """The noise string of the fields, which may be invalid."""
        amounts = [amount.value for amount in self.amounts]
        options = [
            f"{k}={edit.value}" for k, edit in self.options.items() if edit.value
        ]
        flags = [word for word, box in self.flags.items() if box.isChecked()]
        return f"{self.model_name}:{','.join(amounts + options + flags)}"

    def show_model(self, model: NoiseModel) -> None:
        """Show a noise without emitting `changed`."""
        if self.text != str(model):
            self._fill(model)

    def _on_kind_changed(self) -> None:
        self._fill(default_noise(self.model_name))
        self.changed.emit()

    def _fill(self, model: NoiseModel) -> None:
        was_blocked = self.kind.blockSignals(True)
        self.kind.setCurrentIndex(self.kind.findData(model.name))
        self.kind.blockSignals(was_blocked)
        self.explanation.setText(model.explanation)
        fields = QWidget()
        form = make_form(fields)
        form.setVerticalSpacing(2)
        built = add_fields(form, _specs(model))
        for field in built.values():
            field.changed.connect(self.changed)
        self.amounts = [built[f.name].editor for f in amount_fields(model)]
        self.options = {f.name: built[f.name].editor for f in option_fields(model)}
        self.flags = {
            f.metadata["word"]: built[f.name].editor for f in flag_fields(model)
        }
        self._column.replaceWidget(self._fields, fields)
        self._fields.hide()
        self._fields.deleteLater()
        self._fields = fields


class _AmountEdit(Editor):
    """A fixed amount, or the limits between which it is drawn for each image."""

    def __init__(self, word: str, default: str = "") -> None:
        super().__init__()
        low, _, high = word.partition("..")
        self.low, self.high = QLineEdit(low), QLineEdit(high)
        self.low.setPlaceholderText(default)
        self.high.setPlaceholderText("fixed")
        self.high.setToolTip(
            "<qt>A number: an amount is drawn for each image, between the first number "
            "and this one. Default: empty, the same amount for all images.</qt>"
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.low, QLabel("to"), self.high):
            row.addWidget(widget)
        for edit in (self.low, self.high):
            edit.setMinimumWidth(40)
            edit.textChanged.connect(self.changed)

    @property
    def value(self) -> str:
        """The amount in the syntax of a noise string."""
        low, high = str(self.low.text()).strip(), str(self.high.text()).strip()
        return f"{low}..{high}" if high else low


def default_noise(name: str) -> NoiseModel:
    """Return a noise model with the amounts it has when newly chosen."""
    model = noise_models()[name]
    amounts = [str(_default_amount(field)) for field in amount_fields(model)]
    return parse_noise(f"{name}:{','.join(amounts)}")


def _default_amount(field: Field[Any]) -> float:
    amount = _DEFAULT_AMOUNTS.get(field.name, _DEFAULT_AMOUNT)
    return float(min(amount, field.metadata["highest"]))


def _specs(model: NoiseModel) -> list[FieldSpec]:
    texts = parameter_texts(type(model))
    amounts = [
        FieldSpec(
            field.name,
            field.name.replace("_", " "),
            partial(_AmountEdit, word, default),
            f"{texts.get(field.name, '')} Unit: {field.metadata['unit']}. "
            f"Default: {default or format_amount(_default_amount(field))}.",
        )
        for field, word, default in _arguments(model)
    ]
    flags = [
        FieldSpec(
            field.name,
            "",
            partial(
                make_check,
                field.metadata["word"].replace("_", " "),
                is_checked=getattr(model, field.name) != field.default,
            ),
            f"{field.name.replace('_', ' ')}: {texts.get(field.name, '')} "
            f"Default: {'yes' if field.default else 'no'}.",
        )
        for field in flag_fields(model)
    ]
    return amounts + flags


def _arguments(model: NoiseModel) -> Iterator[tuple[Field[Any], str, str]]:
    """Yield the amounts, their texts, and the defaults of those that are optional."""
    for field in amount_fields(model):
        yield field, format_amount(getattr(model, field.name)), ""
    for field in option_fields(model):
        given = model.options.get(field.name)
        default: Any = field.default
        text = "" if given is None else format_amount(given)
        yield field, text, format_amount(default)


def capitalize(text: str) -> str:
    """Capitalize the first letter, and keep the case of the others."""
    return text[:1].upper() + text[1:]


def wrapped_label() -> QLabel:
    """Return a label that wraps its text."""
    label = QLabel()
    label.setWordWrap(True)
    return label
