"""What a preset has changed in the form, and what it has kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ..shared.layout import Note, breakable, make_button
from .settings import setting_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...models.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class PresetChange:
    """What choosing a preset does to the settings.

    Parameters
    ----------
    changed : dict of str to object
        The settings that it changes, and their new values.
    kept : dict of str to object
        The settings that keep the user's values, and those values.
    """

    changed: dict[str, Any]
    kept: dict[str, Any]


def preset_change(
    values: Mapping[str, Any], before: TrainingConfig, after: TrainingConfig
) -> PresetChange:
    """Compare the settings of a form with its old and its new defaults.

    A value that differs from the old default is the user's and is kept.
    """
    kept = {
        name: value
        for name, value in values.items()
        if value != getattr(before, name) and value != getattr(after, name)
    }
    changed = {
        name: getattr(after, name)
        for name, value in values.items()
        if name not in kept and value != getattr(after, name)
    }
    return PresetChange(changed, kept)


class PresetNote(QWidget):  # type: ignore[misc]
    """Names the settings that a preset has changed and kept.

    Attributes
    ----------
    reset : Signal
        Emitted when the user wants the preset's values for the kept settings, too.
    """

    reset = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._note = Note()
        self.reset_button = make_button(
            "Use the preset's", "Replace the kept values by those of the preset."
        )
        self.reset_button.clicked.connect(self.reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._note)
        layout.addWidget(self.reset_button)
        self.show_change(None)

    @property
    def text(self) -> str:
        """The text shown."""
        return str(self._note.text())

    def show_change(self, change: PresetChange | None) -> None:
        """Describe a change; None shows nothing."""
        parts = (
            {} if change is None else {"Changed": change.changed, "Kept": change.kept}
        )
        lines = [f"{title}: {_listed(part)}." for title, part in parts.items() if part]
        self._note.setText(breakable("\n".join(lines)))
        self.reset_button.setVisible(change is not None and bool(change.kept))
        self.setVisible(bool(lines))


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{setting_label(k)} {_text(v)}" for k, v in settings.items())


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
