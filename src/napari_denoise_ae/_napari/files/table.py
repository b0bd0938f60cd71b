"""Table of the files to denoise and their states."""

from __future__ import annotations

from html import escape
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
    """A table with the name and the state of each file."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self._states: dict[Path, QTableWidgetItem] = {}
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
        """The files, from top to bottom."""
        return tuple(self._states)

    def state(self, file: Path) -> str:
        """Return the state shown for a file."""
        return str(self._states[file].text())

    def add(self, files: Iterable[Path]) -> None:
        """Add files to the end, each once."""
        new = [file for file in dict.fromkeys(files) if file not in self._states]
        first = self.rowCount()
        self.setRowCount(first + len(new))
        for row, file in enumerate(new, start=first):
            name, state = QTableWidgetItem(file.name), QTableWidgetItem(WAITING)
            name.setData(_PATH, file)
            name.setToolTip(str(file))
            self.setItem(row, _FILE, name)
            self.setItem(row, _STATE, state)
            self._states[file] = state

    def remove_selected(self) -> None:
        """Remove the selected rows, or all rows if none is selected."""
        selected = {index.row() for index in self.selectedIndexes()}
        for row in sorted(selected or range(self.rowCount()), reverse=True):
            del self._states[self.item(row, _FILE).data(_PATH)]
            self.removeRow(row)

    def show_state(self, file: Path, state: str, reason: str = "") -> None:
        """Show the state of a file, with the reason as tooltip."""
        item = self._states[file]
        item.setText(state)
        lines = escape(reason).replace("\n", "<br>")
        item.setToolTip(f"<qt>{lines}</qt>" if reason else "")

    def reset_states(self) -> None:
        """Show all files as waiting."""
        for file in self._states:
            self.show_state(file, WAITING)

    def scroll_to(self, file: Path) -> None:
        """Scroll to a file."""
        self.scrollToItem(self._states[file])
