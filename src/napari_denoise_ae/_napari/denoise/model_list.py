"""List of the models to compare, with check boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from ...models.builtin import DEFAULT_MODEL, builtin_models, fitting_model
from .baseline_job import baselines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..shared.model_choice import ModelChoice

# Number of models shown without scrolling.
_N_ROWS = 5
_ROW_HEIGHT = 22  # pixels
_MODEL = Qt.ItemDataRole.UserRole


class ModelList(QListWidget):  # type: ignore[misc]
    """A list with a check box for each model.

    Attributes
    ----------
    changed : Signal
        Emitted after a model was checked or unchecked, or the models have changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip(
            "<qt>Models to compare, and at the end classical methods, whose strength "
            "follows the measured noise. BM3D is listed if the package bm3d is "
            "installed. Default: the built-in models.</qt>"
        )
        self.itemChanged.connect(lambda _: self.changed.emit())

    @property
    def chosen(self) -> list[str]:
        """The checked models, in the order of the list."""
        return [
            item.data(_MODEL)
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        ]

    def choose(self, models: Sequence[str]) -> None:
        """Check these models and no others."""
        for item in self._items():
            item.setCheckState(_state(item.data(_MODEL) in models))

    def set_models(self, choice: ModelChoice) -> None:
        """List the current models and check the new ones."""
        checked = {*self.chosen, *self._new_models(choice)}
        self.clear()
        methods = {name: f"{name} (no model)" for name in baselines()}
        for model, title in (choice.titles() | methods).items():
            item = QListWidgetItem(title)
            item.setData(_MODEL, model)
            item.setToolTip(model)
            item.setSizeHint(QSize(0, _ROW_HEIGHT))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(_state(model in checked))
            self.addItem(item)
        self.setFixedHeight(_ROW_HEIGHT * min(self.count(), _N_ROWS) + 8)
        self.changed.emit()

    def _new_models(self, choice: ModelChoice) -> set[str]:
        listed = {item.data(_MODEL) for item in self._items()}
        if listed:
            return set(choice.models) - listed
        initial = {DEFAULT_MODEL, *builtin_models(), choice.chosen}
        # The default model is one of these two.
        return initial - {fitting_model(DEFAULT_MODEL, n_colors) for n_colors in (1, 3)}

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]


def _state(is_checked: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if is_checked else Qt.CheckState.Unchecked
