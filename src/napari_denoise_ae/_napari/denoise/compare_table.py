"""The table of the models that were compared."""

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
    "Peak signal-to-noise ratio against the clean image, in dB. Higher is better.",
    "Structural similarity to the clean image, at most 1. Higher is better.",
    "Numbers that were trained: the size of the network.",
    "What denoising the layer took, without loading the model.",
)
_WITH_CLEAN_IMAGE = (1, 2)
_WEIGHTS = 3
# Below it the figures leave no room for the names.
_MINIMUM_WIDTH = 270  # pixels
_AS_COPIED = Qt.ItemDataRole.UserRole


class CompareTable(QTableWidget):  # type: ignore[misc]
    """A row for each model that is done; its text can be copied.

    PSNR and SSIM are there only with a clean image to compare with.

    Attributes
    ----------
    note : Note
        What the figures refer to; to be laid out under the table.
    """

    def __init__(self) -> None:
        super().__init__(0, len(_HEADER))
        self._has_figures = False
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
        """Add what a model has given.

        Parameters
        ----------
        title : str
            The model.
        result : Denoised
            What it has given.
        layer : str
            The name of the layer.
        """
        mean = result.mean
        figures = ("", "")
        if mean is not None:
            if not self._has_figures:
                noisy = (mean.psnr_noisy, mean.ssim_noisy)
                self._add("noisy", *_figures(*noisy), "", "")
            figures = _figures(mean.psnr_denoised, mean.ssim_denoised)
            planes = f", means of {mean.n_planes} planes" if mean.n_planes > 1 else ""
            self.note.setText(f"{layer}: data range {mean.data_range}{planes}")
        else:
            self.note.setText(f"{layer}: no clean image to compare with, so no PSNR")
        self._has_figures = mean is not None
        for column in _WITH_CLEAN_IMAGE:
            self.setColumnHidden(column, mean is None)
        weights, seconds = result.n_parameters, f"{result.seconds:.2f} s"
        self._add(title, *figures, f"{weights:,}", seconds)
        self.item(self.rowCount() - 1, _WEIGHTS).setText(_short(weights))

    def add_failure(self, title: str) -> None:
        """Add a model that has given nothing."""
        self._add(title, "", "", "", "failed")

    def clear_result(self) -> None:
        """Show nothing."""
        self._has_figures = False
        self.setRowCount(0)
        self.setVisible(False)
        self.note.setText("")

    def text(self) -> str:
        """Return the table as text, columns separated by tabs."""
        rows = [
            [self.item(row, column).data(_AS_COPIED) for column in range(len(_HEADER))]
            for row in range(self.rowCount())
        ]
        lines = ["\t".join(cells) for cells in (_HEADER, *rows)]
        return "\n".join([*lines, self.note.text()])

    def copy(self) -> None:
        """Put the text on the clipboard."""
        QApplication.clipboard().setText(self.text())

    def _add(self, *cells: str) -> None:
        row = self.rowCount()
        self.setRowCount(row + 1)
        for column, text in enumerate(cells):
            item = QTableWidgetItem(breakable(text))
            item.setData(_AS_COPIED, text)
            item.setToolTip(text)
            if column:
                right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                item.setTextAlignment(right)
            self.setItem(row, column, item)
        self.setVisible(True)
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap long names anew."""
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        self.resizeRowsToContents()
        height = self.horizontalHeader().sizeHint().height() + 4
        height += sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(height)


def _short(number: int) -> str:
    for unit, name in ((10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    return str(number)


def _figures(psnr: float, ssim: float) -> tuple[str, str]:
    return _number(psnr, ".2f"), _number(ssim, ".3f")


def _number(value: float, spec: str) -> str:
    return "n/a" if math.isnan(value) else format(value, spec)
