"""The files that wait to be denoised, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WAITING = "waiting"

_FILE, _STATE = range(2)
_PATH = Qt.ItemDataRole.UserRole
_MINIMUM_HEIGHT = 140  # pixels


class FilesTable(QTableWidget):  # type: ignore[misc]
    """A row for each file: its name, and what becomes of it."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setHorizontalHeaderLabels(["file", "state"])
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(_FILE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.ResizeToContents)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(_MINIMUM_HEIGHT)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, from the top down."""
        return tuple(self.item(row, _FILE).data(_PATH) for row in self._rows())

    def state(self, file: Path) -> str:
        """Return what is said of a file."""
        return str(self.item(self.files.index(file), _STATE).text())

    def add(self, files: Iterable[Path]) -> None:
        """Add files to the end, each once."""
        for file in files:
            if file in self.files:
                continue
            row = self.rowCount()
            self.setRowCount(row + 1)
            item = QTableWidgetItem(file.name)
            item.setData(_PATH, file)
            item.setToolTip(str(file))
            self.setItem(row, _FILE, item)
            self.setItem(row, _STATE, QTableWidgetItem(WAITING))

    def remove_selected(self) -> None:
        """Remove the rows that are selected; all, if none is."""
        selected = {index.row() for index in self.selectedIndexes()}
        for row in sorted(selected or self._rows(), reverse=True):
            self.removeRow(row)

    def show_state(self, file: Path, state: str, reason: str = "") -> None:
        """Say what becomes of a file, and where the mouse rests on it why."""
        item = self.item(self.files.index(file), _STATE)
        item.setText(state)
        item.setToolTip(f"<qt>{reason}</qt>" if reason else "")
        self.scrollToItem(item)

    def all_wait(self) -> None:
        """Say of all files that they wait."""
        for file in self.files:
            self.show_state(file, WAITING)

    def _rows(self) -> range:
        return range(self.rowCount())
