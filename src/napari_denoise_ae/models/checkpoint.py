"""Checkpoints: the file that holds a trained network and explains itself.

A checkpoint is a file of `torch.save` that holds only tensors, numbers,
strings, lists and dicts. It is untrusted until it has been checked: it is
loaded with ``weights_only=True``, its tensors are compared with what its
network expects before the network is made, and nothing in it is ever run.
"""

from __future__ import annotations

import io
import os
import pickle
import warnings
import zipfile
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..errors import CheckpointError, DenoiseAEWarning, InvalidInputError
from ..io.atomic import CHECKPOINT_FORMAT, atomic_write
from .builtin import builtin_file, builtin_models, fitting_model
from .config import TrainingConfig
from .networks.registry import NETWORKS, build_network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from torch import Tensor

    from .networks.base import DenoisingNetwork

FORMAT_VERSION = 1
_TRAINING_STATE = "napari-denoise-ae training state"
# More than any network of the package needs, with its optimizer.
_LARGEST_FILE = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """How a network was trained.

    Parameters
    ----------
    config : TrainingConfig
        Every setting of the run.
    dataset, dataset_sha256 : str
        Name and checksum of all images, before the split.
    n_train, n_val : int
        Images that trained and images that validated; the split follows from
        the config's `seed` and `val_fraction`.
    epochs_run, best_epoch : int
        Finished epochs, and the one whose weights these are; from 1.
    stop_reason : str
        Why training ended; empty while it goes on or if it was interrupted.
    val_loss, val_psnr : float
        Validation loss, and mean PSNR in dB, of the best epoch.
    noise_estimate : tuple of float
        5th, 50th and 95th percentile of `estimate_noise` on the noisy
        validation images, as fractions of the intensity range.
    intensity : str
        How intensities reach the network.
    receptive_field_radius, stride : int
        In pixels, see `DenoisingNetwork`.
    device, package_version, torch_version, date : str
        Where, with what and when (ISO 8601, UTC) it was trained.
    """

    config: TrainingConfig
    dataset: str
    dataset_sha256: str
    n_train: int
    n_val: int
    epochs_run: int
    best_epoch: int
    stop_reason: str
    val_loss: float
    val_psnr: float
    noise_estimate: tuple[float, float, float]
    receptive_field_radius: int
    stride: int
    device: str
    package_version: str
    torch_version: str
    date: str
    intensity: str = "intensity range mapped linearly to [0, 1]"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A trained network and what is known of it.

    Parameters
    ----------
    name : str
        Built-in name or file name, for a user to read.
    network : str
        A key of `napari_denoise_ae.models.networks.registry.NETWORKS`.
    network_options : mapping
        Arguments of the network's constructor.
    state_dict : mapping
        The weights, float32 on the CPU.
    record : TrainingRecord or None
        How it was trained; None if the file does not say.
    """

    name: str
    network: str
    network_options: Mapping[str, Any]
    state_dict: Mapping[str, Tensor]
    record: TrainingRecord | None

    def build(self, device: torch.device) -> DenoisingNetwork:
        """Make the network with these weights, for inference on `device`."""
        with torch.device("meta"):
            network = build_network(self.network, self.network_options)
        network.load_state_dict(self.state_dict, assign=True)
        return network.requires_grad_(False).eval().to(device)

    def outline(self) -> DenoisingNetwork:
        """Make the network without weights, to ask it for its stride and the like."""
        return _outline(self.network, tuple(sorted(self.network_options.items())))


# Made often, and each time slower than a small image is denoised.
@lru_cache(maxsize=32)
def _outline(network: str, options: tuple[tuple[str, Any], ...]) -> DenoisingNetwork:
    with torch.device("meta"):
        return build_network(network, dict(options)).eval()


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """What is needed to go on with a training run as if it had not stopped.

    Parameters
    ----------
    best : Checkpoint
        The best epoch so far.
    record : TrainingRecord
        That of `best`.
    state_dict : mapping
        Weights after the last finished epoch.
    optimizer : mapping
        The optimizer's `state_dict` after that epoch.
    history : list of dict
        The fields of each epoch's `EpochResult`.
    """

    best: Checkpoint
    record: TrainingRecord
    state_dict: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    history: list[dict[str, Any]]


def load_checkpoint(source: str | Path) -> Checkpoint:
    """Load a checkpoint, or a built-in model by its name.

    Parameters
    ----------
    source : path or str
        A file, or a name that `builtin_models` lists. A file of a plain
        ``state_dict`` of one of the package's networks is taken too, with a
        warning, since how it was trained is unknown.

    Returns
    -------
    Checkpoint
        The checked checkpoint.

    Raises
    ------
    CheckpointError
        If there is no such file or it is not a usable checkpoint.
    """
    if str(source) in builtin_models():
        return _load_builtin(str(source))
    file = Path(source)
    if not os.path.isfile(file):  # noqa: PTH113 - Path's raises for names too long
        raise CheckpointError(
            f"There is no model {str(source)!r}: expected a checkpoint file or one of "
            f"the built-in models ({', '.join(builtin_models())})."
        )
    content = _read(file)
    if "format" not in content:
        return _parse_plain_state_dict(content, file)
    return _parse_checkpoint(content, name=file.name)


# Read once: a call for each image of a loop would spend a tenth of its time here.
@lru_cache(maxsize=8)
def _load_builtin(name: str) -> Checkpoint:
    with builtin_file(name) as file:
        return _parse_checkpoint(_read(file), name=name)


def load_fitting(source: str | Path | Checkpoint, n_colours: int) -> Checkpoint:
    """Load the model for images of some colours; one that is loaded is itself.

    Parameters
    ----------
    source : str, path or Checkpoint
        See `load_checkpoint`, or ``"auto"``.
    n_colours : int
        See `fitting_model`.

    Raises
    ------
    CheckpointError
        See `load_checkpoint`.
    """
    if isinstance(source, Checkpoint):
        return source
    return load_checkpoint(fitting_model(str(source), n_colours))


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    _write(_checkpoint_content(checkpoint), path)


def save_training_state(state: TrainingState, path: Path) -> None:
    """Write a training state, whole or not at all; see `save_checkpoint`."""
    content = {
        "format": _TRAINING_STATE,
        "format_version": FORMAT_VERSION,
        "best": _checkpoint_content(state.best),
        "state_dict": dict(state.state_dict),
        "optimizer": dict(state.optimizer),
        "history": state.history,
    }
    _write(content, path)


def load_training_state(path: Path) -> TrainingState:
    """Load what `save_training_state` wrote.

    Raises
    ------
    CheckpointError
        If the file is not a usable training state.
    """
    content = _read(path)
    _require_format(content, _TRAINING_STATE, path.name)
    try:
        best = _parse_checkpoint(content["best"], name=path.name)
        state_dict, history = content["state_dict"], content["history"]
        optimizer = content["optimizer"]
    except (KeyError, TypeError) as error:
        raise _damaged(path.name, f"{error} is missing") from error
    if best.record is None:
        raise _damaged(path.name, "it does not say how it was trained")
    _require_weights(best.network, best.network_options, state_dict, path.name)
    _require_history(history, path.name)
    _require_optimizer(optimizer, best, path.name)
    return TrainingState(best, best.record, state_dict, optimizer, history)


def _checkpoint_content(checkpoint: Checkpoint) -> dict[str, Any]:
    record = checkpoint.record
    return {
        "format": CHECKPOINT_FORMAT,
        "format_version": FORMAT_VERSION,
        "network": checkpoint.network,
        "network_options": dict(checkpoint.network_options),
        "state_dict": dict(checkpoint.state_dict),
        "record": None if record is None else asdict(record),
    }


def _write(content: dict[str, Any], path: Path) -> None:
    # Not straight to the file: torch turns a full disk into a RuntimeError.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_write(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def _read(path: Path) -> dict[str, Any]:
    """Read a file of `torch.save` without running anything that is in it."""
    _require_torch_file(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path.name} holds more than weights and plain values, so it was not "
            "loaded: such a file could run a program. Save the network's state_dict "
            "instead, and only open files from people you trust."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise _damaged(path.name, "torch cannot read it") from error
    if not isinstance(content, dict):
        raise _damaged(path.name, f"it holds a {type(content).__name__}, not a dict")
    return content


def _require_torch_file(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise CheckpointError(
            f"{path.name} is not a checkpoint, or only a part of one: expected a file "
            "written by torch.save. Copy or train it again."
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"Cannot read the checkpoint {path}: {error.strerror}."
        ) from error
    if size > _LARGEST_FILE:
        raise CheckpointError(
            f"{path.name} unpacks to {size / 2**20:.0f} MB; a checkpoint of this "
            f"package has at most {_LARGEST_FILE / 2**20:.0f} MB."
        )


def _parse_checkpoint(content: dict[str, Any], *, name: str) -> Checkpoint:
    _require_format(content, CHECKPOINT_FORMAT, name)
    try:
        network, options = content["network"], content["network_options"]
        state_dict, record = content["state_dict"], content["record"]
    except KeyError as error:
        raise _damaged(name, f"{error} is missing") from error
    _require_weights(network, options, state_dict, name)
    parsed = None if record is None else _parse_record(record, name)
    return Checkpoint(name, network, options, _at_full_length(state_dict), parsed)


# The types of a record's plain fields, by their annotations.
_PLAIN_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
}


def _parse_record(content: dict[str, Any], name: str) -> TrainingRecord:
    expected = {field.name: str(field.type) for field in fields(TrainingRecord)}
    if not isinstance(content, dict) or set(content) != set(expected):
        raise _damaged(name, "its training record has other fields than expected")
    for key, annotation in expected.items():
        value = content[key]
        usable = isinstance(value, _PLAIN_TYPES.get(annotation, object))
        # Integers of any size count as numbers, but not all can be computed with.
        if not usable or (isinstance(value, int) and abs(value) >= 2**63):
            raise _damaged(name, f"{key} in its training record is no {annotation}")
    try:
        config = TrainingConfig(**content["config"])
    except (InvalidInputError, TypeError) as error:
        raise _damaged(name, f"its settings cannot be used: {error}") from error
    estimate = content["noise_estimate"]
    numbers = isinstance(estimate, (list, tuple)) and len(estimate) == 3
    if not numbers or not all(isinstance(part, float) for part in estimate):
        raise _damaged(name, "its noise estimate is not three numbers")
    return TrainingRecord(
        **{**content, "config": config, "noise_estimate": tuple(estimate)}
    )


def _parse_plain_state_dict(content: dict[str, Any], path: Path) -> Checkpoint:
    """Recognise the weights of a default network by their shapes, in order."""
    shapes = [getattr(tensor, "shape", None) for tensor in content.values()]
    for network in NETWORKS:
        expected = _expected_weights(network, {})
        if shapes == [tensor.shape for tensor in expected.values()]:
            state_dict = dict(zip(expected, content.values(), strict=True))
            _require_weights(network, {}, state_dict, path.name)
            warnings.warn(
                f"{path.name} holds the weights of a {network!r} network and nothing "
                "else. Unknown are the noise and the data it was trained with and how "
                "well it does; it is taken to expect intensities in [0, 1].",
                DenoiseAEWarning,
                stacklevel=3,
            )
            weights = _at_full_length(state_dict)
            return Checkpoint(path.name, network, {}, weights, record=None)
    raise CheckpointError(
        f"{path.name} holds other weights than those of this package's networks "
        f"({', '.join(NETWORKS)}), so it cannot be used."
    )


def _require_format(content: Any, expected: str, name: str) -> None:
    if not isinstance(content, dict) or content.get("format") != expected:
        found = content.get("format") if isinstance(content, dict) else None
        raise CheckpointError(f"{name} is not a {expected}, but: {found!r}.")
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{name} has format version {version!r}; this version of "
            f"napari-denoise-ae reads {FORMAT_VERSION}. Update napari-denoise-ae."
        )


def _expected_weights(network: str, options: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return tensors that have shapes and dtypes, and no values."""
    # On the meta device nothing is allocated, whatever sizes a file claims.
    with torch.device("meta"):
        return dict(build_network(network, options).state_dict())


def _require_weights(
    network: str, options: Mapping[str, Any], state_dict: Any, name: str
) -> None:
    try:
        expected = _expected_weights(network, options)
    except (InvalidInputError, TypeError, RuntimeError) as error:
        raise _damaged(name, f"its network cannot be made: {error}") from error
    if not isinstance(state_dict, dict) or list(state_dict) != list(expected):
        raise _damaged(name, f"its weights are not those of a {network!r} network")
    for key, tensor in state_dict.items():
        if not isinstance(tensor, torch.Tensor) or tensor.shape != expected[key].shape:
            shape = tuple(expected[key].shape)
            raise _damaged(name, f"{key} has not the shape {shape}")
        # Batch normalization counts its batches in int64; weights are float32, or
        # half as long in a file that is to be small.
        if not _is_plain(tensor, expected[key].dtype):
            raise _damaged(name, f"{key} is not plain {expected[key].dtype}")
        if not torch.isfinite(tensor).all():
            raise _damaged(name, f"{key} has values that are not finite")
        if key.endswith("running_var") and (tensor < 0).any():
            raise _damaged(name, f"{key} has variances below 0")


def _at_full_length(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        key: tensor.float() if tensor.dtype == torch.float16 else tensor
        for key, tensor in state_dict.items()
    }


def _is_plain(tensor: Tensor, dtype: torch.dtype) -> bool:
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
    is_half = tensor.dtype == torch.float16 and dtype == torch.float32
    return plain and (tensor.dtype == dtype or is_half)


def _require_history(history: Any, name: str) -> None:
    """Check what `EpochResult` is made of again."""
    expected = {"epoch", "train_loss", "val_loss", "val_psnr", "is_best", "seconds"}
    rows = history if isinstance(history, list) else []
    for number, row in enumerate(rows, start=1):
        usable = isinstance(row, dict) and set(row) == expected
        usable = usable and all(isinstance(v, (int, float)) for v in row.values())
        if not usable or row["epoch"] != number:
            raise _damaged(name, f"epoch {number} of its history cannot be used")
    if not any(row["is_best"] for row in rows):
        raise _damaged(name, "its history has no best epoch")


def _require_optimizer(optimizer: Any, best: Checkpoint, name: str) -> None:
    """Compare an optimizer's state with that of a fresh one, tensor by tensor."""
    with torch.device("meta"):
        network = build_network(best.network, best.network_options)
    shapes = [parameter.shape for parameter in network.parameters()]
    if not isinstance(optimizer, dict) or set(optimizer) != {"state", "param_groups"}:
        raise _damaged(name, "its optimizer state cannot be used")
    states, groups = optimizer["state"], optimizer["param_groups"]
    usable = isinstance(groups, list) and len(groups) == 1
    usable = usable and isinstance(groups[0], dict)
    usable = usable and groups[0].get("params") == list(range(len(shapes)))
    if not usable or not isinstance(states, dict):
        raise _damaged(name, "its optimizer state cannot be used")
    for index, state in states.items():
        if index not in range(len(shapes)) or not isinstance(state, dict):
            raise _damaged(name, "its optimizer state cannot be used")
        found = {getattr(value, "shape", None) for value in state.values()}
        if not found <= {shapes[index], torch.Size()}:
            raise _damaged(
                name, "its optimizer state has other shapes than its weights"
            )


def _damaged(name: str, what: str) -> CheckpointError:
    return CheckpointError(
        f"{name} cannot be used: {what}. Copy it again or train a new one."
    )
