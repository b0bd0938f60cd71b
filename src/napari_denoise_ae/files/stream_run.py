"""Denoise a file of any size into an OME-Zarr image or a TIFF, part by part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..denoising.compatibility import require_compatible
from ..denoising.frames import frame_axis
from ..errors import InvalidInputError
from ..io.atomic import atomic_write, require_writable
from ..io.folders import signature
from ..io.lock import locked
from ..io.temporary import remove
from ..io.tiff import require_tiff_storable
from ..io.tiff_target import TiffTarget
from ..io.zarr_result import damaged_result, result_state
from ..noise.normalization import as_plain, from_plain
from .cluster import write_zarr_on_cluster
from .planes import FilePlanes
from .range_scan import RangeScan
from .record import settings_of_result
from .report import StreamResult, provenance_of_denoised
from .steps import CHUNK, PART, TILE, FileRemark, count_steps
from .stream import Stream, find_file_ranges
from .tiff_layout import tiff_layout
from .tiff_output import write_pages
from .zarr_output import plan_target, write_zarr

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from ..denoising.array import Progress
    from ..denoising.dask_blocks import Model
    from ..denoising.denoiser import Denoiser
    from ..io.source import Volume
    from ..io.zarr_target import ZarrTarget
    from ..models.checkpoint import Checkpoint
    from .job import FileJob
    from .loaded_models import LoadedModels
    from .steps import FileStep


def stream_to_tiff(
    job: FileJob, volume: Volume, models: LoadedModels
) -> Generator[FileStep, None, StreamResult]:
    """Denoise a file into a TIFF, page by page.

    Parameters
    ----------
    job : FileJob
        The settings.
    volume : Volume
        The input.
    models : LoadedModels
        Models shared with other files.

    Yields
    ------
    FileStep
        Progress of the scan for the intensity range, if any; warnings; progress in
        tiles.

    Returns
    -------
    StreamResult
        The result, after the file has been written.
    """
    require_writable(job.output)
    dtype = job.options.result_dtype(volume.dtype)
    require_tiff_storable(job.output, dtype, volume.axes)
    denoiser = models.denoiser(job.model, job.options.precision)
    stream = yield from _prepare(job, volume, denoiser.checkpoint)
    yield from _remarks(job, stream, denoiser.checkpoint)
    shape, selection = stream.planes.file_shape, stream.planes.selection
    layout = tiff_layout(
        job.output, volume, selection, dtype, compression=job.compression
    )
    provenance = provenance_of_denoised(job, stream.ranges)
    with (
        atomic_write(job.output, job.before_replacing) as temporary,
        TiffTarget(temporary, layout, provenance=provenance) as target,
    ):
        pages = write_pages(stream, target, denoiser)
        yield from count_steps(job.input, TILE, pages)
    return StreamResult(
        job, shape, volume.axes, volume.dtype, stream.ranges, str(denoiser.device)
    )


def stream_to_zarr(
    job: FileJob, volume: Volume, models: LoadedModels
) -> Generator[FileStep, None, StreamResult]:
    """Denoise a file into an OME-Zarr image, chunk by chunk.

    If `job.output` is an unfinished result with the same settings, only its missing
    chunks are computed.

    Parameters
    ----------
    job : FileJob
        The settings.
    volume : Volume
        The input.
    models : LoadedModels
        Models shared with other files.

    Yields
    ------
    FileStep
        Progress of the scan for the intensity range, if any; warnings; progress in
        chunks.

    Returns
    -------
    StreamResult
        The result, after the image has been written.
    """
    require_writable_folder(job.output)
    with locked(job.output):
        return (yield from _stream_to_zarr(job, volume, models))


def _stream_to_zarr(
    job: FileJob, volume: Volume, models: LoadedModels
) -> Generator[FileStep, None, StreamResult]:
    model = models.model(job.model)
    # The workers of a cluster choose their devices.
    denoiser = (
        None if job.scheduler else models.denoiser(job.model, job.options.precision)
    )
    # Settings compare equal whether the axes are given or read from the file.
    job = replace(job, options=replace(job.options, axes=volume.axes))
    settings = settings_of_result(job, model.digest)
    settings["signature"] = signature(job.input)
    found, is_finished = _earlier_run(job.output, settings)
    stream = yield from _prepare(job, volume, model.checkpoint, found)
    stride = model.checkpoint.outline().stride
    target = plan_target(
        stream, job.output.absolute(), stride, settings, job.compression
    )
    target.begin(as_plain(stream.ranges), overwrite=job.overwrite)
    n_kept = _count_done(target)
    if not (is_finished and n_kept == target.total):
        yield from _remarks(job, stream, model.checkpoint)
        chunks = _write_chunks(job, stream, target, model, denoiser)
        yield from count_steps(job.input, CHUNK, chunks)
        _finish(job, target)
    device = f"workers of {job.scheduler}" if denoiser is None else str(denoiser.device)
    image = (stream.planes.file_shape, volume.axes, volume.dtype)
    return StreamResult(job, *image, stream.ranges, device, n_kept, target.total)


def _finish(job: FileJob, target: ZarrTarget) -> None:
    """Mark a result as finished, or remove it if its source has changed."""
    try:
        if job.before_replacing is not None:
            job.before_replacing(job.output, target.path)
    except InvalidInputError:
        # Some chunks are those of another image.
        remove(target.path)
        raise
    target.finish()


def _write_chunks(
    job: FileJob,
    stream: Stream,
    target: ZarrTarget,
    model: Model,
    denoiser: Denoiser | None,
) -> Iterator[Progress]:
    """Write the chunks in this process, or on a cluster if there is no denoiser."""
    if denoiser is not None:
        return write_zarr(stream, target, denoiser)
    return write_zarr_on_cluster(
        stream,
        target,
        model,
        options=job.options,
        scheduler=job.scheduler or "",
    )


def _earlier_run(
    path: Path, settings: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, bool]:
    """Return the scaling that an earlier run measured, and whether it was finished.

    The scaling is None if there is no result with the same settings.

    Raises
    ------
    OutputError
        If the scaling is damaged.
    """
    state = result_state(path)
    if state is None:
        return None, False
    # The chunk shape is added when the target is planned.
    earlier = {
        key: value for key, value in state["settings"].items() if key != "chunks"
    }
    if earlier != settings:
        return None, False
    try:
        from_plain(state["found"])
    except (LookupError, TypeError, ValueError) as error:
        raise damaged_result(path, error) from error
    return state["found"], state["finished"]


def _count_done(target: ZarrTarget) -> int:
    return sum(
        target.is_done(level, number)
        for level in range(len(target.shapes))
        for number in target.numbers(level)
    )


def require_writable_folder(path: Path) -> None:
    """Raise unless a folder can be created or written to, see `require_writable`."""
    # The name stands for any file in the folder.
    require_writable(path / "x" if path.is_dir() else path)


def _prepare(
    job: FileJob,
    volume: Volume,
    checkpoint: Checkpoint,
    found: Mapping[str, Any] | None = None,
) -> Generator[FileStep, None, Stream]:
    """Return the stream of a job, after a scan for the intensity range if needed."""
    planes, options = FilePlanes.of(volume, job.select), job.options
    require_compatible(checkpoint, planes.shape[-1], options)
    if options.frames:
        frame_axis(planes.axes)
    ranges = None if found is None else from_plain(found)
    ranges = ranges or find_file_ranges(planes, checkpoint, options)
    if ranges is None:
        scan = RangeScan(planes, range_of=options.range_of)
        yield from count_steps(job.input, PART, scan)
        ranges = scan.result
    return Stream(
        planes=planes,
        ranges=ranges,
        dtype=options.result_dtype(volume.dtype),
        tile_size=options.tile_size,
        frames=options.frames,
    )


def _remarks(
    job: FileJob, stream: Stream, checkpoint: Checkpoint
) -> Iterator[FileRemark]:
    for message in stream.find_incompatibilities(checkpoint, job.options.noise):
        yield FileRemark(job.input, message)
