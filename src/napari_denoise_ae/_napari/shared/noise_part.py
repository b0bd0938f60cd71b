"""Fields for one component of synthetic noise."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

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

from ...noise.base import amount_fields, flag_fields
from ...noise.spec import parse_noise
from ...noise.synthetic import NOISE_MODELS
from .docstrings import parameter_texts
from .editors import Editor, make_check
from .fields import FieldSpec, add_fields
from .layout import make_form

if TYPE_CHECKING:
    from ...noise.base import NoiseModel

# What an amount begins with, by its name, where a noise is newly chosen.
_FIRST_AMOUNTS = {"photons": 50.0, "gain": 0.01, "read_noise": 0.02, "amount": 0.05}
_FIRST_AMOUNT = 0.1


class NoisePart(QFrame):  # type: ignore[misc]
    """One noise model: which, with which amounts and flags.

    Attributes
    ----------
    kind : QComboBox
        Which.
    amounts : list of _Amount
        In the order in which they are written.
    flags : dict
        Boxes by the word that is written.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, model: NoiseModel) -> None:
        super().__init__()
        self.kind = QComboBox()
        for name, kind in NOISE_MODELS.items():
            self.kind.addItem(capitalize(kind.title), name)
        self.kind.setToolTip("<qt>Where the noise comes from.</qt>")
        self.remove_button = QToolButton()
        self.remove_button.setText("✕")
        self.remove_button.setToolTip("<qt>Take this noise away.</qt>")
        self.remove_button.clicked.connect(self.removed)
        self.explanation = wrap()
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
        self.kind.currentIndexChanged.connect(self._take_kind)

    @property
    def model_name(self) -> str:
        """The name of the noise model."""
        return str(self.kind.currentData())

    @property
    def text(self) -> str:
        """What the fields say, as a noise string."""
        amounts = [amount.value for amount in self.amounts]
        flags = [word for word, box in self.flags.items() if box.isChecked()]
        return f"{self.model_name}:{','.join(amounts + flags)}"

    def show_model(self, model: NoiseModel) -> None:
        """Show a noise, without a word to others."""
        if self.text != str(model):
            self._fill(model)

    def _take_kind(self) -> None:
        self._fill(first_noise(self.model_name))
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
        self.flags = {
            f.metadata["word"]: built[f.name].editor for f in flag_fields(model)
        }
        self._column.replaceWidget(self._fields, fields)
        self._fields.hide()
        self._fields.deleteLater()
        self._fields = fields


class _Amount(Editor):
    """A number, or the lowest and the highest of those drawn for each image."""

    def __init__(self, word: str) -> None:
        super().__init__()
        low, _, high = word.partition("..")
        self.low, self.high = QLineEdit(low), QLineEdit(high)
        self.high.setPlaceholderText("fixed")
        self.high.setToolTip(
            "<qt>Empty: the amount is the same for all images. A number: each image "
            "has its own amount, drawn between the first number and this one.</qt>"
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
        """The amount as it is written in a noise string."""
        low, high = str(self.low.text()).strip(), str(self.high.text()).strip()
        return f"{low}..{high}" if high else low


def first_noise(name: str) -> NoiseModel:
    """Return a noise of a model that was newly chosen."""
    model = NOISE_MODELS[name]
    amounts = [
        min(_FIRST_AMOUNTS.get(f.name, _FIRST_AMOUNT), f.metadata["highest"])
        for f in amount_fields(model)
    ]
    return parse_noise(f"{name}:{','.join(map(str, amounts))}")


def _specs(model: NoiseModel) -> list[FieldSpec]:
    texts = parameter_texts(type(model))
    amounts = [
        FieldSpec(
            field.name,
            field.name.replace("_", " "),
            partial(_Amount, word),
            f"{texts.get(field.name, '')} Unit: {field.metadata['unit']}.",
        )
        for field, word in zip(amount_fields(model), _words(model), strict=False)
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
            f"{field.name.replace('_', ' ')}: {texts.get(field.name, '')}",
        )
        for field in flag_fields(model)
    ]
    return amounts + flags


def _words(model: NoiseModel) -> list[str]:
    """Return the amounts and flags of a noise as they are written."""
    return str(model).partition(":")[2].split(",")


def capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def wrap() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
