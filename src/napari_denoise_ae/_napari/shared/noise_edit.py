"""A noise string, and fields that write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from ...errors import InvalidInputError
from ...noise.spec import parse_noise
from ...noise.synthetic import NOISE_MODELS, Composed
from .editors import Editor
from .layout import WRONG
from .noise_part import NoisePart, capitalize, first_noise, wrap

if TYPE_CHECKING:
    from ...noise.base import NoiseModel


class NoiseChooser(Editor):
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
    marks_mistakes = True

    def __init__(self, noise: str) -> None:
        super().__init__()
        self.parts: list[NoisePart] = []
        self._is_writing = False
        self.line = QLineEdit()
        self.line.setToolTip(
            "<qt>The noise as text, as on the command line; several are joined by a "
            "plus sign. Any noise can be typed here.</qt>"
        )
        self.add_button = QPushButton("+ Add")
        self.add_button.setToolTip("<qt>Put another noise on top.</qt>")
        self.add_button.clicked.connect(self._add_part)
        self._said = wrap()
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
        return str(self.line.text()).strip()

    @value.setter
    def value(self, noise: str) -> None:
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
            self._say(f"{capitalize(model.description)}.", wrong=False)
            self._enable(True)
        self.changed.emit(self.value)

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
        part = NoisePart(model)
        part.changed.connect(self._write)
        part.removed.connect(lambda: self._remove(part))
        self.parts.append(part)
        self._rows.addWidget(part)

    def _drop(self, part: NoisePart) -> None:
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
        self._append(first_noise([*others, *NOISE_MODELS][0]))
        self._offer_to_remove()
        self._write()

    def _remove(self, part: NoisePart) -> None:
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
