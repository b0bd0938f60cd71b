"""Save and load the state from which a training run is resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from .checkpoint_file import checkpoint_content, parse_checkpoint, require_weights
from .description import FORMAT_VERSION, require_format
from .networks.registry import build_network
from .plain_content import unusable_error
from .torch_file import read_torch_file, write_torch_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from .checkpoint import Checkpoint
    from .record import TrainingRecord

_TRAINING_STATE = "napari-denoise-ae training state"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """The state of a training run after an epoch, from which it can be resumed.

    Parameters
    ----------
    best : Checkpoint
        Checkpoint of the best epoch so far.
    record : TrainingRecord
        The record of `best`.
    state_dict : mapping
        The network's `state_dict` after the last finished epoch.
    optimizer : mapping
        The optimizer's `state_dict` after that epoch.
    history : list of dict
        The fields of `EpochResult` for each epoch. Empty if the first one was
        interrupted; `state_dict` and `optimizer` are those before it then.
    """

    best: Checkpoint
    record: TrainingRecord
    state_dict: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    history: list[dict[str, Any]]


def save_training_state(state: TrainingState, path: Path) -> None:
    """Write a training state file atomically.

    Parameters
    ----------
    state : TrainingState
        The state.
    path : pathlib.Path
        The file to write; an existing one is replaced.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    content = {
        "format": _TRAINING_STATE,
        "format_version": FORMAT_VERSION,
        "best": checkpoint_content(state.best),
        "state_dict": dict(state.state_dict),
        "optimizer": dict(state.optimizer),
        "history": state.history,
    }
    write_torch_file(content, path)


def load_training_state(path: Path) -> TrainingState:
    """Load and check a file that `save_training_state` wrote.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    TrainingState
        The checked state.

    Raises
    ------
    CheckpointError
        If the file is not a usable training state.
    """
    content = read_torch_file(path)
    require_format(content, _TRAINING_STATE, path.name)
    try:
        best = parse_checkpoint(content["best"], name=path.name)
        state_dict, history = content["state_dict"], content["history"]
        optimizer = content["optimizer"]
    except (KeyError, TypeError) as error:
        raise unusable_error(path.name, f"{error} is missing") from error
    if best.record is None:
        raise unusable_error(path.name, "it has no training record")
    require_weights(best.network, best.network_options, state_dict, path.name)
    _require_history(history, path.name)
    layers = best.record.config.trained_layers
    _require_optimizer(optimizer, best, layers, path.name)
    return TrainingState(best, best.record, state_dict, optimizer, history)


def _require_history(history: Any, name: str) -> None:
    """Check that each row has the fields of `EpochResult`, and one is the best."""
    expected = {"epoch", "train_loss", "val_loss", "val_psnr", "is_best", "seconds"}
    if not isinstance(history, list):
        raise unusable_error(name, "its history is invalid")
    for number, row in enumerate(history, start=1):
        usable = isinstance(row, dict) and set(row) == expected
        usable = usable and all(isinstance(v, (int, float)) for v in row.values())
        if not usable or row["epoch"] != number:
            raise unusable_error(name, f"epoch {number} of its history is invalid")
    # Empty if the first epoch was interrupted.
    if history and not any(row["is_best"] for row in history):
        raise unusable_error(name, "its history has no best epoch")


def _require_optimizer(
    optimizer: Any, best: Checkpoint, layers: str, name: str
) -> None:
    """Check that an optimizer's state fits the layers of the network that it trains."""
    with torch.device("meta"):
        network = build_network(best.network, best.network_options)
    shapes = [parameter.shape for parameter in network.trained_parameters(layers)]
    if not isinstance(optimizer, dict) or set(optimizer) != {"state", "param_groups"}:
        raise unusable_error(name, "its optimizer state is invalid")
    states, groups = optimizer["state"], optimizer["param_groups"]
    usable = isinstance(groups, list) and len(groups) == 1
    usable = usable and isinstance(groups[0], dict)
    usable = usable and groups[0].get("params") == list(range(len(shapes)))
    if not usable or not isinstance(states, dict):
        raise unusable_error(name, "its optimizer state is invalid")
    for index, state in states.items():
        if index not in range(len(shapes)) or not isinstance(state, dict):
            raise unusable_error(name, "its optimizer state is invalid")
        # Each tensor has the shape of its parameter; the step count is a scalar.
        found = {getattr(value, "shape", None) for value in state.values()}
        if not found <= {shapes[index], torch.Size()}:
            raise unusable_error(
                name, "the shapes in its optimizer state are not those of its weights"
            )
