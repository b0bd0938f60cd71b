"""Denoise several files into a folder."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..denoising.compatibility import require_noise_is_taken
from ..errors import DenoiseAEError, InvalidInputError, OutputError
from ..io.source import ZARR, close_volumes, is_image, signature
from ..models.builtin import fitting_model
from ..models.devices import choose_device
from .loaded_models import LoadedModels
from .record import is_recorded, read_record, settings_of_result, write_record
from .route import FileDenoising, require_storable_dtype
from .steps import FileOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .job import FileJob
    from .steps import BatchStep


def denoise_files(
    files: Sequence[Path], output: Path, template: FileJob
) -> Iterator[BatchStep]:
    """Denoise files into a folder; a file that fails does not end the run.

    Parameters
    ----------
    files : sequence of pathlib.Path
        The files, see `find_files`.
    output : pathlib.Path
        Folder for the results, created if missing. Results keep the file names.
    template : FileJob
        Settings for all files. Files that are not results of an earlier run are
        replaced only if its `overwrite` is True.

    Yields
    ------
    BatchStep
        Progress and warnings of each file, then its `FileOutcome`.

    Raises
    ------
    DenoiseAEError
        Before the first file, if two results would have the same name, or the
        model, the device or the settings cannot be used.
    """
    if template.reference is not None or template.figure is not None:
        raise InvalidInputError(
            "Several files cannot be compared with one reference or drawn in one "
            "figure. Omit --reference and --figure, or denoise the files one by one."
        )
    jobs = [replace(template, input=file, output=output / file.name) for file in files]
    for job in jobs:
        require_storable_dtype(job)
    _require_unique_names(jobs)
    _prepare_folder(files, output)
    models = LoadedModels(template.options.device)
    digest = _digest_models(template, models)
    choose_device(template.options.device)
    record = read_record(output)
    for job in jobs:
        yield from _denoise_one(job, digest, record, models)


def _digest_models(job: FileJob, loaded: LoadedModels) -> str:
    """Return a digest of the models for gray and for color images."""
    names = [fitting_model(job.model, n_colors) for n_colors in (1, 3)]
    models = [loaded.model(name) for name in names]
    for model in models:
        require_noise_is_taken(model.checkpoint, job.options)
    return "+".join(sorted({model.digest for model in models}))


def _require_unique_names(jobs: Sequence[FileJob]) -> None:
    sources: dict[str, Path] = {}
    for job in jobs:
        for result in _results(job):
            other = sources.setdefault(result.name, job.input)
            if other is not job.input:
                raise InvalidInputError(
                    f"The results of {other} and {job.input} would both be named "
                    f"{result.name}. Denoise them into different folders."
                )


def _prepare_folder(files: Sequence[Path], output: Path) -> None:
    """Create the folder of the results, unless they would replace the images."""
    if any(file.parent.resolve() == output.resolve() for file in files):
        raise InvalidInputError(
            f"The results would replace the images in {output}. Choose another folder."
        )
    if is_image(output):
        raise InvalidInputError(
            f"Several files need an output folder, but {output} is the name of an "
            f"image. Choose a name without {output.suffix}."
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot create the folder {output}: {error.strerror}. Choose another one."
        ) from error


def _denoise_one(
    job: FileJob, digest: str, record: dict[str, Any], models: LoadedModels
) -> Iterator[BatchStep]:
    try:
        settings = settings_of_result(job, digest)
        settings["signature"] = signature(job.input)
        if _is_done(job, settings, record):
            outcome = FileOutcome(job.input, "skipped")
        else:
            _require_replaceable(job, record)
            # A result with other settings is replaced unless the user has changed it.
            overwrite = job.overwrite or is_recorded(job.output, record)
            yield from FileDenoising(replace(job, overwrite=overwrite), models)
            for path in _results(job):
                record[path.name] = {"settings": settings, "result": signature(path)}
            write_record(job.output.parent, record)
            outcome = FileOutcome(job.input, "done")
    except DenoiseAEError as error:
        outcome = FileOutcome(job.input, "failed", str(error))
    except FileNotFoundError:
        outcome = FileOutcome(job.input, "failed", f"There is no file {job.input}.")
    # No error in one file may end a batch that runs overnight.
    except Exception as error:  # noqa: BLE001
        reason = f"{type(error).__name__}: {error}"
        outcome = FileOutcome(job.input, "failed", reason)
    finally:
        close_volumes()
    yield outcome


def _is_done(job: FileJob, settings: dict[str, Any], record: dict[str, Any]) -> bool:
    return all(
        is_recorded(path, record) and record[path.name]["settings"] == settings
        for path in _results(job)
    )


def _results(job: FileJob) -> list[Path]:
    return [job.output] if job.add_noise is None else [job.output, job.noisy_output]


def _require_replaceable(job: FileJob, record: dict[str, Any]) -> None:
    """Raise if a result would replace a file that an earlier run did not write."""
    for path in _results(job):
        # An OME-Zarr result contains its own record, and can be resumed.
        if job.overwrite or path.suffix.lower() == ZARR or is_recorded(path, record):
            continue
        if os.path.lexists(path):
            raise OutputError(
                f"Cannot write {path}: it exists and is not a result of an earlier "
                "run. Choose another folder, or replace it (--overwrite)."
            )
