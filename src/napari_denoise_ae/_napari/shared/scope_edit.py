"""Editor for the part of a layer to denoise."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from .editors import Choice, Editor

EVERYTHING, SLICE, VISIBLE, RANGE, RECTANGLE = SCOPES = (
    "everything",
    "current slice",
    "visible region",
    "range of the first axis",
    "drawn rectangle",
)


class ScopeEdit(Editor):
    """Choose the part to denoise; for a range, its first and last index."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = Choice(SCOPES)
        self.first, self.last = QSpinBox(), QSpinBox()
        self.first.setToolTip("<qt>First index of the range, from 0. Default: 0.</qt>")
        self.last.setToolTip(
            "<qt>Last index of the range, which is denoised, too. Default: the last of "
            "the layer.</qt>"
        )
        self._range = QWidget()
        row = QHBoxLayout(self._range)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (QLabel("from"), self.first, QLabel("to"), self.last):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.choice)
        layout.addWidget(self._range)
        self.choice.currentTextChanged.connect(self._on_chosen)
        self._range.hide()

    @property
    def value(self) -> str:
        """The chosen part, one of `SCOPES`."""
        return str(self.choice.currentText())

    @value.setter
    def value(self, scope: str) -> None:
        self.choice.setCurrentText(scope)

    def set_length(self, length: int) -> None:
        """Set the length of the first axis; 0 if the layer is not a stack."""
        for box in (self.first, self.last):
            box.setRange(0, max(length - 1, 0))
        self.last.setValue(max(length - 1, 0))

    def _on_chosen(self) -> None:
        self._range.setVisible(self.value == RANGE)
        self.changed.emit()
