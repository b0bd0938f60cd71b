"""The settings of a training run: one frozen, validated object."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..models.config import preset_config
from .run_files import RunFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..io.cifar10 import ImageSet
    from ..models.config import TrainingConfig


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingJob:
    """The settings of a training run.

    Parameters
    ----------
    data : path or ImageSet
        Folder that contains CIFAR-10, or clean images in memory.
    output : path
        Checkpoint to write.
    preset : str, optional
        A key of `PRESETS`. None means ``"conv"``, or, with `resume`, the preset
        of the run.
    settings : mapping
        Fields of `TrainingConfig` that override the preset, or, with `resume`,
        the settings of the run.
    device : str
        See `choose_device`.
    resume, overwrite : bool
        See `RunFiles.require_usable`.
    download : bool
        Whether to download CIFAR-10 if it is missing.

    Raises
    ------
    InvalidInputError
        If the preset or a setting is invalid.
    """

    data: str | Path | ImageSet
    output: str | Path
    preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    resume: bool = False
    overwrite: bool = False
    download: bool = False

    def __post_init__(self) -> None:
        # Building the config validates the preset and the settings.
        _ = self.config

    @property
    def config(self) -> TrainingConfig:
        """The config of a new run."""
        return preset_config(self.preset or "conv", **self.settings)

    @property
    def changes(self) -> dict[str, Any]:
        """The preset and the settings to apply to a run that is resumed."""
        given = {} if self.preset is None else {"preset": self.preset}
        return given | dict(self.settings)

    @property
    def files(self) -> RunFiles:
        """The paths of the run's files."""
        return RunFiles(Path(self.output))
