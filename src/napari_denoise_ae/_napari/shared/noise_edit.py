"""Editor for a noise string, with fields for its components."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from ...errors import InvalidInputError
from ...noise.compound import Composed, Mixture
from ...noise.spec import parse_noise
from ...noise.synthetic import noise_models
from .editors import Editor
from .layout import ERROR_COLOR, breakable
from .noise_part import NoisePart, capitalize, default_noise, wrapped_label

if TYPE_CHECKING:
    from ...noise.base import NoiseModel


class NoiseChooser(Editor):
    """Choose noise models by name and fill in their amounts, or type the noise.

    The text is the value. The fields write it and follow it while it is valid. A
    label below explains it, or says what is wrong with it.

    Parameters
    ----------
    noise : str
        The initial noise string.

    Attributes
    ----------
    changed : Signal
        Emitted with the text after it has changed.
    line : QLineEdit
        The text.
    """

    changed = Signal(str)
    shows_errors = True

    def __init__(self, noise: str) -> None:
        super().__init__()
        self.parts: list[NoisePart] = []
        self._is_writing = False
        self._text = ""
        self.line = QLineEdit()
        self.line.setToolTip(
            "<qt>The noise as text, as on the command line. A plus sign joins several "
            "noise models.</qt>"
        )
        self.add_button = QPushButton("+ Add")
        self.add_button.setToolTip("<qt>Add another noise model.</qt>")
        self.add_button.clicked.connect(self._add_part)
        self._explanation = wrapped_label()
        self._rows = QVBoxLayout()
        text = QHBoxLayout()
        text.addWidget(self.line, 1)
        text.addWidget(self.add_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._rows)
        layout.addLayout(text)
        layout.addWidget(self._explanation)
        self.line.textChanged.connect(self._on_text_changed)
        self.line.setText(noise)

    @property
    def value(self) -> str:
        """The noise string, which may be invalid."""
        return str(self.line.text()).strip()

    @value.setter
    def value(self, noise: str) -> None:
        self.line.setText(noise)
        # The beginning of a long text says the most.
        self.line.setCursorPosition(0)

    @property
    def explanation(self) -> str:
        """The explanation or the error shown below the text."""
        return self._text

    def _on_text_changed(self, text: str) -> None:
        """Explain the text, and update the fields unless they have written it."""
        try:
            model = parse_noise(text.strip())
        except InvalidInputError as error:
            self._explain(str(error), is_error=True)
            # Fields that do not match the text are disabled. Those that wrote it
            # stay enabled, so that the mistake can be corrected there.
            self._set_fields_enabled(self._is_writing)
        else:
            # A mixture can only be written as text.
            is_mixture = isinstance(model, Mixture)
            if not self._is_writing and not is_mixture:
                self._show_parts(
                    model.parts if isinstance(model, Composed) else (model,)
                )
            for part in self.parts:
                part.setVisible(not is_mixture)
            self._explain(f"{capitalize(model.description)}.", is_error=False)
            self._set_fields_enabled(not is_mixture)
        self.changed.emit(self.value)

    def _set_fields_enabled(self, on: bool) -> None:
        for widget in (*self.parts, self.add_button):
            widget.setEnabled(on)

    def _show_parts(self, models: tuple[NoiseModel, ...]) -> None:
        while len(self.parts) > len(models):
            self._delete(self.parts[-1])
        for part, model in zip(self.parts, models, strict=False):
            part.show_model(model)
        for model in models[len(self.parts) :]:
            self._append(model)
        self._update_remove_buttons()

    def _append(self, model: NoiseModel) -> None:
        part = NoisePart(model)
        part.changed.connect(self._write_text)
        part.removed.connect(lambda: self._remove(part))
        self.parts.append(part)
        self._rows.addWidget(part)

    def _delete(self, part: NoisePart) -> None:
        self.parts.remove(part)
        self._rows.removeWidget(part)
        part.hide()
        part.deleteLater()

    def _update_remove_buttons(self) -> None:
        # The last component cannot be removed.
        for part in self.parts:
            part.remove_button.setVisible(len(self.parts) > 1)

    def _add_part(self) -> None:
        used = {part.model_name for part in self.parts}
        names = list(noise_models())
        unused = [name for name in names if name not in used]
        self._append(default_noise([*unused, *names][0]))
        self._update_remove_buttons()
        self._write_text()

    def _remove(self, part: NoisePart) -> None:
        self._delete(part)
        self._update_remove_buttons()
        self._write_text()

    def _write_text(self) -> None:
        """Write the text from the fields, without updating the fields in turn."""
        self._is_writing = True
        self.line.setText("+".join(part.text for part in self.parts))
        self._is_writing = False

    def _explain(self, text: str, *, is_error: bool) -> None:
        self._text = text
        self._explanation.setText(breakable(text))
        self._explanation.setStyleSheet(f"color: {ERROR_COLOR}" if is_error else "")
        self.line.setStyleSheet(f"border: 1px solid {ERROR_COLOR};" if is_error else "")
