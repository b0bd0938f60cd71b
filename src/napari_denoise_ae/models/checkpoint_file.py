"""Read and write checkpoint files, checking everything that is read."""

from __future__ import annotations

import io
import pickle
import warnings
import zipfile
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import torch

from ..errors import CheckpointError, DenoiseAEWarning, InvalidInputError
from ..io.atomic import atomic_write
from .builtin import CHECKPOINT_FORMAT
from .checkpoint import Checkpoint, TrainingRecord
from .config import TrainingConfig
from .networks.registry import NETWORKS, build_network
from .old_words import translate_config, translate_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

FORMAT_VERSION = 1
# More than any network of the package needs, with its optimizer.
_LARGEST_FILE = 2**30


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_torch_file(checkpoint_content(checkpoint), path)


def checkpoint_content(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what is stored for a checkpoint."""
    record = checkpoint.record
    return {
        "format": CHECKPOINT_FORMAT,
        "format_version": FORMAT_VERSION,
        "network": checkpoint.network,
        "network_options": dict(checkpoint.network_options),
        "state_dict": dict(checkpoint.state_dict),
        "record": None if record is None else asdict(record),
    }


def write_torch_file(content: dict[str, Any], path: Path) -> None:
    """Write a file with `torch.save`, whole or not at all."""
    # Not straight to the file: torch turns a full disk into a RuntimeError.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_write(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read_torch_file(path: Path) -> dict[str, Any]:
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
        raise damaged_error(path.name, "torch cannot read it") from error
    if not isinstance(content, dict):
        raise damaged_error(
            path.name, f"it holds a {type(content).__name__}, not a dict"
        )
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


def parse_checkpoint(content: dict[str, Any], *, name: str) -> Checkpoint:
    """Check the content of a checkpoint file and return the checkpoint."""
    require_format(content, CHECKPOINT_FORMAT, name)
    try:
        network = content["network"]
        options = translate_options(content["network_options"])
        state_dict, record = content["state_dict"], content["record"]
    except KeyError as error:
        raise damaged_error(name, f"{error} is missing") from error
    require_weights(network, options, state_dict, name)
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
        raise damaged_error(name, "its training record has other fields than expected")
    for key, annotation in expected.items():
        value = content[key]
        usable = isinstance(value, _PLAIN_TYPES.get(annotation, object))
        # Integers of any size count as numbers, but not all can be computed with.
        if not usable or (isinstance(value, int) and abs(value) >= 2**63):
            raise damaged_error(
                name, f"{key} in its training record is no {annotation}"
            )
    try:
        config = TrainingConfig(**translate_config(content["config"]))
    except (InvalidInputError, TypeError) as error:
        raise damaged_error(name, f"its settings cannot be used: {error}") from error
    estimate = content["noise_estimate"]
    numbers = isinstance(estimate, (list, tuple)) and len(estimate) == 3
    if not numbers or not all(isinstance(part, float) for part in estimate):
        raise damaged_error(name, "its noise estimate is not three numbers")
    return TrainingRecord(
        **{**content, "config": config, "noise_estimate": tuple(estimate)}
    )


def parse_plain_state_dict(content: dict[str, Any], path: Path) -> Checkpoint:
    """Recognize the weights of a default network by their shapes, in order."""
    shapes = [getattr(tensor, "shape", None) for tensor in content.values()]
    for network in NETWORKS:
        expected = _expected_weights(network, {})
        if shapes == [tensor.shape for tensor in expected.values()]:
            state_dict = dict(zip(expected, content.values(), strict=True))
            require_weights(network, {}, state_dict, path.name)
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


def require_format(content: Any, expected: str, name: str) -> None:
    """Raise unless the content has the expected format and version."""
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


def require_weights(
    network: str, options: Mapping[str, Any], state_dict: Any, name: str
) -> None:
    """Raise unless a state dict fits its network."""
    try:
        expected = _expected_weights(network, options)
    except (InvalidInputError, TypeError, RuntimeError) as error:
        raise damaged_error(name, f"its network cannot be made: {error}") from error
    if not isinstance(state_dict, dict) or list(state_dict) != list(expected):
        raise damaged_error(name, f"its weights are not those of a {network!r} network")
    for key, tensor in state_dict.items():
        if not isinstance(tensor, torch.Tensor) or tensor.shape != expected[key].shape:
            shape = tuple(expected[key].shape)
            raise damaged_error(name, f"{key} has not the shape {shape}")
        # Batch normalization counts its batches in int64; weights are float32, or
        # half as long in a file that is to be small.
        if not _is_plain(tensor, expected[key].dtype):
            raise damaged_error(name, f"{key} is not plain {expected[key].dtype}")
        if not torch.isfinite(tensor).all():
            raise damaged_error(name, f"{key} has values that are not finite")
        if key.endswith("running_var") and (tensor < 0).any():
            raise damaged_error(name, f"{key} has variances below 0")


def _at_full_length(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        key: tensor.float() if tensor.dtype == torch.float16 else tensor
        for key, tensor in state_dict.items()
    }


def _is_plain(tensor: Tensor, dtype: torch.dtype) -> bool:
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
    is_half = tensor.dtype == torch.float16 and dtype == torch.float32
    return plain and (tensor.dtype == dtype or is_half)


def damaged_error(name: str, what: str) -> CheckpointError:
    """Return the error for a checkpoint that cannot be used."""
    return CheckpointError(
        f"{name} cannot be used: {what}. Copy it again or train a new one."
    )
