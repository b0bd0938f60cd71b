"""Which part of a layer is denoised."""

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
    """Chooses a part, and of a range its first and last index."""

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
            "<qt>Which part is denoised. Its pixels are those that the whole would "
            "have there. A drawn rectangle is the shape that is selected in a Shapes "
            "layer, or the last one. Visible region and rectangle take all planes of a "
            "stack. Default: everything.</qt>"
        )
        self.choice.currentTextChanged.connect(self._show_fitting)
        self._show_fitting()

    @property
    def value(self) -> str:
        """One of `SCOPES`."""
        return str(self.choice.currentText())

    def set_length(self, length: int) -> None:
        """Say how long the first axis is; 0 if there is no stack."""
        for box in (self.first, self.last):
            box.setRange(0, max(length - 1, 0))
        self.last.setValue(max(length - 1, 0))

    def _show_fitting(self) -> None:
        self._range.setVisible(self.value == RANGE)
