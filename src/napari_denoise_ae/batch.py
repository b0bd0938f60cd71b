"""Denoising many files, one after another, into a folder."""

from __future__ import annotations

import glob
import json
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checkpoint import load_checkpoint
from .devices import choose_device
from .errors import DenoiseAEError, DenoiseAEWarning, InvalidInputError, OutputError
from .files import atomic_write
from .images import SUFFIXES
from .lazy import Model
from .stream_file import denoise_any_file, plain_settings
from .volumes import is_zarr, signature

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .denoise_file import FileJob

#: In the folder of the results: what each of them was made from.
RECORD = ".napari-denoise-ae.json"


@dataclass(frozen=True, slots=True)
class BatchStep:
    """What became of a file.

    Parameters
    ----------
    input : pathlib.Path
        The file.
    outcome : str
        ``"done"``, ``"skipped"`` (done before, and unchanged) or ``"failed"``.
    reason : str
        Why it failed.
    remarks : tuple of str
        Warnings for a user to read.
    """

    input: Path
    outcome: str
    reason: str = ""
    remarks: tuple[str, ...] = ()


def is_batch(inputs: Sequence[Path]) -> bool:
    """Tell whether inputs are several files, a folder of them or a pattern."""
    only = inputs[0]
    return len(inputs) > 1 or _is_folder(only) or _is_pattern(only)


def denoise_files(
    inputs: Sequence[Path], output: Path, template: FileJob
) -> Iterator[BatchStep]:
    """Denoise files into a folder; go on after one that cannot be.

    Parameters
    ----------
    inputs : sequence of pathlib.Path
        Files, folders of images, or patterns such as ``data/*.tif``.
    output : pathlib.Path
        A folder, which is made; the results have the names of the files.
    template : FileJob
        What to do with each of them.

    Yields
    ------
    BatchStep
        What became of each file, in the order of the names.

    Raises
    ------
    DenoiseAEError
        Before the first file, if there is none, two would have the same name,
        or the model or the device cannot be used.
    """
    files = find_files(inputs)
    _require_places(files, output)
    model = Model.of(load_checkpoint(template.model))
    choose_device(template.device)
    record = _read_record(output)
    for file in files:
        # What is there is a result of an earlier run, or it is refused.
        job = replace(template, input=file, output=output / file.name, overwrite=True)
        yield _denoise_one(job, model, record)


def find_files(inputs: Sequence[Path]) -> list[Path]:
    """Return the image files that folders and patterns stand for.

    Raises
    ------
    InvalidInputError
        If there is none, or two have the same name.
    """
    files: list[Path] = []
    for path in inputs:
        if _is_pattern(path):
            # Path.glob takes no pattern that begins at the root.
            names = sorted(glob.glob(str(path)))  # noqa: PTH207
            files += (Path(name) for name in names)
        elif _is_folder(path):
            files += sorted(child for child in path.iterdir() if _is_image(child))
        else:
            files.append(path)
    if not files:
        given = ", ".join(str(path) for path in inputs)
        raise InvalidInputError(
            f"There are no images at {given}: expected "
            f"{', '.join(sorted(SUFFIXES))} or .zarr."
        )
    by_name: dict[str, Path] = {}
    for file in files:
        other = by_name.setdefault(file.name, file)
        if other is not file:
            raise InvalidInputError(
                f"{other} and {file} have the same name, and so would their results. "
                "Denoise them into different folders."
            )
    return files


def _require_places(files: Sequence[Path], output: Path) -> None:
    if any(file.parent.resolve() == output.resolve() for file in files):
        raise InvalidInputError(
            f"The results would replace the images in {output}. Choose another folder."
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot make the folder {output}: {error.strerror}. Choose another one."
        ) from error


def _denoise_one(job: FileJob, model: Model, record: dict[str, Any]) -> BatchStep:
    name = job.output.name
    try:
        settings = {**plain_settings(job, model), "signature": signature(job.input)}
        made = {"settings": settings, "result": _signature_or_none(job.output)}
        if made["result"] is not None and record.get(name) == made:
            return BatchStep(job.input, "skipped")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DenoiseAEWarning)
            denoise_any_file(job)
        record[name] = {"settings": settings, "result": signature(job.output)}
        _write_record(job.output.parent, record)
    # One bad file must not end what may be a night's work.
    except (DenoiseAEError, OSError, RuntimeError, MemoryError) as error:
        return BatchStep(job.input, "failed", str(error) or type(error).__name__)
    return BatchStep(job.input, "done", remarks=tuple(str(w.message) for w in caught))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not is_zarr(path)


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not path.exists()


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES or path.suffix.lower() == ".zarr"


def _signature_or_none(path: Path) -> list[int] | None:
    return signature(path) if path.exists() else None


def _read_record(folder: Path) -> dict[str, Any]:
    """Read what is known of the results; nothing, if it is damaged."""
    try:
        content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_record(folder: Path, record: dict[str, Any]) -> None:
    with atomic_write(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
