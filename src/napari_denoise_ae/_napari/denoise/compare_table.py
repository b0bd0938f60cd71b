"""Table of compared models."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

from ..shared.layout import Note, breakable

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

    from .result import Denoised

_HEADER = ("model", "PSNR", "SSIM", "weights", "time")
_TOOLTIPS = (
    "",
    "Peak signal-to-noise ratio against the clean image, in dB. The highest is bold.",
    "Structural similarity to the clean image, at most 1. The highest is bold.",
    "Number of trained parameters: the size of the network. The lowest is bold.",
    "Time to denoise the layer, without loading the model. The lowest is bold.",
)
_WITH_CLEAN_IMAGE = (1, 2)
_PARAMETERS = 3
# Narrower tables leave no space for the names.
_MINIMUM_WIDTH = 270  # pixels
_FULL_TEXT = Qt.ItemDataRole.UserRole


class CompareTable(QTableWidget):  # type: ignore[misc]
    """A table with a row for each finished model, which can be copied as text.

    It shows PSNR and SSIM only if there is a clean image.

    Attributes
    ----------
    note : Note
        The image and data range of the scores, to be placed below the table.
    """

    def __init__(self) -> None:
        super().__init__(0, len(_HEADER))
        self._has_scores = False
        self.setHorizontalHeaderLabels(_HEADER)
        for column, text in enumerate(_TOOLTIPS):
            self.horizontalHeaderItem(column).setToolTip(
                f"<qt>{text}</qt>" if text else ""
            )
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setMinimumSectionSize(30)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(_MINIMUM_WIDTH)
        self.note = Note()
        self.clear_result()

    def add_result(self, title: str, result: Denoised, layer: str) -> None:
        """Add the result of a model.

        Parameters
        ----------
        title : str
            Title of the model.
        result : Denoised
            Result of the model.
        layer : str
            Name of the denoised layer.
        """
        mean = result.mean
        scores = ("", "")
        if mean is not None:
            if not self._has_scores:
                noisy = (mean.psnr_noisy, mean.ssim_noisy)
                self._add("noisy", *_score_texts(*noisy), "", "")
            scores = _score_texts(mean.psnr_denoised, mean.ssim_denoised)
            planes = f", means of {mean.n_planes} planes" if mean.n_planes > 1 else ""
            self.note.setText(f"{layer}: data range {mean.data_range}{planes}")
        else:
            self.note.setText(f"{layer}: no PSNR without a clean image")
        self._has_scores = mean is not None
        for column in _WITH_CLEAN_IMAGE:
            self.setColumnHidden(column, mean is None)
        n_parameters, seconds = result.n_parameters, f"{result.seconds:.2f} s"
        # Classical methods have no weights.
        weights = f"{n_parameters:,}" if n_parameters else ""
        self._add(title, *scores, weights, seconds)
        short = _abbreviate(n_parameters) if n_parameters else ""
        self.item(self.rowCount() - 1, _PARAMETERS).setText(short)
        for column in range(1, len(_HEADER)):
            self._mark_best(column)

    def add_failure(self, title: str) -> None:
        """Add a model that failed."""
        self._add(title, "", "", "", "failed")

    def clear_result(self) -> None:
        """Clear the table."""
        self._has_scores = False
        self.setRowCount(0)
        self.setVisible(False)
        self.note.setText("")

    def text(self) -> str:
        """Return the table as text, columns separated by tabs."""
        rows = [
            [self.item(row, column).data(_FULL_TEXT) for column in range(len(_HEADER))]
            for row in range(self.rowCount())
        ]
        lines = ["\t".join(cells) for cells in (_HEADER, *rows)]
        return "\n".join([*lines, self.note.text()])

    def copy(self) -> None:
        """Copy the table as text to the clipboard."""
        QApplication.clipboard().setText(self.text())

    def _mark_best(self, column: int) -> None:
        """Set the best figure of a column in bold."""
        items = [self.item(row, column) for row in range(self.rowCount())]
        # Fewer weights and less time are better.
        sign = 1 if column in _WITH_CLEAN_IMAGE else -1
        values = [_as_number(item.data(_FULL_TEXT), sign) for item in items]
        for item, value in zip(items, values, strict=True):
            font = item.font()
            font.setBold(value == max(values) > -math.inf)
            item.setFont(font)

    def _add(self, *cells: str) -> None:
        row = self.rowCount()
        self.setRowCount(row + 1)
        for column, text in enumerate(cells):
            item = QTableWidgetItem(breakable(text))
            item.setData(_FULL_TEXT, text)
            item.setToolTip(text)
            if column:
                right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                item.setTextAlignment(right)
            self.setItem(row, column, item)
        self.setVisible(True)
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Adapt the rows to the wrapped names."""
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        self.resizeRowsToContents()
        height = self.horizontalHeader().sizeHint().height() + 4
        height += sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(height)


def _abbreviate(number: int) -> str:
    for unit, name in ((10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    return str(number)


def _as_number(text: str, sign: int) -> float:
    """Return a number that is higher if a cell is better; -inf for no number."""
    try:
        return sign * float(text.replace(",", "").removesuffix(" s"))
    except ValueError:
        return -math.inf


def _score_texts(psnr: float, ssim: float) -> tuple[str, str]:
    return _number(psnr, ".2f"), _number(ssim, ".3f")


def _number(value: float, spec: str) -> str:
    return "n/a" if math.isnan(value) else format(value, spec)
