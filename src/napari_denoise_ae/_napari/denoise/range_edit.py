"""Editor for the intensity range of a lazy layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel, QLineEdit, QVBoxLayout

from ...errors import InvalidInputError
from ..shared.editors import Editor
from ..shared.layout import Note, make_row

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFILLED = "Taken from the contrast limits, because the layer is not read entirely."


class RangeEdit(Editor):
    """Editor for the intensities that the network sees as 0 and 1."""

    shows_errors = True

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high = QLineEdit(), QLineEdit()
        self.note = Note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(make_row(self.low, QLabel("to"), self.high))
        layout.addWidget(self.note)
        for line in (self.low, self.high):
            line.textEdited.connect(self._on_edited)

    @property
    def value(self) -> tuple[float, float]:
        """The lower and the upper intensity.

        Raises
        ------
        InvalidInputError
            If they are not two finite numbers in ascending order.
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
        """Fill in the contrast limits of a layer."""
        for line, limit in zip((self.low, self.high), limits, strict=True):
            line.setText(f"{float(limit):.10g}")
            line.setCursorPosition(0)
        self.note.setText(_PREFILLED)

    def _on_edited(self) -> None:
        self.note.setText("")
        self.changed.emit()
