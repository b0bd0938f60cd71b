"""What to train: one frozen object that checks itself."""

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
    """A training run that a user asks for.

    Parameters
    ----------
    data : path or ImageSet
        Folder of CIFAR-10, which is downloaded if it is not there; or clean
        images in memory.
    output : path
        The checkpoint to write.
    preset : str, optional
        A key of `PRESETS`. None means ``"conv"``, or on `resume` the preset of
        the run.
    settings : mapping
        Fields of `TrainingConfig` that differ from the preset, or on `resume`
        from the run.
    device : str
        See `choose_device`.
    resume, overwrite : bool
        See `RunFiles.require_usable`.

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

    def __post_init__(self) -> None:
        # Making the config checks the preset and the settings.
        _ = self.config

    @property
    def config(self) -> TrainingConfig:
        """The settings of a new run."""
        return preset_config(self.preset or "conv", **self.settings)

    @property
    def changes(self) -> dict[str, Any]:
        """The settings that may differ from those of a run to resume."""
        given = {} if self.preset is None else {"preset": self.preset}
        return given | dict(self.settings)

    @property
    def files(self) -> RunFiles:
        """Where the files of the run lie."""
        return RunFiles(Path(self.output))
