"""Resume a training run from its saved state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import DatasetError, InvalidInputError
from .trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig
    from ..models.devices import DeviceChoice
    from ..models.record import TrainingRecord
    from ..models.training_state import TrainingState
    from .prepare import Prepared

# Settings that may change on resuming, since they do not affect finished epochs.
_CHANGEABLE = {"epochs", "patience"}


def resume_training(
    state: TrainingState, prepared: Prepared, device: DeviceChoice
) -> Trainer:
    """Prepare to resume a run after its last finished epoch.

    Parameters
    ----------
    state : TrainingState
        Saved state of the run.
    prepared : Prepared
        The images that the run was started with, and its config, see
        `resumed_config`.
    device : DeviceChoice
        Training device; may differ from the one before.

    Returns
    -------
    Trainer
        The run, ready to train its next epoch, if any are left.

    Raises
    ------
    InvalidInputError
        If more epochs are finished than the config has.
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
    n_done, n_epochs = len(state.history), prepared.config.epochs
    if n_epochs < n_done:
        raise InvalidInputError(
            f"epochs must be at least {n_done}, the number of finished epochs, got "
            f"{n_epochs}."
        )
    return Trainer(prepared.config, source, device, state)


def require_same_start(
    given: str | Path | Checkpoint | None, prepared: Prepared, record: TrainingRecord
) -> None:
    """Raise if a run that is resumed is told to start from another model.

    Parameters
    ----------
    given : str, path or Checkpoint, optional
        What the user said. None means the model of the run.
    prepared : Prepared
        Its `start_from` is the model that `given` names.
    record : TrainingRecord
        The record of the run.

    Raises
    ------
    InvalidInputError
        If the model is not that of the run.
    """
    found = prepared.start_from
    if given is not None and found is not None and found.name != record.started_from:
        raise InvalidInputError(
            f"The run started from {record.started_from or 'random weights'}, not from "
            f"{found.name}. Leave start_from out, or start a new run."
        )


def how_to_train_longer(trainer: Trainer) -> str:
    """Return what to change to train a finished run longer."""
    config, n_done = trainer.config, len(trainer.history)
    too_small = []
    if n_done >= config.epochs:
        if config.schedule == "cosine":
            return "start a new run, since the cosine schedule has ended"
        too_small.append("epochs")
    if n_done - trainer.best_epoch.epoch >= config.patience:
        too_small.append("patience")
    return f"increase {' and '.join(too_small)}"


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
