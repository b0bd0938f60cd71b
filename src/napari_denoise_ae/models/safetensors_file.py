"""Write and read checkpoints in the safetensors format, which runs no code.

A safetensors file is a header in JSON followed by the data of its tensors [1]_. The
header of a checkpoint has one entry of metadata, `KEY`, with everything else in JSON.

References
----------
.. [1] https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import CheckpointError
from ..io.atomic import atomic_write
from .plain_content import LARGEST_FILE, require_plain, unusable_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Entry of the metadata of a checkpoint.
KEY = "napari-denoise-ae"
# Where the tensors stand in the content of a checkpoint.
_TENSORS = "state_dict"


def write_safetensors(content: dict[str, Any], path: Path) -> None:
    """Write the content of a checkpoint, atomically.

    Parameters
    ----------
    content : dict
        Tensors in ``"state_dict"``, and plain values.
    path : pathlib.Path
        The file to write; an existing one is replaced.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from safetensors.torch import save

    tensors = {key: each.contiguous() for key, each in content[_TENSORS].items()}
    rest = {key: value for key, value in content.items() if key != _TENSORS}
    data = save(tensors, {KEY: json.dumps(rest)})
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def read_safetensors(path: Path) -> dict[str, Any]:
    """Read a file that `write_safetensors` wrote, or the weights of a network.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict
        The content of a checkpoint, or, without its metadata, the tensors by name. The
        order of the tensors is not that of the network.

    Raises
    ------
    CheckpointError
        If the file cannot be read, is too large, or contains no usable JSON.
    """
    tensors, metadata = _read(path, "pt", _tensor)
    return _content(path, tensors, metadata) or tensors


def read_safetensors_header(path: Path) -> dict[str, Any] | None:
    """Read a file that `write_safetensors` wrote, but not its tensors.

    Torch is not imported.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict or None
        The content of a checkpoint. Its ``"state_dict"`` has the shape of each tensor,
        a list of int, by name. None if the file contains only tensors.

    Raises
    ------
    CheckpointError
        See `read_safetensors`.
    """
    shapes, metadata = _read(path, "np", _shape)
    return _content(path, shapes, metadata)


def _read(
    path: Path, framework: str, read: Callable[[Any, str], Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Read something of each tensor, and the metadata."""
    from safetensors import safe_open

    _require_usual_size(path)
    try:
        with safe_open(path, framework=framework) as file:
            metadata = file.metadata() or {}
            return {key: read(file, key) for key in file.keys()}, metadata  # noqa: SIM118
    # The parser is not ours: with a damaged file, it raises errors of any type.
    except Exception as error:
        raise CheckpointError(
            f"{path.name} is not a safetensors file, or is incomplete. Copy it again "
            "or train a new one."
        ) from error


def _tensor(file: Any, key: str) -> Any:
    return file.get_tensor(key).clone()


def _shape(file: Any, key: str) -> list[int]:
    return list(file.get_slice(key).get_shape())


def _content(
    path: Path, tensors: dict[str, Any], metadata: dict[str, str]
) -> dict[str, Any] | None:
    """Return the checked description with the tensors; None if there is none."""
    if KEY not in metadata:
        return None
    try:
        content = json.loads(metadata[KEY])
    except (ValueError, RecursionError) as error:
        raise unusable_error(path.name, "its description is not valid JSON") from error
    if not isinstance(content, dict):
        raise unusable_error(path.name, "its description is not a dict")
    content[_TENSORS] = tensors
    require_plain(content, path.stat().st_size, path.name)
    return content


def _require_usual_size(path: Path) -> None:
    try:
        n_bytes = path.stat().st_size
    except OSError as error:
        raise CheckpointError(
            f"Cannot read the checkpoint {path}: {error.strerror}."
        ) from error
    if n_bytes > LARGEST_FILE:
        raise CheckpointError(
            f"{path.name} has {n_bytes / 2**20:.0f} MB; checkpoints of this package "
            f"have at most {LARGEST_FILE / 2**20:.0f} MB."
        )
