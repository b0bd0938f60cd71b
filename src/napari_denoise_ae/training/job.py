"""The settings of a training run: one frozen, validated object."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..models.presets import DATA_KINDS, data_config, preset_config
from .run_files import RunFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..io.cifar10 import ImageSet
    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingJob:
    """The settings of a training run.

    Exactly one of `data`, `images`, `pairs`, `repeats`, `adapt` and `noise2void` is
    given.

    Parameters
    ----------
    data : path or ImageSet, optional
        Folder that contains CIFAR-10, or clean images of equal size in memory.
    output : path
        Checkpoint to write.
    images, repeats, adapt, noise2void : path, array or list of them, optional
        See `napari_denoise_ae.train`.
    pairs : tuple, optional
        Noisy images and clean images, each like `images`.
    axes : str, optional
        Axes of the user's own images, if they cannot be inferred.
    channel : int, optional
        Index along C to train on. None takes all channels.
    start_from : str, path or Checkpoint, optional
        Model whose weights the run begins with. None means random weights, or, with
        `adapt`, the built-in model that suits the image.
    preset : str, optional
        A key of `PRESETS`. None means ``"conv"`` for CIFAR-10, else the preset of
        `start_from`, or ``"gray"`` or ``"rgb"``; with `resume`, that of the run.
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
        If there is not exactly one source of images, an option does not fit it, or
        the preset or a setting is invalid.
    """

    data: str | Path | ImageSet | None = None
    output: str | Path
    images: Any = None
    pairs: Any = None
    repeats: Any = None
    adapt: Any = None
    noise2void: Any = None
    axes: str | None = None
    channel: int | None = None
    start_from: str | Path | Checkpoint | None = None
    preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    resume: bool = False
    overwrite: bool = False
    download: bool = False

    def __post_init__(self) -> None:
        self._require_fitting_images(self.kind)
        # Building a config validates the preset and the settings.
        _ = self.config_for(self.preset or "conv", self.settings)

    def _require_fitting_images(self, kind: str) -> None:
        is_described = self.axes is not None or self.channel is not None
        if kind == "data" and is_described:
            raise InvalidInputError(
                "axes and channel are for your own images, not for those of data."
            )
        if kind != "data" and self.download:
            raise InvalidInputError(
                f"download is for CIFAR-10, which data names, not for {kind}."
            )

    @property
    def kind(self) -> str:
        """``"data"``, or one of `DATA_KINDS`: which source of images is given."""
        names = ("data", *DATA_KINDS)
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"got {' and '.join(given)}" if given else "none was given"
            raise InvalidInputError(
                f"Training needs exactly one of {', '.join(names)}; {found}."
            )
        return given[0]

    @property
    def changes(self) -> dict[str, Any]:
        """The preset and the settings to apply to a run that is resumed."""
        given = {} if self.preset is None else {"preset": self.preset}
        return given | dict(self.settings)

    @property
    def files(self) -> RunFiles:
        """The paths of the run's files."""
        return RunFiles(Path(self.output))

    def config_for(self, preset: str, settings: Mapping[str, Any]) -> TrainingConfig:
        """Return the config of a new run with a preset and some settings changed."""
        if self.kind == "data":
            return preset_config(preset, **settings)
        is_trained = self.start_from is not None or self.kind == "adapt"
        return data_config(self.kind, preset, is_trained=is_trained, **settings)
