"""Resume a training run from its state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import DatasetError, InvalidInputError
from .curves import save_loss_curves
from .saved import SavedTraining
from .trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..io.cifar10 import ImageSet
    from ..models.config import TrainingConfig
    from ..models.devices import DeviceChoice
    from ..models.training_state import TrainingState
    from .run_files import RunFiles

# Settings that may change on resuming: none of them changes the epochs so far.
_CHANGEABLE = {"epochs", "patience"}


def resume_training(
    state: TrainingState,
    files: RunFiles,
    data: ImageSet,
    device: DeviceChoice,
    changes: Mapping[str, Any],
) -> SavedTraining:
    """Prepare to resume a run after its last finished epoch.

    Parameters
    ----------
    state : TrainingState
        The state of the run.
    files : RunFiles
        Where its files lie.
    data : ImageSet
        The same images as before.
    device : DeviceChoice
        May differ from before.
    changes : mapping
        Fields of `TrainingConfig`; only `epochs` and `patience` may differ
        from before, and with a cosine schedule only `patience`.

    Raises
    ------
    InvalidInputError
        If a change would contradict the epochs so far, or the run is over.
    DatasetError
        If the images are not the same.
    """
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
            f"That run is over: {trainer.stop_reason}. {_advise(trainer)}"
        )
    return SavedTraining(trainer, files)


def _advise(trainer: Trainer) -> str:
    if trainer.config.schedule != "cosine":
        return "Give it more epochs or more patience to resume it."
    if len(trainer.history) < trainer.config.epochs:
        return "Give it more patience to resume it."
    return "Its learning rate has fallen to 0 (cosine schedule): start a new run."


def _changed_config(
    config: TrainingConfig, changes: Mapping[str, Any]
) -> TrainingConfig:
    changed = replace(config, **changes)
    # A cosine schedule is stretched over all epochs of the run.
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
