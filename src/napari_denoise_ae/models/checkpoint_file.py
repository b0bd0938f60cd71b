"""Write checkpoint files, and read and check them."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from ..errors import CheckpointError, DenoiseAEWarning, InvalidInputError
from .builtin import CHECKPOINT_FORMAT, MODEL_SUFFIX
from .checkpoint import Checkpoint
from .description import FORMAT_VERSION, parse_description
from .networks.registry import NETWORKS, build_network
from .plain_content import unusable_error
from .safetensors_file import read_safetensors, write_safetensors
from .torch_file import read_torch_file, write_torch_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint file atomically.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint.
    path : pathlib.Path
        The file to write; an existing one is replaced. A name that ends in
        ``.safetensors`` has that format, any other that of `torch.save`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write = write_safetensors if path.suffix == MODEL_SUFFIX else write_torch_file
    write(checkpoint_content(checkpoint), path)


def read_content(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, or the weights of a network.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict
        The content, of tensors and plain values.

    Raises
    ------
    CheckpointError
        See `read_safetensors` and `read_torch_file`.
    """
    read = read_safetensors if path.suffix == MODEL_SUFFIX else read_torch_file
    return read(path)


def checkpoint_content(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the dict that a checkpoint file contains."""
    record = checkpoint.record
    return {
        "format": CHECKPOINT_FORMAT,
        "format_version": FORMAT_VERSION,
        "network": checkpoint.network,
        "network_options": dict(checkpoint.network_options),
        "state_dict": dict(checkpoint.state_dict),
        "record": None if record is None else asdict(record),
    }


def parse_checkpoint(content: dict[str, Any], *, name: str) -> Checkpoint:
    """Check the content of a checkpoint file and return the checkpoint.

    Parameters
    ----------
    content : dict
        See `read_torch_file`.
    name : str
        Name of the checkpoint, also used in error messages.

    Raises
    ------
    CheckpointError
        If the content is not that of a usable checkpoint.
    """
    about = parse_description(content, name)
    network, options = about.network, about.network_options
    state_dict = require_weights(network, options, content["state_dict"], name)
    return Checkpoint(name, network, options, _to_float32(state_dict), about.record)


def parse_plain_state_dict(content: dict[str, Any], path: Path) -> Checkpoint:
    """Make a checkpoint from the bare `state_dict` of a network with default options.

    The network is recognized by the names of the tensors, or by their shapes in order.

    Parameters
    ----------
    content : dict
        The `state_dict`.
    path : pathlib.Path
        Its file, for messages and the checkpoint's name.

    Raises
    ------
    CheckpointError
        If no network has these shapes, or the weights are unusable.

    Warns
    -----
    DenoiseAEWarning
        Because the training is unknown.
    """
    shapes = [getattr(tensor, "shape", None) for tensor in content.values()]
    for network in NETWORKS:
        expected = _expected_weights(network, {})
        has_names = set(content) == set(expected)
        if has_names or shapes == [tensor.shape for tensor in expected.values()]:
            values = content.values()
            named = content if has_names else dict(zip(expected, values, strict=True))
            state_dict = require_weights(network, {}, named, path.name)
            warnings.warn(
                f"{path.name} contains the weights of a {network!r} network but no "
                "training record: the noise and data it was trained with are unknown, "
                "and so is its quality. It is assumed to expect intensities in [0, 1].",
                DenoiseAEWarning,
                stacklevel=3,
            )
            weights = _to_float32(state_dict)
            return Checkpoint(path.name, network, {}, weights, record=None)
    raise CheckpointError(
        f"{path.name} does not contain the weights of any network of this package "
        f"({', '.join(NETWORKS)})."
    )


def _expected_weights(network: str, options: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the `state_dict` of a new network on the meta device."""
    # The meta device allocates no memory, whatever sizes a file claims.
    with torch.device("meta"):
        return dict(build_network(network, options).state_dict())


def require_weights(
    network: str, options: Mapping[str, Any], state_dict: Any, name: str
) -> dict[str, Tensor]:
    """Return a `state_dict` in the order of its network, to which it must fit.

    Parameters
    ----------
    network : str
        One of `network_names`.
    options : mapping
        Arguments of the network's constructor.
    state_dict : dict
        The weights to check. A value of any other type raises as well.
    name : str
        Name of the checkpoint, for the error message.

    Raises
    ------
    CheckpointError
        If it does not fit.
    """
    try:
        expected = _expected_weights(network, options)
    except (InvalidInputError, TypeError, RuntimeError) as error:
        raise unusable_error(name, f"its network cannot be built: {error}") from error
    if not isinstance(state_dict, dict) or set(state_dict) != set(expected):
        raise unusable_error(
            name, f"its weights are not those of a {network!r} network"
        )
    for key, tensor in state_dict.items():
        _require_tensor(key, tensor, expected[key], name)
    return {key: state_dict[key] for key in expected}


def _require_tensor(key: str, tensor: Any, expected: Tensor, name: str) -> None:
    if not isinstance(tensor, torch.Tensor) or tensor.shape != expected.shape:
        raise unusable_error(
            name, f"{key} does not have the shape {tuple(expected.shape)}"
        )
    if not _has_dtype(tensor, expected.dtype):
        raise unusable_error(name, f"{key} is not a plain {expected.dtype} tensor")
    if not torch.isfinite(tensor).all():
        raise unusable_error(name, f"{key} has values that are not finite")
    if key.endswith("running_var") and (tensor < 0).any():
        raise unusable_error(name, f"{key} has variances below 0")


def _has_dtype(tensor: Tensor, dtype: torch.dtype) -> bool:
    """Return whether a tensor is dense, on the CPU, and of the given dtype.

    float16 is accepted for float32, because the built-in models are stored so.
    """
    is_dense = tensor.layout == torch.strided and tensor.device.type == "cpu"
    is_half = tensor.dtype == torch.float16 and dtype == torch.float32
    return is_dense and (tensor.dtype == dtype or is_half)


def _to_float32(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert float16 tensors to float32, and leave all others unchanged."""
    return {
        key: tensor.float() if tensor.dtype == torch.float16 else tensor
        for key, tensor in state_dict.items()
    }
