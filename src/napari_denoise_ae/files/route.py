"""Decide whether a file is denoised in memory or streamed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..image.axes import count_colors
from ..io.atomic import real_path
from ..io.source import TIFF, is_zarr, open_volume
from ..models.builtin import fitting_model
from .stream_run import stream_to_tiff, stream_to_zarr
from .whole import denoise_file, show_progress

if TYPE_CHECKING:
    from .job import FileJob
    from .report import FileResult, StreamResult
    from .whole import Watch


def denoise_any_file(
    job: FileJob, watch: Watch = show_progress
) -> FileResult | StreamResult:
    """Denoise a file, chunk by chunk where its format allows it.

    Parameters
    ----------
    job : FileJob
        What to do.
    watch : callable
        See `show_progress`, the default.

    Returns
    -------
    FileResult or StreamResult
        What was done.

    Raises
    ------
    DenoiseAEError
        If anything of it cannot be done. A TIFF is then not there; of an
        OME-Zarr the chunks that are finished are, and the same job goes on.
    """
    to_zarr = is_zarr(job.output)
    if job.scheduler is not None and not job.scheduler.strip():
        raise InvalidInputError(
            "The address of the scheduler is empty. Give one such as "
            "tcp://10.0.0.1:8786, or omit --scheduler."
        )
    if job.scheduler is not None and (not to_zarr or job.compares):
        raise InvalidInputError(
            "A cluster writes OME-Zarr, and nothing to compare. Give the output a name "
            "that ends in .zarr, or omit --scheduler."
        )
    if to_zarr and job.compares:
        raise InvalidInputError(
            "An OME-Zarr is written without comparing it with another image. Omit "
            "--add-noise, --reference and --figure, or write a .tif file."
        )
    to_tiff = job.output.suffix.lower() in TIFF and not job.compares
    from_parts = is_zarr(job.input) or job.input.suffix.lower() in TIFF
    if not to_zarr and not (to_tiff and from_parts):
        return denoise_file(job, watch)
    volume = open_volume(job.input, job.axes)
    if not to_zarr and volume.axes != volume.block_axes:
        # Its pages cannot be written one after another.
        return denoise_file(job, watch)
    _require_other_place(job)
    n_colors = count_colors(volume.shape, volume.axes)
    job = replace(job, model=fitting_model(job.model, n_colors))
    write = stream_to_zarr if to_zarr else stream_to_tiff
    return write(job, volume, watch)


def _require_other_place(job: FileJob) -> None:
    source, target = real_path(job.input), real_path(job.output)
    if source == target or source in target.parents or target in source.parents:
        raise InvalidInputError(
            f"Writing {job.output} would replace the input. Choose another name."
        )
