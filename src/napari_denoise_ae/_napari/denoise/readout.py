"""Table of PSNR, SSIM and noise below the Denoise form."""

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

from ..shared.layout import OneLine

if TYPE_CHECKING:
    from ...evaluation.comparison import Comparison
    from .job import Plane
    from .result import Denoised

    Rows = list[tuple[str, str, str, str]]


class Readout(QTableWidget):  # type: ignore[misc]
    """Scores of the last result, which can be copied as text.

    Attributes
    ----------
    result : Denoised or None
        The last result.
    note : OneLine
        The image and data range of the scores, to be placed below the table.
    """

    def __init__(self) -> None:
        super().__init__(0, 4)
        self.result: Denoised | None = None
        self._part: tuple[slice, ...] | None = None
        self.setHorizontalHeaderLabels([""] * 4)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.horizontalHeader().setMinimumSectionSize(40)
        self.setMinimumWidth(0)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVisible(False)
        self.note = OneLine()

    def show_result(
        self,
        result: Denoised,
        title: str,
        plane: Plane,
        part: tuple[slice, ...] | None = None,
    ) -> None:
        """Show the noise before and after, and given a clean image, PSNR and SSIM.

        Parameters
        ----------
        result : Denoised
            The result.
        title : str
            Name of the source layer.
        plane : tuple of int
            Index of the displayed plane in the source.
        part : tuple of slice, optional
            The denoised part of the source; None for all of it.
        """
        self.result, self._part = result, part
        if (mean := result.mean) is None:
            self._fill(("", "before", "after", ""), _noise_rows(result))
            self.note.setText(f"{title}: no PSNR without a clean image")
            self.note.explain("Or the clean image is constant.")
        else:
            self.note.setText(f"{title}: data range {mean.data_range}")
            self.note.explain("")
            self.show_plane(plane)

    def show_plane(self, plane: Plane) -> None:
        """Show the scores of another plane of the source, and the means."""
        if self.result is None or (mean := self.result.mean) is None:
            return
        scores = self.result.scores[self._index_of(plane)]
        rows = _comparison_rows(scores, "")
        if mean.n_planes > 1:
            rows = _comparison_rows(scores, "this plane")
            rows += _comparison_rows(mean, f"{mean.n_planes} planes")
        rows += _noise_rows(self.result)
        self._fill(("", "noisy", "denoised", "gain"), rows)

    def _index_of(self, plane: Plane) -> Plane:
        """Return the index in the result of a plane in the source."""
        if self._part is None:
            return plane
        return tuple(
            min(max(index - cut.start, 0), cut.stop - cut.start - 1)
            for index, cut in zip(plane, self._part, strict=False)
        )

    def clear_result(self) -> None:
        """Clear the table."""
        self.result = None
        self.setRowCount(0)
        self.setVisible(False)
        self.note.setText("")

    def text(self) -> str:
        """Return the table as text, columns separated by tabs."""
        header = [self.horizontalHeaderItem(c).text() for c in range(4)]
        rows = [
            [self.item(row, column).text() for column in range(4)]
            for row in range(self.rowCount())
        ]
        return "\n".join(
            [*("\t".join(cells) for cells in [header, *rows]), self.note.text()]
        )

    def copy(self) -> None:
        """Copy the table as text to the clipboard."""
        QApplication.clipboard().setText(self.text())

    def _fill(self, header: tuple[str, str, str, str], rows: Rows) -> None:
        self.setHorizontalHeaderLabels(header)
        # In a narrow dock, the other columns need the space of an empty one.
        self.setColumnHidden(3, not header[3])
        self.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                self.setItem(row, column, QTableWidgetItem(cell))
        height = self.horizontalHeader().sizeHint().height() + 4
        height += sum(self.rowHeight(row) for row in range(len(rows)))
        self.setFixedHeight(height)
        self.setVisible(True)


def _comparison_rows(comparison: Comparison, scope: str) -> Rows:
    suffix = f", {scope}" if scope else ""
    return [
        (
            f"PSNR / dB{suffix}",
            _number(comparison.psnr_noisy, ".2f"),
            _number(comparison.psnr_denoised, ".2f"),
            _number(comparison.psnr_gain, "+.2f"),
        ),
        (
            f"SSIM{suffix}",
            _number(comparison.ssim_noisy, ".3f"),
            _number(comparison.ssim_denoised, ".3f"),
            _number(comparison.ssim_gain, "+.3f"),
        ),
    ]


def _noise_rows(result: Denoised) -> Rows:
    before, after = result.noise_before, result.noise_after
    return [("noise (sigma)", _number(before, ".4g"), _number(after, ".4g"), "")]


def _number(value: float, spec: str) -> str:
    return "n/a" if math.isnan(value) else format(value, spec)
