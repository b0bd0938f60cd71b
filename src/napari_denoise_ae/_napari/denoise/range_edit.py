"""The intensity range of a lazy layer, which is not read to find it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from ...errors import InvalidInputError
from ..shared.layout import Note, make_row

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFILLED = "Taken from the contrast limits: all of the layer is not read to find it."


class RangeEdit(QWidget):  # type: ignore[misc]
    """Two numbers: what the network sees as 0 and as 1.

    Attributes
    ----------
    changed : Signal
        Emitted after one of them was changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high = QLineEdit(), QLineEdit()
        self.note = Note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("intensity range"))
        layout.addLayout(make_row(self.low, QLabel("to"), self.high))
        layout.addWidget(self.note)
        self.setToolTip(
            "<qt>What the network sees as 0 and as 1, in the layer's units, such as 0 "
            "to 4095 for a 12-bit camera. What lies outside is kept. Default: the "
            "layer's contrast limits.</qt>"
        )
        for line in (self.low, self.high):
            line.textEdited.connect(self._on_edited)

    @property
    def value(self) -> tuple[float, float]:
        """The two numbers.

        Raises
        ------
        InvalidInputError
            If they are not two finite numbers, the lower first.
        """
        texts = self.low.text().strip(), self.high.text().strip()
        try:
            low, high = (float(text) for text in texts)
        except ValueError:
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InvalidInputError(
                "The intensity range must be two finite numbers, the lower first, got "
                f"{texts[0]!r} and {texts[1]!r}."
            )
        return low, high

    def prefill(self, limits: Sequence[float]) -> None:
        """Propose the contrast limits of a layer."""
        for line, limit in zip((self.low, self.high), limits, strict=True):
            line.setText(f"{float(limit):.10g}")
            line.setCursorPosition(0)
        self.note.setText(_PREFILLED)

    def _on_edited(self) -> None:
        self.note.setText("")
        self.changed.emit()
