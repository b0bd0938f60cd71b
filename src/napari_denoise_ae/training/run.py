"""A training run that writes its files after every epoch."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from ..errors import DatasetError, InvalidInputError
from ..io.atomic import atomic_write
from ..models.checkpoint_file import save_checkpoint
from ..models.training_state import load_training_state, save_training_state
from .curves import save_loss_curves
from .results import EpochResult
from .trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event

    from ..io.cifar10 import ImageSet
    from ..models.config import TrainingConfig
    from ..models.devices import DeviceChoice
    from .results import BatchResult
    from .run_files import RunFiles

# What may change when a run goes on: none of it changes the epochs so far.
_CHANGEABLE = {"epochs", "patience"}


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRun:
    """A trainer whose files are whole after every epoch.

    Parameters
    ----------
    trainer : Trainer
        The trainer.
    files : RunFiles
        Where its files lie.
    """

    trainer: Trainer
    files: RunFiles

    def steps(self, stop: Event | None = None) -> Iterator[BatchResult | EpochResult]:
        """Train; before an epoch's result is given out, its files are written.

        Parameters
        ----------
        stop : threading.Event, optional
            Ends training before its end, see `Trainer.run`.

        Raises
        ------
        OutputError
            If a file cannot be written; the epoch before it is whole.
        """
        for result in self.trainer.run(stop):
            if isinstance(result, EpochResult):
                self._write_epoch()
            yield result

    def write_end(self) -> None:
        """Write the best epoch, the history and the loss curves.

        There must be a finished epoch; one that was interrupted is left out.
        """
        save_checkpoint(self.trainer.checkpoint(), self.files.checkpoint)
        _save_history(self.trainer.history, self.files.history)
        save_loss_curves(self.trainer.history, self.files.curves)

    def _write_epoch(self) -> None:
        # In this order: a state never lies beside an older checkpoint, nor that
        # of an overwritten run beside a newer one, and an epoch whose state was
        # not written is repeated with the same result.
        if len(self.trainer.history) == 1:
            self.files.state.unlink(missing_ok=True)
        save_checkpoint(self.trainer.checkpoint(), self.files.checkpoint)
        _save_history(self.trainer.history, self.files.history)
        save_training_state(self.trainer.state(), self.files.state)


def resume_run(
    files: RunFiles, data: ImageSet, device: DeviceChoice, changes: dict[str, Any]
) -> TrainingRun:
    """Prepare to go on with a run after its last finished epoch.

    Parameters
    ----------
    files : RunFiles
        Where the run lies.
    data : ImageSet
        The same images.
    device : DeviceChoice
        May differ from before.
    changes : dict
        Fields of `TrainingConfig`; only `epochs` and `patience` may differ
        from before, and with a cosine schedule only `patience`.

    Raises
    ------
    CheckpointError
        If the state to go on from cannot be used.
    InvalidInputError
        If a change would contradict the epochs that were trained, or the run
        is over.
    DatasetError
        If the images are others.
    """
    state = load_training_state(files.state)
    record = state.record
    if data.sha256 != record.dataset_sha256:
        raise DatasetError(
            f"The run was trained on {record.dataset} with the checksum "
            f"{record.dataset_sha256[:12]}, these images have {data.sha256[:12]}. "
            "Give the same data, or start a new run."
        )
    config = _changed_config(record.config, changes)
    trainer = Trainer(config, data, device, resume_from=state)
    if trainer.stop_reason:
        save_loss_curves(trainer.history, files.curves)
        raise InvalidInputError(
            f"That run is over: {trainer.stop_reason}. {_how_to_go_on(trainer)}"
        )
    return TrainingRun(trainer, files)


def _how_to_go_on(trainer: Trainer) -> str:
    if trainer.config.schedule != "cosine":
        return "Give it more epochs or more patience to go on."
    if len(trainer.history) < trainer.config.epochs:
        return "Give it more patience to go on."
    return "Its learning rate has fallen to 0 (cosine schedule): start a new run."


def _changed_config(config: TrainingConfig, changes: dict[str, Any]) -> TrainingConfig:
    changed = replace(config, **changes)
    # A cosine schedule is stretched over the epochs: they decide all of it.
    changeable = _CHANGEABLE - ({"epochs"} if config.schedule == "cosine" else set())
    for name in changes.keys() - changeable:
        before, now = getattr(config, name), getattr(changed, name)
        if before != now:
            raise InvalidInputError(
                f"{name} was {before!r} when the run began and cannot be {now!r} now. "
                f"Leave it out, or start a new run; only "
                f"{' and '.join(sorted(changeable))} may change."
            )
    return changed


def _save_history(history: list[EpochResult], path: Path) -> None:
    names = [field.name for field in fields(EpochResult)]
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(asdict(result) for result in history)
