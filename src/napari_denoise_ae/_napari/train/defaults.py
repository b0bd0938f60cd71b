"""The values that the form fills in unless the user has typed others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...models.presets import PRESETS, data_config
from ...training.run_files import default_checkpoint
from ..shared.preferences import preferences
from .source_specs import CIFAR10

if TYPE_CHECKING:
    from ...models.config import TrainingConfig
    from ..shared.fields import Field


def default_config(kind: str, preset: str, start_from: str | None) -> TrainingConfig:
    """Return the settings of a run.

    Parameters
    ----------
    kind : str
        What is trained on, a key of `TITLES`.
    preset : str
        The chosen preset.
    start_from : str or None
        Model whose weights training begins with.
    """
    if kind == CIFAR10:
        return PRESETS[preset]
    # A checkpoint is not read here; the run uses its own settings.
    known = start_from if start_from in PRESETS else "gray"
    return data_config(
        kind,
        preset if start_from is None else known,
        is_trained=start_from is not None,
    )


def default_output(preset: str | None) -> Path:
    """Return the checkpoint to write, in the folder of the last one.

    Parameters
    ----------
    preset : str or None
        The chosen preset; None if the model to start from decides.
    """
    folder = Path(preferences().checkpoint_folder or Path.home())
    return default_checkpoint(preset, folder)


class DefaultOutput:
    """Names the checkpoint after the preset until the user names it.

    Parameters
    ----------
    field : Field
        The field of the output.
    """

    def __init__(self, field: Field) -> None:
        self._field, self._filled_in = field, str(field.value)

    def follow(self, preset: str | None) -> None:
        """Fill in the default of a preset, see `default_output`."""
        if self._field.value == self._filled_in:
            self._filled_in = str(default_output(preset))
            self._field.value = self._filled_in
