"""Denoising many files, one after another, into a folder."""

from __future__ import annotations

import glob
import json
import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..denoising.dask_array import Model
from ..errors import DenoiseAEError, DenoiseAEWarning, InvalidInputError, OutputError
from ..io.atomic import atomic_write
from ..io.images import SUFFIXES
from ..io.source import ZARR, close_volumes, is_zarr, signature
from ..models.checkpoint import load_fitting
from ..models.devices import choose_device
from .stream_run import denoise_any_file, plain_settings
from .whole import show_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .whole import FileJob, Watch

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
    files: Sequence[Path],
    output: Path,
    template: FileJob,
    watch: Watch = show_progress,
) -> Iterator[BatchStep]:
    """Denoise files into a folder; go on after one that cannot be.

    Parameters
    ----------
    files : sequence of pathlib.Path
        The files, see `find_files`.
    output : pathlib.Path
        A folder, which is made; the results have the names of the files.
    template : FileJob
        What to do with each of them. What is in the folder and is no result
        of an earlier run is replaced only if `overwrite` is asked for.
    watch : callable
        Sees the steps of each file; see `show_progress`, the default.

    Yields
    ------
    BatchStep
        What became of each file, in their order.

    Raises
    ------
    DenoiseAEError
        Before the first file, if two results would have the same name, or the
        model, the device or the settings cannot be used.
    """
    if template.reference is not None or template.figure is not None:
        raise InvalidInputError(
            "Many files cannot be compared with one reference, nor drawn in one "
            "figure. Omit --reference and --figure, or denoise the files one by one."
        )
    jobs = [replace(template, input=file, output=output / file.name) for file in files]
    _require_own_names(jobs)
    _require_places(files, output)
    digest = _digest_models(template)
    choose_device(template.device)
    record = _read_record(output)
    for job in jobs:
        yield _denoise_one(job, digest, record, watch)


def _digest_models(job: FileJob) -> str:
    """Return a digest of the model for grey images and that for colours."""
    models = [load_fitting(job.model, n_colours) for n_colours in (1, 3)]
    for model in models:
        job.setting.require_usable(model)
    return "+".join(sorted({Model.of(model).digest for model in models}))


def find_files(inputs: Sequence[Path], output: Path) -> list[Path]:
    """Return the image files that folders and patterns stand for.

    Parameters
    ----------
    inputs : sequence of pathlib.Path
        Files, folders of images, or patterns such as ``data/*.tif``.
    output : pathlib.Path
        The folder of the results, which a pattern may stand for, too; what
        lies in it is left out.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    files: list[Path] = []
    for path in inputs:
        if _is_pattern(path):
            files += _matches(path, output)
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
    return files


def _matches(pattern: Path, output: Path) -> list[Path]:
    """Return the images that a pattern stands for, without earlier results."""
    # Path.glob takes no pattern that begins at the root.
    names = sorted(glob.glob(str(pattern)))  # noqa: PTH207
    images = [path for path in map(Path, names) if _is_image(path)]
    results = output.resolve()
    sources = [path for path in images if results not in path.resolve().parents]
    # Where there is nothing else, the folder has been named by mistake.
    return sources or images


def _require_own_names(jobs: Sequence[FileJob]) -> None:
    sources: dict[str, Path] = {}
    for job in jobs:
        for result in _results(job):
            other = sources.setdefault(result.name, job.input)
            if other is not job.input:
                raise InvalidInputError(
                    f"{other} and {job.input} would both have a result of the name "
                    f"{result.name}. Denoise them into different folders."
                )


def _require_places(files: Sequence[Path], output: Path) -> None:
    if any(file.parent.resolve() == output.resolve() for file in files):
        raise InvalidInputError(
            f"The results would replace the images in {output}. Choose another folder."
        )
    if _is_image(output):
        raise InvalidInputError(
            f"Many files need a folder for their results, and {output} has the name "
            f"of an image. Give it a name without {output.suffix}."
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot make the folder {output}: {error.strerror}. Choose another one."
        ) from error


def _denoise_one(
    job: FileJob, digest: str, record: dict[str, Any], watch: Watch
) -> BatchStep:
    try:
        settings = {**plain_settings(job, digest), "signature": signature(job.input)}
        if all(
            _is_known(path, record) and record[path.name]["settings"] == settings
            for path in _results(job)
        ):
            return BatchStep(job.input, "skipped")
        _require_replaceable(job, record)
        # A result of other settings is replaced, if it is as this command left it.
        known = _is_known(job.output, record)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DenoiseAEWarning)
            denoise_any_file(replace(job, overwrite=job.overwrite or known), watch)
        for path in _results(job):
            record[path.name] = {"settings": settings, "result": signature(path)}
        _write_record(job.output.parent, record)
    except DenoiseAEError as error:
        return BatchStep(job.input, "failed", str(error))
    except FileNotFoundError:
        return BatchStep(job.input, "failed", f"There is no file {job.input}.")
    # One bad file must not end what may be a night's work, however odd it is.
    except Exception as error:  # noqa: BLE001
        return BatchStep(job.input, "failed", f"{type(error).__name__}: {error}")
    finally:
        close_volumes()
    return BatchStep(job.input, "done", remarks=_remarks(caught))


def _remarks(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Return what was warned of; what others have warned of is warned of again.

    Warnings are caught in the whole program, of which this may be one thread.
    """
    ours = [w for w in caught if issubclass(w.category, DenoiseAEWarning)]
    for other in caught:
        if other not in ours:
            warnings.warn_explicit(
                other.message, other.category, other.filename, other.lineno
            )
    return tuple(str(w.message) for w in ours)


def _results(job: FileJob) -> list[Path]:
    return [job.output] if job.add_noise is None else [job.output, job.noisy_output]


def _is_known(path: Path, record: dict[str, Any]) -> bool:
    """Tell whether there is a result, and it is as an earlier run has left it."""
    entry = record.get(path.name)
    if not (isinstance(entry, dict) and {"settings", "result"} <= set(entry)):
        return False
    return os.path.exists(path) and entry["result"] == signature(path)  # noqa: PTH110


def _require_replaceable(job: FileJob, record: dict[str, Any]) -> None:
    """Raise if a result would replace a file that this command has not written."""
    for path in _results(job):
        # A Zarr says itself whether it is a result, and goes on where it stopped.
        if job.overwrite or path.suffix.lower() == ZARR or _is_known(path, record):
            continue
        if os.path.lexists(path):
            raise OutputError(
                f"Cannot write {path}: it is there already and is no result of an "
                "earlier run. Choose another folder, or have it replaced (--overwrite)."
            )


def _is_folder(path: Path) -> bool:
    # Path's own raises for names too long.
    return os.path.isdir(path) and not is_zarr(path)  # noqa: PTH112


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not os.path.exists(path)  # noqa: PTH110


def _is_image(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix == ZARR or (suffix in SUFFIXES and not path.is_dir())


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
