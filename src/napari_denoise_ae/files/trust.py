"""Assess the result of denoising a file, and write the reports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..evaluation.trust.assessment import Assessment, AssessOptions
from ..evaluation.trust.others import Others
from ..evaluation.trust.windows import channels_of
from ..evaluation.trust.write import require_report_name, write_report
from ..image.planes import ArrayPlanes
from ..io.atomic import real_path, require_writable
from ..io.source import open_volume
from ..io.units import LENGTHS
from .overwrite import require_replaceable
from .planes import FilePlanes
from .report import FileResult
from .steps import PASS, count_steps

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..evaluation.trust.report import TrustReport
    from ..image.planes import Planes
    from ..io.source import Volume
    from .job import FileJob
    from .loaded_models import LoadedModels
    from .report import StreamResult
    from .steps import FileStep


def require_reports(job: FileJob) -> None:
    """Raise, before denoising, if a report of a job cannot be written.

    Raises
    ------
    InvalidInputError
        If its name has another suffix, or it would replace another file of the job.
    OutputError
        If it cannot be written.
    """
    others = (job.input, job.reference, job.figure, *job.results)
    taken = {real_path(path) for path in others if path is not None}
    for path in job.reports:
        require_report_name(path)
        if real_path(path) in taken:
            raise InvalidInputError(
                f"Writing {path} would replace the input or another result. Choose "
                "another name."
            )
        taken.add(real_path(path))
        require_writable(path)
    require_replaceable(job.reports, overwrite=job.overwrite)


def report_trust(
    job: FileJob,
    volume: Volume,
    result: FileResult | StreamResult,
    models: LoadedModels,
) -> Generator[FileStep, None, tuple[TrustReport, ...]]:
    """Assess a finished result and write the reports of its job.

    Parameters
    ----------
    job : FileJob
        The settings, with the name of the model that was used.
    volume : Volume
        The input.
    result : FileResult or StreamResult
        The result.
    models : LoadedModels
        The models of the run.

    Yields
    ------
    FileStep
        The progress in passes of the model over a window.

    Returns
    -------
    tuple of TrustReport
        The report, or that of each channel.
    """
    noisy, denoised = _planes(job, volume, result)
    clean = None
    if isinstance(result, FileResult) and result.clean is not None:
        clean = ArrayPlanes.of(result.clean, result.axes)
    size = pixel_size(volume)
    reports = []
    for channel in channels_of(noisy):
        run = Assessment(
            noisy,
            denoised,
            models.denoiser(job.model, job.options.precision),
            replace(job.options, axes=volume.axes),
            choice=AssessOptions(pixel_size=size),
            channel=channel,
            others=Others(clean),
            ranges=result.intensity_range,
        )
        yield from count_steps(job.input, PASS, run)
        reports.append(run.report)
    for path in job.reports:
        write_report(path, reports, title=job.input.name, pixel_size=size)
    return tuple(reports)


def _planes(
    job: FileJob, volume: Volume, result: FileResult | StreamResult
) -> tuple[Planes, Planes]:
    if isinstance(result, FileResult):
        noisy, denoised = result.noisy, result.denoised
        return ArrayPlanes.of(noisy, result.axes), ArrayPlanes.of(denoised, result.axes)
    written = open_volume(job.output, volume.axes)
    return FilePlanes.of(volume, job.select), FilePlanes.of(written)


def pixel_size(volume: Volume) -> tuple[float, str] | None:
    """Return the size of a pixel along X and its unit; None if it is unknown.

    Pixels that are not square have no single size.
    """
    unit, size = LENGTHS.get(volume.units.get("X", "")), volume.scale.get("X", 0.0)
    same = volume.units.get("Y") == volume.units.get("X")
    is_square = same and volume.scale.get("Y") == size
    return (size, unit.symbol) if unit is not None and size > 0 and is_square else None
