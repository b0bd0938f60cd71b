"""A noise string, and fields that write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...errors import InvalidInputError
from ...noise.synthetic import (
    NOISE_MODELS,
    Composed,
    amount_fields,
    flag_fields,
    parse_noise,
)
from .docstrings import parameter_texts

if TYPE_CHECKING:
    from dataclasses import Field
    from typing import Any

    from ...noise.synthetic import NoiseModel

#: The colour of what is wrong; legible on napari's dark and light themes.
WRONG = "#e05252"
# What an amount begins with, by its name, where a noise is newly chosen.
_FIRST_AMOUNTS = {"photons": 50.0, "gain": 0.01, "read_noise": 0.02, "amount": 0.05}
_FIRST_AMOUNT = 0.1


class NoiseChooser(QWidget):  # type: ignore[misc]
    """Choose noise models by name, and fill in their amounts.

    The text is what counts: fields write it, and follow it as long as it can be
    read. Below it stands what it means, or what is wrong with it.

    Parameters
    ----------
    noise : str
        The noise to begin with.

    Attributes
    ----------
    changed : Signal
        Emitted with the text after it has changed.
    line : QLineEdit
        The text.
    """

    changed = Signal(str)

    def __init__(self, noise: str) -> None:
        super().__init__()
        self.parts: list[_Part] = []
        self._is_writing = False
        self.line = QLineEdit()
        self.line.setToolTip(
            "<qt>The noise as text, as on the command line; several are joined by a "
            "plus sign. Any noise can be typed here.</qt>"
        )
        self.add_button = QPushButton("+ Add")
        self.add_button.setToolTip("<qt>Put another noise on top.</qt>")
        self.add_button.clicked.connect(self._add_part)
        self._said = _wrapped()
        self._rows = QVBoxLayout()
        text = QHBoxLayout()
        text.addWidget(self.line, 1)
        text.addWidget(self.add_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._rows)
        layout.addLayout(text)
        layout.addWidget(self._said)
        self.line.textChanged.connect(self._take)
        self.line.setText(noise)

    @property
    def value(self) -> str:
        """The noise as text, which may be wrong."""
        return self.text()

    @value.setter
    def value(self, noise: str) -> None:
        self.setText(noise)

    def text(self) -> str:
        """Return the noise as text."""
        return str(self.line.text()).strip()

    def setText(self, noise: str) -> None:
        """Fill in a noise."""
        self.line.setText(noise)

    @property
    def said(self) -> str:
        """What stands below the text."""
        return str(self._said.text())

    def _take(self, text: str) -> None:
        """Follow the text, whoever has changed it."""
        try:
            model = parse_noise(text.strip())
        except InvalidInputError as error:
            self._say(str(error), wrong=True)
            # What they show is not what the text says, unless they wrote it.
            self._enable(self._is_writing)
        else:
            if not self._is_writing:
                self._show(model.parts if isinstance(model, Composed) else (model,))
            self._say(f"{_capital(model.description)}.", wrong=False)
            self._enable(True)
        self.changed.emit(self.text())

    def _enable(self, on: bool) -> None:
        for widget in (*self.parts, self.add_button):
            widget.setEnabled(on)

    def _show(self, models: tuple[NoiseModel, ...]) -> None:
        while len(self.parts) > len(models):
            self._drop(self.parts[-1])
        for part, model in zip(self.parts, models, strict=False):
            part.show_model(model)
        for model in models[len(self.parts) :]:
            self._append(model)
        self._offer_to_remove()

    def _append(self, model: NoiseModel) -> None:
        part = _Part(model)
        part.changed.connect(self._write)
        part.removed.connect(lambda: self._remove(part))
        self.parts.append(part)
        self._rows.addWidget(part)

    def _drop(self, part: _Part) -> None:
        self.parts.remove(part)
        self._rows.removeWidget(part)
        part.hide()
        part.deleteLater()

    def _offer_to_remove(self) -> None:
        # One noise there must be.
        for part in self.parts:
            part.remove_button.setVisible(len(self.parts) > 1)

    def _add_part(self) -> None:
        # What is not there yet, if there is such a noise.
        there = {part.model_name for part in self.parts}
        others = [name for name in NOISE_MODELS if name not in there]
        self._append(_first_noise([*others, *NOISE_MODELS][0]))
        self._offer_to_remove()
        self._write()

    def _remove(self, part: _Part) -> None:
        self._drop(part)
        self._offer_to_remove()
        self._write()

    def _write(self) -> None:
        """Write what the fields say; the fields stay as they are."""
        self._is_writing = True
        self.line.setText("+".join(part.text for part in self.parts))
        self._is_writing = False

    def _say(self, text: str, *, wrong: bool) -> None:
        self._said.setText(text)
        self._said.setStyleSheet(f"color: {WRONG}" if wrong else "")
        self.line.setStyleSheet(f"border: 1px solid {WRONG};" if wrong else "")


class _Part(QFrame):  # type: ignore[misc]
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
            self.kind.addItem(_capital(kind.title), name)
        self.kind.setToolTip("<qt>Where the noise comes from.</qt>")
        self.remove_button = QToolButton()
        self.remove_button.setText("✕")
        self.remove_button.setToolTip("<qt>Take this noise away.</qt>")
        self.remove_button.clicked.connect(self.removed)
        self.explanation = _wrapped()
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
        amounts = [amount.text for amount in self.amounts]
        flags = [word for word, box in self.flags.items() if box.isChecked()]
        return f"{self.model_name}:{','.join(amounts + flags)}"

    def show_model(self, model: NoiseModel) -> None:
        """Show a noise, without a word to others."""
        if self.text != str(model):
            self._fill(model)

    def _take_kind(self) -> None:
        self._fill(_first_noise(self.model_name))
        self.changed.emit()

    def _fill(self, model: NoiseModel) -> None:
        was_blocked = self.kind.blockSignals(True)
        self.kind.setCurrentIndex(self.kind.findData(model.name))
        self.kind.blockSignals(was_blocked)
        self.explanation.setText(model.explanation)
        fields = QWidget()
        texts = parameter_texts(type(model))
        form = QFormLayout(fields)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(2)
        self.amounts = [
            self._amount(form, field, word, texts.get(field.name, ""))
            for field, word in zip(amount_fields(model), _words(model), strict=False)
        ]
        self.flags = {
            field.metadata["word"]: self._flag(
                form, field, getattr(model, field.name), texts.get(field.name, "")
            )
            for field in flag_fields(model)
        }
        self._column.replaceWidget(self._fields, fields)
        self._fields.hide()
        self._fields.deleteLater()
        self._fields = fields

    def _amount(
        self, form: QFormLayout, field: Field[Any], word: str, text: str
    ) -> _Amount:
        tooltip = f"{text} Unit: {field.metadata['unit']}."
        amount = _Amount(word, tooltip)
        amount.changed.connect(self.changed)
        label = QLabel(field.name.replace("_", " "))
        label.setToolTip(f"<qt>{tooltip}</qt>")
        form.addRow(label, amount)
        return amount

    def _flag(
        self, form: QFormLayout, field: Field[Any], value: bool, text: str
    ) -> QCheckBox:
        box = QCheckBox(field.metadata["word"].replace("_", " "))
        box.setToolTip(f"<qt>{field.name.replace('_', ' ')}: {text}</qt>")
        box.setChecked(value != field.default)
        box.toggled.connect(self.changed)
        form.addRow("", box)
        return box


class _Amount(QWidget):  # type: ignore[misc]
    """A number, or the lowest and the highest of those drawn for each image."""

    changed = Signal()

    def __init__(self, word: str, tooltip: str) -> None:
        super().__init__()
        low, _, high = word.partition("..")
        self.low, self.high = QLineEdit(low), QLineEdit(high)
        self.low.setToolTip(f"<qt>{tooltip}</qt>")
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
    def text(self) -> str:
        """The amount as it is written in a noise string."""
        low, high = str(self.low.text()).strip(), str(self.high.text()).strip()
        return f"{low}..{high}" if high else low


def _first_noise(name: str) -> NoiseModel:
    """Return a noise of a model that was newly chosen."""
    model = NOISE_MODELS[name]
    amounts = [
        min(_FIRST_AMOUNTS.get(f.name, _FIRST_AMOUNT), f.metadata["highest"])
        for f in amount_fields(model)
    ]
    return parse_noise(f"{name}:{','.join(map(str, amounts))}")


def _words(model: NoiseModel) -> list[str]:
    """Return the amounts and flags of a noise as they are written."""
    return str(model).partition(":")[2].split(",")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _wrapped() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
