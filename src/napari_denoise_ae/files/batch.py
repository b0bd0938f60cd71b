"""Denoise several files into a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..denoising.compatibility import require_noise_is_taken
from ..errors import DenoiseAEError, InvalidInputError, OutputError
from ..io.folders import signature
from ..io.lock import remove_free_lock
from ..io.source import close_volumes, is_image, is_zarr
from ..models.builtin import fitting_model
from ..models.devices import choose_device
from .loaded_models import LoadedModels
from .naming import result_name
from .overwrite import require_replaceable
from .record import BatchRecord, settings_of_result
from .route import FileDenoising, require_storable_settings
from .steps import FileOutcome

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Sequence
    from pathlib import Path

    from .job import FileJob
    from .steps import BatchStep, FileStep


def denoise_files(
    files: Sequence[Path],
    output: Path,
    template: FileJob,
    *,
    tree_of: Collection[Path] = (),
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
    tree_of : collection of pathlib.Path
        Folders whose subfolders the results keep. The results of other files are
        written directly into `output`.

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
    if template.reference is not None or template.figure or template.reports:
        raise InvalidInputError(
            "Several files cannot be compared with one reference, drawn in one figure "
            "or assessed in one report. Omit --reference, --figure and --report, or "
            "denoise the files one by one."
        )
    jobs = [
        replace(template, input=file, output=_result_of(file, output, tree_of))
        for file in files
    ]
    for job in jobs:
        require_storable_settings(job)
    _require_unique_names(jobs)
    _prepare_folders(jobs, output)
    models = LoadedModels(template.options.device)
    digest = _digest_models(template, models)
    choose_device(template.options.device)
    records: dict[Path, BatchRecord] = {}
    for job in jobs:
        folder = job.output.parent
        if folder not in records:
            records[folder] = BatchRecord(folder)
        yield from _denoise_one(job, digest, records[folder], models)


def _result_of(file: Path, output: Path, tree_of: Collection[Path]) -> Path:
    """Return the path of the result of a file."""
    for root in tree_of:
        if root in file.parents:
            return output / file.relative_to(root).parent / result_name(file)
    return output / result_name(file)


def _digest_models(job: FileJob, loaded: LoadedModels) -> str:
    """Return a digest of the models for gray and for color images."""
    names = [fitting_model(job.model, n_colors) for n_colors in (1, 3)]
    models = [loaded.model(name) for name in names]
    for model in models:
        require_noise_is_taken(model.checkpoint, job.options)
    return "+".join(sorted({model.digest for model in models}))


def _require_unique_names(jobs: Sequence[FileJob]) -> None:
    sources: dict[Path, Path] = {}
    for job in jobs:
        for result in job.results:
            other = sources.setdefault(result, job.input)
            if other is not job.input:
                raise InvalidInputError(
                    f"The results of {other} and {job.input} would both be named "
                    f"{result.name}. Denoise them into different folders."
                )


def _prepare_folders(jobs: Sequence[FileJob], output: Path) -> None:
    """Create the folders of the results, unless they would replace the images."""
    if any(job.input.parent.resolve() == job.output.parent.resolve() for job in jobs):
        raise InvalidInputError(
            f"The results would replace the images in {output}. Choose another folder."
        )
    if is_image(output):
        raise InvalidInputError(
            f"Several files need an output folder, but {output} is the name of an "
            f"image. Choose a name without {output.suffix}."
        )
    for folder in sorted({output, *(job.output.parent for job in jobs)}):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"Cannot create the folder {folder}: {error.strerror}. Choose another "
                "one."
            ) from error


def _denoise_one(
    job: FileJob, digest: str, record: BatchRecord, models: LoadedModels
) -> Iterator[BatchStep]:
    try:
        settings = settings_of_result(job, digest)
        settings["signature"] = signature(job.input)
        if _is_done(job, settings, record):
            remove_free_lock(job.output)
            outcome = FileOutcome(job.input, "skipped")
        else:
            run = yield from _write_results(job, settings, record, models)
            outcome = FileOutcome(job.input, "done", result=run.as_record())
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


def _write_results(
    job: FileJob, settings: dict[str, Any], record: BatchRecord, models: LoadedModels
) -> Generator[FileStep, None, FileDenoising]:
    """Denoise a file; record each result before it gets its name."""

    def add(path: Path, complete: Path) -> None:
        # An OME-Zarr grows under its final name.
        if not is_zarr(path):
            record.add(path.name, complete, settings)

    # A result with other settings is replaced unless the user has changed it.
    others = [path for path in job.results if record.settings_of(path) is None]
    require_replaceable(others, overwrite=job.overwrite)
    overwrite = job.overwrite or others != job.results
    run = FileDenoising(replace(job, overwrite=overwrite, before_replacing=add), models)
    yield from run
    if is_zarr(job.output):
        record.add(job.output.name, job.output, settings)
    return run


def _is_done(job: FileJob, settings: dict[str, Any], record: BatchRecord) -> bool:
    return all(record.settings_of(path) == settings for path in job.results)
