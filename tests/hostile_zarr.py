"""OME-Zarr images and plain Zarr arrays with one defect each."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zarr
from hostile_cases import ODD_VALUES, Case, flipped, places
from stored_stacks import image_of, write_zarr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
_SHAPE, _CHUNKS = (2, 24, 20), (1, 16, 16)
_MISSING = object()


@cache
def sound_files(kind: str) -> dict[str, bytes]:
    """Return the files of a sound image by name: 0.4, 0.5, plain 2 or plain 3."""
    image = image_of(_SHAPE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sound.zarr")
        if kind.startswith("plain"):
            stored = zarr.create_array(
                path,
                shape=_SHAPE,
                chunks=_CHUNKS,
                dtype=image.dtype,
                zarr_format=2 if kind == "plain 2" else 3,
            )
            stored[:] = image
        else:
            channels = [
                {"label": "a", "color": "00FF00", "window": _window(), "active": True}
            ]
            write_zarr(
                path,
                image,
                "ZYX",
                chunks=_CHUNKS,
                version=kind,
                omero={"channels": channels},
            )
        return {
            file.relative_to(path).as_posix(): file.read_bytes()
            for file in path.rglob("*")
            if file.is_file()
        }


def _window() -> dict[str, float]:
    return {"start": 0, "end": 4000, "min": 0, "max": 4000}


def write_files(
    folder: Path, files: dict[str, bytes], name: str = "hostile.zarr"
) -> Path:
    """Write the files of an image into a folder."""
    for inner, content in files.items():
        path = folder / name / inner
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / name


def json_cases(kind: str) -> Iterator[Case]:
    """Yield an image for each key of its metadata and each odd value or none."""
    for name, content in sound_files(kind).items():
        if Path(name).name not in _METADATA:
            continue
        parsed = json.loads(content)
        for where in places(parsed):
            for value in (*ODD_VALUES, _MISSING):
                odd = "missing" if value is _MISSING else repr(value)[:40]
                key = ".".join(map(str, where))
                yield Case(
                    f"zarr {kind}: {name} {key} {odd}",
                    partial(_write_changed, kind, name, parsed, where, value),
                )
        yield from _whole_file_cases(kind, name, content)


def _write_changed(
    kind: str, name: str, parsed: Any, where: tuple[Any, ...], value: Any, folder: Path
) -> Path:
    changed = _changed(copy.deepcopy(parsed), where, value)
    return write_files(folder, sound_files(kind) | {name: json.dumps(changed).encode()})


def _changed(parsed: Any, where: tuple[Any, ...], value: Any) -> Any:
    """Change a value inside objects and lists, or remove it."""
    *outer, last = where
    holder = parsed
    for key in outer:
        holder = holder[key]
    if value is _MISSING:
        del holder[last]
    else:
        holder[last] = value
    return parsed


def _whole_file_cases(kind: str, name: str, content: bytes) -> Iterator[Case]:
    whole = {
        **{f"is {value!r:.40}": json.dumps(value).encode() for value in ODD_VALUES},
        "is empty": b"",
        "is no JSON": b"{",
        "is no text": bytes(range(256)),
        "is nested": b"[" * 100_000,
        "is a long number": b"9" * 100_000,
        **{f"has flipped bytes {n}": flipped(content, n) for n in range(20)},
        **{f"ends after {n}": content[:n] for n in range(1, len(content), 200)},
    }
    for title, changed in whole.items():
        yield Case(
            f"zarr {kind}: {name} {title}",
            lambda folder, changed=changed: write_files(
                folder, sound_files(kind) | {name: changed}
            ),
        )


# What takes the place of a file: a chunk, or metadata.
_REPLACED: dict[str, Callable[[Path], object]] = {
    "is a pipe": os.mkfifo if hasattr(os, "mkfifo") else Path.touch,
    "is a folder": Path.mkdir,
    "is a link to itself": lambda path: path.symlink_to(path.name),
    "is a device": lambda path: path.symlink_to("/dev/zero"),
    "is empty": Path.touch,
    "is short": lambda path: path.write_bytes(b"abc"),
    "is garbage": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "is missing": Path.exists,
}


def file_cases(kind: str) -> Iterator[Case]:
    """Yield an image in which something else takes the place of a file."""
    files = sound_files(kind)
    chunk = next(name for name in files if Path(name).name not in _METADATA)
    for name in [chunk, *(n for n in files if Path(n).name in _METADATA)]:
        for title, replace in _REPLACED.items():
            yield Case(
                f"zarr {kind}: {name} {title}",
                partial(_write_replaced, kind, name, replace),
            )
    for n in range(20):
        yield Case(
            f"zarr {kind}: chunk has flipped bytes {n}",
            lambda folder, n=n: write_files(
                folder, files | {chunk: flipped(files[chunk], n)}
            ),
        )


def _write_replaced(
    kind: str, name: str, replace: Callable[[Path], object], folder: Path
) -> Path:
    path = write_files(folder, sound_files(kind))
    (path / name).unlink()
    replace(path / name)
    return path


def zarr_cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    for kind in ("0.5", "0.4", "plain 3", "plain 2"):
        yield from json_cases(kind)
        yield from file_cases(kind)


def result_cases(result: Path) -> Iterator[Case]:
    """Yield a damaged copy of a result of the command, to be resumed.

    Parameters
    ----------
    result : pathlib.Path
        A finished OME-Zarr image. Copies are named as it is.
    """
    files = {
        file.relative_to(result).as_posix(): file.read_bytes()
        for file in result.rglob("*")
        if file.is_file()
    }
    for name, content in files.items():
        if Path(name).name not in _METADATA:
            continue
        parsed = json.loads(content)
        for where in places(parsed):
            for value in (*ODD_VALUES, _MISSING):
                odd = "missing" if value is _MISSING else repr(value)[:40]
                yield Case(
                    f"result: {name} {'.'.join(map(str, where))} {odd}",
                    partial(_write_result, result.name, files, name, where, value),
                )


def _write_result(
    title: str,
    files: dict[str, bytes],
    name: str,
    where: tuple[Any, ...],
    value: Any,
    folder: Path,
) -> Path:
    changed = _changed(json.loads(files[name]), where, value)
    return write_files(folder, files | {name: json.dumps(changed).encode()}, title)
