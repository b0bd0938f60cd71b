"""Training that writes its files after every epoch."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from ..io.atomic import atomic_write
from ..io.temporary import remove
from ..models.checkpoint_file import save_checkpoint
from ..models.training_state import save_training_state
from .curves import save_loss_curves
from .results import EpochResult, watched_losses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event

    from .results import TrainerStep
    from .run_files import RunFiles
    from .trainer import Trainer


@dataclass(frozen=True, slots=True, eq=False)
class SavedTraining:
    """A trainer that writes its files after every epoch.

    Parameters
    ----------
    trainer : Trainer
        The trainer.
    files : RunFiles
        Paths of its files.
    run_config : str
        Contents of the file that repeats the run, see `run_config_text`.
    """

    trainer: Trainer
    files: RunFiles
    run_config: str

    def steps(self, stop: Event | None = None) -> Iterator[TrainerStep]:
        """Train, and write the files of each epoch before yielding its result.

        Parameters
        ----------
        stop : threading.Event, optional
            Set it to end training early, see `Trainer.run`.

        Yields
        ------
        BatchResult, SmallerBatches, or EpochResult
            See `Trainer.run`.

        Raises
        ------
        OutputError
            If a file cannot be written; the files of the previous epoch remain.
        """
        for result in self.trainer.run(stop):
            if isinstance(result, EpochResult):
                self._write_epoch()
            yield result

    def keep_unfinished_epoch(self) -> Iterator[EpochResult]:
        """Keep a first epoch that was interrupted, see `Trainer`.

        Yields
        ------
        EpochResult
            Its result, once its files are written; nothing if there is none to keep.

        Raises
        ------
        OutputError, TrainingError
            If a file cannot be written, or the loss is not finite.
        """
        result = self.trainer.keep_unfinished_epoch()
        if result is not None:
            self._write_epoch()
            yield result

    def write_end(self) -> None:
        """Write the best epoch, the run's settings, the history, and the loss curves.

        At least one epoch must be finished. An unfinished epoch is ignored.
        """
        save_checkpoint(self.trainer.checkpoint(), self.files.checkpoint)
        self._write_run_config()
        _save_history(self.trainer, self.files.history)
        save_loss_curves(
            self.trainer.history,
            self.files.curves,
            smoothing=self.trainer.config.smoothing,
            has_truth=self.trainer.has_truth,
        )

    def _write_epoch(self) -> None:
        is_first = len(self.trainer.history) == 1
        if is_first:
            # The state of a run that this one replaces does not fit its settings.
            remove(self.files.state)
        # The settings name the images from which the state is resumed. The state
        # contains the best epoch: a run that is killed before the other files are
        # written writes them when it is resumed.
        self._write_run_config()
        save_training_state(self.trainer.state(), self.files.state)
        save_checkpoint(self.trainer.checkpoint(), self.files.checkpoint)
        if is_first:
            # They belong to the earlier run.
            remove(self.files.curves)
            remove(self.files.gallery)
        _save_history(self.trainer, self.files.history)

    def _write_run_config(self) -> None:
        with atomic_write(self.files.run_config) as temporary:
            temporary.write_text(self.run_config, "utf-8")


def _save_history(trainer: Trainer, path: Path) -> None:
    names = [field.name for field in fields(EpochResult)]
    rows = [asdict(result) for result in trainer.history]
    smoothing = trainer.config.smoothing
    if smoothing > 1:
        # Without smoothing, it is the validation loss.
        names.append("watched_loss")
        watched = watched_losses(trainer.history, smoothing)
        rows = [
            row | {"watched_loss": loss}
            for row, loss in zip(rows, watched, strict=True)
        ]
    if not trainer.has_truth:
        names.remove("val_psnr")
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
