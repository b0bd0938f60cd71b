"""The paths of a training run's files, and checks that they can be written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import CheckpointError, InvalidInputError, OutputError
from ..io.atomic import require_writable
from ..models.builtin import MODEL_SUFFIX, TORCH_SUFFIX

# Presets whose checkpoints are those of `torch.save` unless another name is given.
_TORCH_PRESETS = ("conv", "residual")


def default_checkpoint(
    preset: str | None, folder: Path = Path(), name: str = "best_denoising_model"
) -> Path:
    """Return the checkpoint that a run writes unless another is named.

    Parameters
    ----------
    preset : str or None
        The preset of the run; None if it depends on the user's own images.
    folder : pathlib.Path
        The folder to write to.
    name : str
        Name of the file without its suffix.

    Returns
    -------
    pathlib.Path
        A ``.pt`` file for ``"conv"`` and ``"residual"``, else a ``.safetensors`` file.
    """
    suffix = TORCH_SUFFIX if preset in _TORCH_PRESETS else MODEL_SUFFIX
    return folder / f"{name}{suffix}"


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The paths of a run's files, which share the folder and name of the checkpoint.

    Parameters
    ----------
    checkpoint : pathlib.Path
        File of the best epoch, ``NAME.pt`` or ``NAME.safetensors``.
    """

    checkpoint: Path

    @property
    def state(self) -> Path:
        """The state to resume from, ``NAME.resume``."""
        return self.checkpoint.with_suffix(".resume")

    @property
    def history(self) -> Path:
        """The losses of each epoch, ``NAME.history.csv``."""
        return self.checkpoint.with_suffix(".history.csv")

    @property
    def curves(self) -> Path:
        """The plot of the losses, ``NAME.curves.png``."""
        return self.checkpoint.with_suffix(".curves.png")

    @property
    def gallery(self) -> Path:
        """Noisy, denoised, and clean images, ``NAME.gallery.png``."""
        return self.checkpoint.with_suffix(".gallery.png")

    @property
    def run_config(self) -> Path:
        """All settings, from which the run can be repeated, ``NAME.run.toml``."""
        return self.checkpoint.with_suffix(".run.toml")

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths of all files."""
        return (
            self.checkpoint,
            self.state,
            self.run_config,
            self.history,
            self.curves,
            self.gallery,
        )

    def require_usable(self, *, resume: bool, overwrite: bool) -> None:
        """Raise before training if the files cannot be read or written.

        Parameters
        ----------
        resume : bool
            Whether to resume a run; its state must exist.
        overwrite : bool
            Whether to replace the files of another run.

        Raises
        ------
        InvalidInputError
            If both are true, or the checkpoint's name does not end in .pt
            or .safetensors.
        CheckpointError
            If there is nothing to resume.
        OutputError
            If a file cannot be written, or the checkpoint exists already and neither
            option is true.
        """
        if resume and overwrite:
            raise InvalidInputError("Choose either resume or overwrite, not both.")
        if self.checkpoint.suffix not in (MODEL_SUFFIX, TORCH_SUFFIX):
            raise InvalidInputError(
                f"A checkpoint's name must end in {MODEL_SUFFIX} or {TORCH_SUFFIX}, "
                f"got {str(self.checkpoint)!r}."
            )
        for path in self.paths:
            require_writable(path)
        if resume and not self.state.is_file():
            raise CheckpointError(
                f"There is nothing to resume: {self.state} does not exist. It is "
                "written next to the checkpoint after the first epoch of a run."
            )
        if not resume and not overwrite:
            self._require_new()

    def _require_new(self) -> None:
        """Raise if there is a checkpoint of another run, in either format."""
        for suffix in (MODEL_SUFFIX, TORCH_SUFFIX):
            existing = self.checkpoint.with_suffix(suffix)
            if existing.exists():
                raise OutputError(
                    f"{existing} already exists. Use resume to continue that run, "
                    "overwrite to replace it, or choose another output."
                )
