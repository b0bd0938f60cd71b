"""Denoising many files, one after another, into a folder."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..denoising.dask_blocks import Model
from ..denoising.model_ranges import require_noise_level_is_taken
from ..errors import DenoiseAEError, DenoiseAEWarning, InvalidInputError, OutputError
from ..io.source import ZARR, close_volumes, is_image, signature
from ..models.devices import choose_device
from ..models.load import load_fitting
from .record import is_recorded, read_record, write_record
from .route import denoise_any_file
from .stream_run import plain_settings
from .whole import show_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .job import FileJob
    from .whole import Watch


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
    record = read_record(output)
    for job in jobs:
        yield _denoise_one(job, digest, record, watch)


def _digest_models(job: FileJob) -> str:
    """Return a digest of the model for gray images and that for colors."""
    models = [load_fitting(job.model, n_colors) for n_colors in (1, 3)]
    for model in models:
        require_noise_level_is_taken(job.setting, model)
    return "+".join(sorted({Model.of(model).digest for model in models}))


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
    if is_image(output):
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
            is_recorded(path, record) and record[path.name]["settings"] == settings
            for path in _results(job)
        ):
            return BatchStep(job.input, "skipped")
        _require_replaceable(job, record)
        # A result of other settings is replaced, if it is as this command left it.
        known = is_recorded(job.output, record)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DenoiseAEWarning)
            denoise_any_file(replace(job, overwrite=job.overwrite or known), watch)
        for path in _results(job):
            record[path.name] = {"settings": settings, "result": signature(path)}
        write_record(job.output.parent, record)
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


def _require_replaceable(job: FileJob, record: dict[str, Any]) -> None:
    """Raise if a result would replace a file that this command has not written."""
    for path in _results(job):
        # A Zarr says itself whether it is a result, and goes on where it stopped.
        if job.overwrite or path.suffix.lower() == ZARR or is_recorded(path, record):
            continue
        if os.path.lexists(path):
            raise OutputError(
                f"Cannot write {path}: it is there already and is no result of an "
                "earlier run. Choose another folder, or have it replaced (--overwrite)."
            )
