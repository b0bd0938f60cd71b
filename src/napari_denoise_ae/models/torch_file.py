"""Write files with `torch.save`, and read them without running code from them."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import torch

from ..io.atomic import atomic_write
from .plain_content import require_plain, unsafe_error, unusable_error
from .torch_archive import require_safe_archive

if TYPE_CHECKING:
    from pathlib import Path


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
    # As bytes: if writing fails, the traceback would keep a view of the buffer, and the
    # buffer cannot be finalized before its views.
    data = buffer.getvalue()
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def read_torch_file(path: Path) -> dict[str, Any]:
    """Read a file written by `torch.save` without running code from it.

    Raises
    ------
    CheckpointError
        If the file cannot be read, is too large, contains anything other than
        tensors and plain values, or does not contain a dict.
    """
    require_safe_archive(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise unsafe_error(path.name) from error
    # The parser is not ours: with a damaged file, it raises errors of any type.
    except Exception as error:
        raise unusable_error(path.name, "torch cannot read it") from error
    if not isinstance(content, dict):
        raise unusable_error(
            path.name, f"it contains a {type(content).__name__}, not a dict"
        )
    require_plain(content, path.stat().st_size, path.name)
    return content
