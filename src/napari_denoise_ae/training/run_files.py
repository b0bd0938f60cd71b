"""Where the files of a training run lie, and whether they can be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import CheckpointError, InvalidInputError, OutputError
from ..io.atomic import require_writable

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Where the files of a run lie: beside the checkpoint, with its name.

    Parameters
    ----------
    checkpoint : pathlib.Path
        The best epoch, ``NAME.pt``.
    """

    checkpoint: Path

    @property
    def state(self) -> Path:
        """The state that `resume` needs, ``NAME.resume``."""
        return self.checkpoint.with_suffix(".resume")

    @property
    def history(self) -> Path:
        """Losses by epoch, ``NAME.history.csv``."""
        return self.checkpoint.with_suffix(".history.csv")

    @property
    def curves(self) -> Path:
        """Their picture, ``NAME.curves.png``."""
        return self.checkpoint.with_suffix(".curves.png")

    @property
    def gallery(self) -> Path:
        """Noisy, denoised and clean images, ``NAME.gallery.png``."""
        return self.checkpoint.with_suffix(".gallery.png")

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file of a run."""
        return (self.checkpoint, self.state, self.history, self.curves, self.gallery)

    def require_usable(self, *, resume: bool, overwrite: bool) -> None:
        """Raise now, not after an hour, unless the files can be used.

        Parameters
        ----------
        resume : bool
            Whether to resume a run, whose state must be there.
        overwrite : bool
            Whether the files of another run may be replaced.

        Raises
        ------
        InvalidInputError
            If both are asked for, or the checkpoint's name does not end in .pt.
        CheckpointError
            If there is nothing to resume.
        OutputError
            If the files could not be written, or are those of another run.
        """
        if resume and overwrite:
            raise InvalidInputError("Choose either resume or overwrite, not both.")
        if self.checkpoint.suffix != ".pt":
            raise InvalidInputError(
                f"A checkpoint's name must end in .pt, got {str(self.checkpoint)!r}."
            )
        for path in self.paths:
            require_writable(path)
        if resume and not self.state.is_file():
            raise CheckpointError(
                f"There is nothing to resume: {self.state} does not exist. It is "
                "written after the first epoch of a run, beside the checkpoint."
            )
        if not resume and not overwrite and self.checkpoint.exists():
            raise OutputError(
                f"{self.checkpoint} is there already. Resume that run with resume, "
                "replace it with overwrite, or choose another name for the output."
            )
