"""Denoise an image file in memory, and compare the result with a clean image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..denoising.array import Denoising
from ..denoising.compatibility import find_incompatibilities
from ..denoising.model_ranges import find_model_ranges
from ..errors import InvalidInputError
from ..evaluation.comparison import compare
from ..image.checks import require_image
from ..image.planes import ArrayPlanes
from ..image.ranges import resolve_intensity_ranges
from ..io.images import read_image
from ..noise.add import add_noise
from ..noise.windows import read_noise_windows
from .report import FileResult
from .steps import TILE, FileRemark, count_steps
from .whole_output import require_outputs, write_result
from .whole_source import read_source

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..evaluation.comparison import Comparison
    from ..image.intensity import IntensityRanges
    from ..io.source import Volume
    from .job import FileJob
    from .loaded_models import LoadedModels
    from .steps import FileStep
    from .whole_source import WholeSource


def denoise_whole(
    job: FileJob, volume: Volume, models: LoadedModels
) -> Generator[FileStep, None, FileResult]:
    """Denoise a file in memory, and compare it with its clean image, if known.

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
        Warnings, then the progress in tiles.

    Returns
    -------
    FileResult
        The result, after it has been written.
    """
    denoiser = models.denoiser(job.model, job.options.precision)
    source = read_source(
        volume, job.select, denoiser.network, frames=job.options.frames
    )
    axes = source.axes
    require_outputs(job, source.selected, axes)
    clean, notes = _clean_image(job, source)
    for note in notes:
        yield FileRemark(job.input, f"{job.reference}: {note}")
    limits = resolve_intensity_ranges(
        ArrayPlanes.of(source.selected, axes),
        job.options.intensity_range,
        range_of=job.options.range_of,
    )
    with_halo = _noisy_image(job, source, limits)
    noisy = source.crop(with_halo)
    run = _start(job, source, with_halo, denoiser, limits)
    yield from _remarks(job, ArrayPlanes.of(noisy, axes), denoiser, run)
    yield from count_steps(job.input, TILE, run)
    denoised = source.crop(run.result)
    result = FileResult(
        job=job,
        noisy=noisy,
        denoised=denoised,
        clean=clean,
        axes=axes,
        intensity_range=run.intensity_ranges,
        device=denoiser.device,
        comparison=_compare(job, axes, clean, noisy, denoised),
    )
    write_result(result, volume, limits.hull)
    return result


def _remarks(
    job: FileJob, planes: ArrayPlanes, denoiser: Denoiser, run: Denoising
) -> Iterator[FileRemark]:
    ranges = run.intensity_ranges
    for message in find_incompatibilities(
        denoiser.checkpoint,
        job.options.noise,
        planes.shape[-1],
        ranges,
        read_noise_windows(planes, ranges),
    ):
        yield FileRemark(job.input, message)


def _clean_image(
    job: FileJob, source: WholeSource
) -> tuple[NDArray[Any] | None, tuple[str, ...]]:
    """Return the selected region of the clean image, and notes on how it was read.

    The image is None if there is none.
    """
    if job.add_noise is not None:
        return source.selected, ()
    if job.reference is None:
        return None, ()
    file = read_image(job.reference)
    clean = file.pixels
    if job.select and clean.shape == source.volume.shape:
        clean = clean[source.selection]
    require_image(clean)
    expected = source.selected.shape
    if clean.shape != expected:
        whole = f" or {source.volume.shape}" if job.select else ""
        raise InvalidInputError(
            f"The reference must have the shape of the input, {expected}{whole}, got "
            f"{clean.shape} in {job.reference}."
        )
    return clean, file.notes


def _noisy_image(
    job: FileJob, source: WholeSource, ranges: IntensityRanges
) -> NDArray[Any]:
    """Return the image to denoise, halo included."""
    if job.add_noise is None:
        return source.pixels
    return add_noise(
        source.pixels,
        job.add_noise,
        rng=job.seed,
        axes=source.axes,
        intensity_range=ranges,
    )


def _start(
    job: FileJob,
    source: WholeSource,
    noisy: NDArray[Any],
    denoiser: Denoiser,
    limits: IntensityRanges,
) -> Denoising:
    # The halo must not influence the intensity range or the noise level.
    planes = ArrayPlanes.of(source.crop(noisy), source.axes)
    options = replace(job.options, axes=source.axes, intensity_range=limits)
    ranges = find_model_ranges(planes, denoiser.checkpoint, options)
    return Denoising(noisy, denoiser, options, region=source.region, ranges=ranges)


def _compare(
    job: FileJob,
    axes: str,
    clean: NDArray[Any] | None,
    noisy: NDArray[Any],
    denoised: NDArray[Any],
) -> Comparison | None:
    if clean is None:
        return None
    planes = ArrayPlanes.of(clean, axes)
    ranges = resolve_intensity_ranges(planes, job.options.intensity_range)
    return compare(clean, noisy, denoised, axes=axes, data_range=ranges.hull)
