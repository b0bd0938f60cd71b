"""Resume a training run from its saved state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import DatasetError, InvalidInputError
from .curves import save_loss_curves
from .saved import SavedTraining
from .trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..models.config import TrainingConfig
    from ..models.devices import DeviceChoice
    from ..models.training_state import TrainingState
    from .prepare import Prepared
    from .run_files import RunFiles

# Settings that may change on resuming, since they do not affect finished epochs.
_CHANGEABLE = {"epochs", "patience"}


def resume_training(
    state: TrainingState, files: RunFiles, prepared: Prepared, device: DeviceChoice
) -> SavedTraining:
    """Prepare to resume a run after its last finished epoch.

    Parameters
    ----------
    state : TrainingState
        Saved state of the run.
    files : RunFiles
        Paths of the run's files.
    prepared : Prepared
        The images that the run was started with, and its config, see
        `resumed_config`.
    device : DeviceChoice
        Training device; may differ from the one before.

    Returns
    -------
    SavedTraining
        The run, ready to train its next epoch.

    Raises
    ------
    InvalidInputError
        If the run is complete.
    DatasetError
        If the images are not the same.
    """
    record = state.record
    source = prepared.source
    if source.sha256 != record.dataset_sha256:
        raise DatasetError(
            f"The run was trained on {record.dataset} with the checksum "
            f"{record.dataset_sha256[:12]}, but the checksum of these images is "
            f"{source.sha256[:12]}. Use the same data, or start a new run."
        )
    trainer = Trainer(prepared.config, source, device, state, prepared.start_from)
    if trainer.stop_reason:
        save_loss_curves(trainer.history, files.curves)
        raise InvalidInputError(
            f"The run is over: {trainer.stop_reason}. {_advise(trainer)}"
        )
    return SavedTraining(trainer, files)


def _advise(trainer: Trainer) -> str:
    if trainer.config.schedule != "cosine":
        return "To resume it, increase epochs or patience."
    if len(trainer.history) < trainer.config.epochs:
        return "To resume it, increase patience."
    return "Its learning rate has fallen to 0 (cosine schedule): start a new run."


def resumed_config(
    config: TrainingConfig, changes: Mapping[str, Any]
) -> TrainingConfig:
    """Return the config of a run that is resumed.

    Parameters
    ----------
    config : TrainingConfig
        The config of the run so far.
    changes : mapping
        Fields of `TrainingConfig`. Only `epochs` and `patience` may differ from
        those of the run, and with a cosine schedule only `patience`.

    Raises
    ------
    InvalidInputError
        If another setting differs.
    """
    changed = replace(config, **changes)
    # A cosine schedule spans all epochs, so their number is fixed.
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
