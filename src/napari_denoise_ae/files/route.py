"""Decide whether a file is denoised in memory or streamed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..denoising.options import AS_INPUT
from ..errors import InvalidInputError
from ..image.axes import count_colors
from ..io.atomic import real_path
from ..io.images import INTEGER_SUFFIXES
from ..io.losses import find_losses
from ..io.ome_zarr import missing_chunks
from ..io.source import TIFF, is_zarr, open_volume
from ..models.builtin import fitting_model
from .loaded_models import LoadedModels
from .overwrite import require_replaceable
from .steps import FileRemark
from .stream_run import stream_to_tiff, stream_to_zarr
from .whole import denoise_whole

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ..io.source import Volume
    from .job import FileJob
    from .report import FileResult, StreamResult
    from .steps import FileStep


class FileDenoising:
    """A run that denoises one file, chunk by chunk if the formats allow it.

    Iterate over it to denoise the file; `result` then holds the result. If the
    iteration ends early, an OME-Zarr image keeps its finished chunks and the same job
    resumes it; other formats leave no partial file.

    Parameters
    ----------
    job : FileJob
        The settings.
    models : LoadedModels, optional
        Models shared with other files.

    Raises
    ------
    DenoiseAEError
        If the settings contradict each other. While iterating, if the file cannot be
        read, denoised or written.
    """

    def __init__(self, job: FileJob, models: LoadedModels | None = None) -> None:
        _require_consistent(job)
        self._job = job
        self._models = models or LoadedModels(job.options.device)
        self._result: FileResult | StreamResult | None = None

    @property
    def result(self) -> FileResult | StreamResult:
        """The result, once the file is finished."""
        if self._result is None:
            raise RuntimeError("the file is not finished")
        return self._result

    def __iter__(self) -> Iterator[FileStep]:
        figures = [] if self._job.figure is None else [self._job.figure]
        written = [*self._job.results, *figures]
        require_replaceable(written, overwrite=self._job.overwrite)
        volume = open_volume(self._job.input, self._job.options.axes, self._job.series)
        dtype = self._job.options.result_dtype(volume.dtype)
        losses = find_losses(self._job.output, volume, dtype)
        for text in (*volume.notes, missing_chunks(volume), losses):
            if text:
                yield FileRemark(self._job.input, text)
        n_colors = count_colors(volume.shape, volume.axes)
        job = replace(self._job, model=fitting_model(self._job.model, n_colors))
        self._result = yield from _run(job, volume, self._models)


def _run(
    job: FileJob, volume: Volume, models: LoadedModels
) -> Generator[FileStep, None, FileResult | StreamResult]:
    to_zarr = is_zarr(job.output)
    if not to_zarr and not _can_stream_to_tiff(job, volume):
        return (yield from denoise_whole(job, volume, models))
    _require_separate_paths(job)
    write = stream_to_zarr if to_zarr else stream_to_tiff
    return (yield from write(job, volume, models))


def _can_stream_to_tiff(job: FileJob, volume: Volume) -> bool:
    to_tiff = job.output.suffix.lower() in TIFF and not job.compares
    from_parts = is_zarr(job.input) or job.input.suffix.lower() in TIFF
    # Pages cannot be written one by one if S comes before Y and X.
    return to_tiff and from_parts and volume.axes == volume.block_axes


def require_storable_dtype(job: FileJob) -> None:
    """Raise if the format of the output cannot store the requested dtype.

    Raises
    ------
    InvalidInputError
        If float32 is requested for a PNG, JPEG or WebP file.
    """
    suffix, dtype = job.output.suffix, job.options.dtype
    if dtype != AS_INPUT and suffix.lower() in INTEGER_SUFFIXES:
        raise InvalidInputError(
            f"Cannot write {job.output}: {suffix[1:].upper()} files cannot store "
            f"{dtype}. Write a TIFF (.tif) or OME-Zarr (.zarr), or use dtype 'input' "
            "(--dtype input)."
        )


def _require_consistent(job: FileJob) -> None:
    require_storable_dtype(job)
    to_zarr = is_zarr(job.output)
    if job.scheduler is not None and not job.scheduler.strip():
        raise InvalidInputError(
            "The address of the scheduler is empty. Pass an address such as "
            "tcp://10.0.0.1:8786, or omit --scheduler."
        )
    if job.scheduler is not None and (not to_zarr or job.compares):
        raise InvalidInputError(
            "A cluster writes only OME-Zarr images and compares none. Choose an output "
            "name that ends in .zarr and omit --add-noise, --reference and --figure, "
            "or omit --scheduler."
        )
    if to_zarr and job.compares:
        raise InvalidInputError(
            "An OME-Zarr result cannot be compared with another image. Omit "
            "--add-noise, --reference and --figure, or write a .tif file."
        )


def _require_separate_paths(job: FileJob) -> None:
    source, target = real_path(job.input), real_path(job.output)
    if source == target or source in target.parents or target in source.parents:
        raise InvalidInputError(
            f"Writing {job.output} would replace the input. Choose another name."
        )
