"""Decide whether a file is denoised in memory or streamed."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..denoising.options import AS_INPUT
from ..errors import InvalidInputError
from ..image.axes import count_colors
from ..io.atomic import real_path
from ..io.compression import require_compressible, require_format_has
from ..io.images import INTEGER_SUFFIXES
from ..io.location import file_of, is_remote, shown, url_of
from ..io.losses import find_losses
from ..io.ome_zarr import missing_chunks
from ..io.source import TIFF, is_picture, is_zarr, open_volume, opened_volume
from ..models.builtin import fitting_model
from .loaded_models import LoadedModels
from .overwrite import require_replaceable
from .steps import FileRemark
from .stream_run import stream_to_tiff, stream_to_zarr
from .trust import report_trust, require_reports
from .unchanged import Unchanged
from .whole import denoise_whole

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ..evaluation.trust.report import TrustReport
    from ..io.source import Volume
    from .job import FileJob
    from .report import FileResult, StreamResult
    from .steps import FileStep

_LOGGER = logging.getLogger(__name__)


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

    Attributes
    ----------
    trust : tuple of TrustReport
        The trust report, or that of each channel, once the file is finished; empty
        unless the job has `reports`.

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
        self.trust: tuple[TrustReport, ...] = ()

    @property
    def result(self) -> FileResult | StreamResult:
        """The result, once the file is finished."""
        if self._result is None:
            raise RuntimeError("the file is not finished")
        return self._result

    def as_record(self) -> dict[str, Any]:
        """Return facts about the finished result as JSON values."""
        trust = [report.as_record() for report in self.trust]
        return self.result.as_record() | {"trust": trust}

    def __iter__(self) -> Iterator[FileStep]:
        require_reports(self._job)
        unchanged = Unchanged(self._job.input)
        volume = open_volume(self._job.input, self._job.options.axes, self._job.series)
        dtype = self._job.options.result_dtype(volume.dtype)
        # Channels after X are samples of a TIFF, too.
        last = "S" if "S" in volume.axes else volume.axes[-1]
        n_samples = volume.lengths[last] if last in "SC" else 1
        require_compressible(self._job.output, self._job.compression, dtype, n_samples)
        losses = find_losses(self._job.output, volume, dtype, self._job.compression)
        for text in (*volume.notes, missing_chunks(volume), losses):
            if text:
                yield FileRemark(self._job.input, text)
        n_colors = count_colors(volume.shape, volume.axes)
        job = replace(
            self._job,
            model=fitting_model(self._job.model, n_colors),
            before_replacing=unchanged.required_before(self._job.before_replacing),
        )
        _LOGGER.info("Denoising %s with the model %s.", shown(job.input), job.model)
        result = yield from _run(job, volume, self._models)
        if is_remote(job.input) and (text := _missing_remotely(job, volume)):
            yield FileRemark(job.input, text)
        if job.reports:
            self.trust = yield from report_trust(job, volume, result, self._models)
        self._result = result


def _missing_remotely(job: FileJob, volume: Volume) -> str:
    """Return a note on chunks at an address that were missing when they were read."""
    text = missing_chunks(volume)
    if text or _is_in_memory(job, volume):
        return text
    # Streams read from the volume that this process keeps open.
    return missing_chunks(opened_volume(volume.path, volume.axes, volume.series))


def _run(
    job: FileJob, volume: Volume, models: LoadedModels
) -> Generator[FileStep, None, FileResult | StreamResult]:
    in_memory = _is_in_memory(job, volume)
    _LOGGER.info(
        "The image is denoised %s.", "in memory" if in_memory else "part by part"
    )
    if in_memory:
        return (yield from denoise_whole(job, volume, models))
    _require_separate_paths(job)
    require_replaceable([job.output], overwrite=job.overwrite)
    write = stream_to_zarr if is_zarr(job.output) else stream_to_tiff
    return (yield from write(job, volume, models))


def _is_in_memory(job: FileJob, volume: Volume) -> bool:
    return not is_zarr(job.output) and not _can_stream_to_tiff(job, volume)


def _can_stream_to_tiff(job: FileJob, volume: Volume) -> bool:
    to_tiff = job.output.suffix.lower() in TIFF and not job.compares
    # Pages cannot be written one by one if S comes before Y and X.
    return to_tiff and not is_picture(job.input) and volume.axes == volume.block_axes


def require_storable_settings(job: FileJob) -> None:
    """Raise if the format of the output has no such dtype or compression.

    Raises
    ------
    InvalidInputError
        If float32 or a compression is requested for a PNG, JPEG or WebP file.
    """
    require_format_has(job.output, job.compression)
    suffix, dtype = job.output.suffix, job.options.dtype
    if dtype != AS_INPUT and suffix.lower() in INTEGER_SUFFIXES:
        raise InvalidInputError(
            f"Cannot write {job.output}: {suffix[1:].upper()} files cannot store "
            f"{dtype}. Write a TIFF (.tif) or OME-Zarr (.zarr), or use dtype 'input' "
            "(--dtype input)."
        )


def _require_consistent(job: FileJob) -> None:
    if is_remote(job.output):
        raise InvalidInputError(
            f"Cannot write {url_of(job.output)}: results are written to this machine "
            "only. Choose a file or folder."
        )
    require_storable_settings(job)
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
    source, target = real_path(file_of(job.input)), real_path(job.output)
    if source == target or source in target.parents or target in source.parents:
        raise InvalidInputError(
            f"Writing {job.output} would replace the input. Choose another name."
        )
