"""Write files with `torch.save`, and read them without running code from them."""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import torch

from ..errors import CheckpointError
from ..io.atomic import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

# Bytes; more than any network of this package needs, including its optimizer.
_LARGEST_FILE = 2**30


def write_torch_file(content: dict[str, Any], path: Path) -> None:
    """Write a file with `torch.save`, atomically.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    # Via a buffer, because torch turns a full disk into a RuntimeError.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_write(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read_torch_file(path: Path) -> dict[str, Any]:
    """Read a file written by `torch.save` without running code from it.

    Raises
    ------
    CheckpointError
        If the file cannot be read, is too large, contains anything other than
        tensors and plain values, or does not contain a dict.
    """
    _require_torch_file(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path.name} contains more than tensors and plain values and was not "
            "loaded, because loading it could run a program. Save the network's "
            "state_dict instead, and open only files from people you trust."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise unusable_error(path.name, "torch cannot read it") from error
    if not isinstance(content, dict):
        raise unusable_error(
            path.name, f"it contains a {type(content).__name__}, not a dict"
        )
    return content


def _require_torch_file(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise CheckpointError(
            f"{path.name} is not a checkpoint, or is incomplete: expected a file "
            "written by torch.save. Copy it again or train a new one."
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"Cannot read the checkpoint {path}: {error.strerror}."
        ) from error
    if size > _LARGEST_FILE:
        raise CheckpointError(
            f"{path.name} unpacks to {size / 2**20:.0f} MB; checkpoints of this "
            f"package have at most {_LARGEST_FILE / 2**20:.0f} MB."
        )


def unusable_error(name: str, reason: str) -> CheckpointError:
    """Return the error to raise for a checkpoint that cannot be used."""
    return CheckpointError(
        f"{name} cannot be used: {reason}. Copy it again or train a new one."
    )
