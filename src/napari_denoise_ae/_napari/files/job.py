"""Denoise many files outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import DenoiseAEError
from ..shared.worker import Failed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from ...denoising.options import DenoiseOptions
    from ...files.steps import BatchStep


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesJob:
    """The files to denoise, and the options.

    Parameters
    ----------
    inputs : tuple of pathlib.Path
        The files.
    output : pathlib.Path
        Folder for the results.
    model : str
        The model; see `denoise`.
    options : DenoiseOptions
        The options; see `denoise`.
    overwrite : bool
        Whether to replace files that are not the result of an earlier run.
    """

    inputs: tuple[Path, ...]
    output: Path
    model: str
    options: DenoiseOptions
    overwrite: bool


def list_images(
    folder: Path, output: Path
) -> Generator[None, None, list[Path] | Failed]:
    """Return the images in a folder; an OME-Zarr folder is itself an image."""
    yield
    # Imported here, because it imports torch.
    from ...files.find import find_files

    try:
        return find_files([folder], output)
    except DenoiseAEError as error:
        return Failed(str(error))
    except OSError as error:
        return Failed(f"Cannot read the folder {folder}: {error.strerror}.")


def denoise_in_turn(job: FilesJob) -> Generator[BatchStep, None, Failed | None]:
    """Denoise files one after another; yield the progress and outcome of each."""
    from ...files.batch import denoise_files
    from ...files.job import FileJob

    template = FileJob(
        input=job.inputs[0],
        output=job.output,
        model=job.model,
        options=job.options,
        overwrite=job.overwrite,
    )
    try:
        yield from denoise_files(job.inputs, job.output, template)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Denoising failed: {error}")
    return None
