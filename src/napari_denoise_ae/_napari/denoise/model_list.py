"""The list in which models are checked for a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from ...models.builtin import DEFAULT_MODEL, builtin_models, fitting_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..shared.model_choice import ModelChoice

# Models that the list shows without scrolling.
_N_ROWS = 5
_ROW_HEIGHT = 22  # pixels
_MODEL = Qt.ItemDataRole.UserRole


class ModelList(QListWidget):  # type: ignore[misc]
    """A row with a box for each model.

    Attributes
    ----------
    changed : Signal
        Emitted after a model was checked or unchecked, or the list has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip("<qt>Models to compare. Default: those built in.</qt>")
        self.itemChanged.connect(self._tell)

    @property
    def chosen(self) -> list[str]:
        """The models that are checked, in the order of the list."""
        return [
            item.data(_MODEL)
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        ]

    def choose(self, models: Sequence[str]) -> None:
        """Check these models and no others."""
        for item in self._items():
            item.setCheckState(_state(item.data(_MODEL) in models))

    def offer(self, choice: ModelChoice) -> None:
        """Offer the models that are known now; the ones that are new are checked."""
        checked = {*self.chosen, *self._new_models(choice)}
        self.clear()
        for model, title in choice.titles().items():
            item = QListWidgetItem(title)
            item.setData(_MODEL, model)
            item.setToolTip(model)
            item.setSizeHint(QSize(0, _ROW_HEIGHT))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(_state(model in checked))
            self.addItem(item)
        self.setFixedHeight(_ROW_HEIGHT * min(self.count(), _N_ROWS) + 8)
        self._tell()

    def _new_models(self, choice: ModelChoice) -> set[str]:
        known = {item.data(_MODEL) for item in self._items()}
        if known:
            return set(choice.models) - known
        first = {DEFAULT_MODEL, *builtin_models(), choice.chosen}
        # The default stands for these two.
        return first - {fitting_model(DEFAULT_MODEL, n_colors) for n_colors in (1, 3)}

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _tell(self) -> None:
        self.changed.emit()


def _state(is_checked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if is_checked else Qt.CheckState.Unchecked
