"""Log a training run for TensorBoard."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..errors import DenoiseAEWarning, MissingDependencyError, one_line
from ..io.atomic import cannot_write
from .results import EpochResult, TrainingStart

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from .results import RunStep
    from .run import TrainingRun


class TensorBoardLog:
    """The log of a run: losses, PSNR and learning rate of each epoch, and the gallery.

    Parameters
    ----------
    folder : path
        Folder of the logs. This one is in a subfolder with the name of the checkpoint.
    run : TrainingRun
        The run.

    Raises
    ------
    MissingDependencyError
        If tensorboard is not installed.
    OutputError
        If the folder cannot be created.
    """

    def __init__(self, folder: str | Path, run: TrainingRun) -> None:
        try:
            import tensorboard  # noqa: F401 - torch's writer needs it
        except ImportError as error:
            raise MissingDependencyError(
                "A log for TensorBoard needs the package tensorboard. Install it with: "
                "pip install 'napari-denoise-ae[tensorboard]'"
            ) from error
        self._folder = Path(folder) / run.files.checkpoint.stem
        self._run = run
        self._writer: SummaryWriter | None = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self._folder, error) from error

    def show(self, step: RunStep) -> None:
        """Log a step."""
        if isinstance(step, (TrainingStart, EpochResult)):
            self._attempt(step)

    def close(self) -> None:
        """Log the gallery, and close the files."""
        self._attempt(None)

    def _attempt(self, step: TrainingStart | EpochResult | None) -> None:
        # A full disk must not end a run.
        try:
            self._log(step)
        except OSError as error:
            self._writer = None
            warnings.warn(
                f"Cannot log to {self._folder}: {one_line(error)}. The run continues "
                "without a log.",
                DenoiseAEWarning,
                stacklevel=4,
            )

    def _log(self, step: TrainingStart | EpochResult | None) -> None:
        if isinstance(step, TrainingStart):
            from torch.utils.tensorboard import SummaryWriter

            # Hides the epochs of a run that this one replaces or repeats.
            n_done = len(step.history)
            self._writer = SummaryWriter(str(self._folder), purge_step=n_done + 1)
        if self._writer is None:
            return
        if isinstance(step, EpochResult):
            for name, value in self._scalars(step).items():
                self._writer.add_scalar(name, value, step.epoch)
            self._writer.flush()
        if step is None:
            self._log_gallery(self._writer)
            self._writer.close()
            self._writer = None

    def _scalars(self, epoch: EpochResult) -> dict[str, float]:
        names = ("train_loss", "val_loss", "val_psnr")
        scalars = {name: getattr(epoch, name) for name in names}
        scalars["learning_rate"] = self._run.learning_rate
        return {name: value for name, value in scalars.items() if math.isfinite(value)}

    def _log_gallery(self, writer: Any) -> None:
        result = self._run.result
        if result is None or not result.files.gallery.exists():
            return
        with Image.open(result.files.gallery) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        epoch = result.best_epoch.epoch
        writer.add_image("gallery", pixels, epoch, dataformats="HWC")
