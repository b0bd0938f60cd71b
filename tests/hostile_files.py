"""Checkpoint files that claim more than they contain, by name."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write_archive(path: Path, pickled: bytes, *, compression: int = 0) -> Path:
    """Write an archive as `torch.save` does, with any pickle."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", bytes(16))
        archive.writestr("archive/version", "3\n")
    return path


def pickle_of(path: Path) -> bytes:
    """Return the pickle of an archive."""
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
        return archive.read(name)


def nested(levels: int, width: int) -> list[Any]:
    """Return lists of references to lists, `width` ** `levels` in all."""
    value: list[Any] = [0]
    for _ in range(levels):
        value = [value] * width
    return value


def _storage(length: bytes) -> bytes:
    """Return the operations that load a storage of four floats, or claim another."""
    return (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000"
        b"X\x03\x00\x00\x00cpu" + length + b"tQ"
    )


def _tensor(length: bytes, count: bytes, stride: bytes) -> bytes:
    """Return a pickled dict with a tensor."""
    return (
        b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n("
        + _storage(length)
        + b"K\x00"
        + count
        + b"\x85"
        + stride
        + b"\x85\x89ccollections\nOrderedDict\n)RtRs."
    )


_FOUR, _MANY = b"K\x04", b"J\xff\xff\xff\x7f"

# What each file does unless it is refused.
_PICKLES: dict[str, bytes] = {
    "allocates bytes": b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\xbc\xa0e\x01\x85R.",
    "allocates floats": b"\x80\x02ctorch\nFloatStorage\n" + _MANY + b"\x85R.",
    "allocates floats again": b"\x80\x02"
    + _storage(_FOUR)
    + b"0ctorch\nFloatStorage\nq\x00h\x00"
    + _MANY
    + b"\x85R.",
    "reads beyond its data": _tensor(_MANY, _MANY, b"K\x01"),
    "repeats a value": _tensor(_FOUR, _MANY, b"K\x00"),
    "claims a text": b"\x80\x02X\xff\xff\xff\x7fabc.",
    "is nested": b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b".",
    "has many operations": b"\x80\x02}" + b"N0" * 450_000 + b".",
    "runs a program": b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
}


def _saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


def _described(text: str, path: Path) -> Path:
    path = path.with_suffix(".safetensors")
    save_file({"a": torch.zeros(2)}, path, {"napari-denoise-ae": text})
    return path


def _compressed(path: Path) -> Path:
    pickled = pickle.dumps({"a": "x" * 200_000_000}, protocol=2)
    return write_archive(path, pickled, compression=zipfile.ZIP_DEFLATED)


def _header(claimed: int, path: Path) -> Path:
    path = path.with_suffix(".safetensors")
    tensor = {"dtype": "F32", "shape": [claimed], "data_offsets": [0, 4 * claimed]}
    header = json.dumps({"a": tensor}).encode()
    buffer = io.BytesIO()
    buffer.write(len(header).to_bytes(8, "little") + header + bytes(16))
    path.write_bytes(buffer.getvalue())
    return path


_FORMAT = {"format": "napari-denoise-ae checkpoint", "format_version": 1}
_REST = {"network": "conv", "network_options": {}, "state_dict": {}}

#: Writes each file at a path, and returns the path that it has.
HOSTILE: dict[str, Callable[[Path], Path]] = {
    **{
        name: lambda path, pickled=pickled: write_archive(path, pickled)
        for name, pickled in _PICKLES.items()
    },
    "many references": lambda path: _saved(
        _FORMAT | _REST | {"record": nested(9, 9)}, path
    ),
    "references as a format": lambda path: _saved({"format": nested(12, 9)}, path),
    "references as options": lambda path: _saved(
        _FORMAT | _REST | {"network_options": {"in_channels": nested(12, 9)}}, path
    ),
    "nested options": lambda path: _saved(
        _FORMAT | _REST | {"network_options": nested(400, 1)}, path
    ),
    "long text": lambda path: _saved({"format": "x" * 900_000}, path),
    "large integer": lambda path: _saved({"format": 10**600}, path),
    "compressed": _compressed,
    "claimed tensor": lambda path: _header(2**31, path),
    "nested JSON": lambda path: _described("[" * 300_000, path),
    "large number in JSON": lambda path: _described("9" * 500_000, path),
    "long text in JSON": lambda path: _described(
        json.dumps({"format": "x" * 900_000}), path
    ),
    "JSON that is no dict": lambda path: _described("[1]", path),
    "no JSON": lambda path: _described("weights", path),
}
