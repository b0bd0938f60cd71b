"""Editor for the part of a layer to denoise."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

EVERYTHING, SLICE, VISIBLE, RANGE, RECTANGLE = SCOPES = (
    "everything",
    "current slice",
    "visible region",
    "range of the first axis",
    "drawn rectangle",
)


class ScopeEdit(QWidget):  # type: ignore[misc]
    """Choose the part to denoise; for a range, its first and last index."""

    def __init__(self) -> None:
        super().__init__()
        self.choice = QComboBox()
        self.choice.addItems(SCOPES)
        self.first, self.last = QSpinBox(), QSpinBox()
        self._range = QWidget()
        row = QHBoxLayout(self._range)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (QLabel("from"), self.first, QLabel("to"), self.last):
            row.addWidget(widget)
        top = QHBoxLayout()
        top.addWidget(QLabel("scope"))
        top.addWidget(self.choice, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self._range)
        self.setToolTip(
            "<qt>The part to denoise. Its pixels equal those of the fully denoised "
            "layer. drawn rectangle: the selected shape of a Shapes layer, or its last "
            "one. visible region and drawn rectangle apply to all planes of a stack. "
            "Default: everything.</qt>"
        )
        self.choice.currentTextChanged.connect(self._update_visibility)
        self._update_visibility()

    @property
    def value(self) -> str:
        """The chosen part, one of `SCOPES`."""
        return str(self.choice.currentText())

    def set_length(self, length: int) -> None:
        """Set the length of the first axis; 0 if the layer is not a stack."""
        for box in (self.first, self.last):
            box.setRange(0, max(length - 1, 0))
        self.last.setValue(max(length - 1, 0))

    def _update_visibility(self) -> None:
        self._range.setVisible(self.value == RANGE)
