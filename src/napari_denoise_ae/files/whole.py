"""Denoising one image file into another, with figures where the truth is known."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ..denoising.array import Denoising
from ..denoising.compatibility import find_all_misfits
from ..denoising.denoiser import Denoiser
from ..denoising.halo import surroundings
from ..denoising.model_ranges import resolve_scaling
from ..errors import DenoiseAEWarning, InvalidInputError
from ..evaluation.comparison import compare
from ..evaluation.figures import save_panels
from ..image.axes import color_planes, count_colors, middle_plane, resolve_axes
from ..image.checks import require_image
from ..image.ranges import resolve_intensity_ranges
from ..io.atomic import real_path, require_writable
from ..io.images import ImageFile, read_image, require_storable, write_image
from ..io.source import is_zarr, open_volume
from ..models.builtin import fitting_model
from ..models.devices import choose_device
from ..models.load import load_fitting
from ..noise.add import add_noise
from .report import FileResult, provenance
from .stream import select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ..denoising.array import Progress
    from ..image.intensity import IntensityRange, IntensityRanges
    from ..image.tiling import Region
    from ..models.checkpoint import Checkpoint
    from .job import FileJob

    #: Passes on the steps of a run, whose unit it is told. Whatever it raises ends
    #: the run, which then leaves nothing half-written.
    Watch = Callable[[Iterable[Progress], str], Iterator[Progress]]


def show_progress(steps: Iterable[Progress], unit: str) -> Iterator[Progress]:
    """Pass on what a run yields, and show a person who waits how far it is.

    Parameters
    ----------
    steps : iterable of Progress
        The run.
    unit : str
        What it counts.
    """
    # A bar for a person who waits longer than a second; none in a log.
    with tqdm(unit=unit, delay=1, leave=False, disable=None) as bar:
        for progress in steps:
            bar.total = progress.total
            bar.update(progress.done - bar.n)
            yield progress


def denoise_file(job: FileJob, watch: Watch = show_progress) -> FileResult:
    """Denoise a file that fits into memory.

    Parameters
    ----------
    job : FileJob
        What to do.
    watch : callable
        See `show_progress`, the default.

    Returns
    -------
    FileResult
        What was done.

    Raises
    ------
    DenoiseAEError
        If anything of it cannot be done; then nothing has been written that
        is not whole.
    """
    source, checkpoint = _read_source(job)
    pixels, axes = source.selected(source.image.pixels), source.axes
    # What is said of the result names the model that "auto" stood for.
    job = replace(job, model=fitting_model(job.model, count_colors(pixels.shape, axes)))
    require_image(pixels)
    _require_outputs(job, pixels, axes)
    denoiser = Denoiser(checkpoint, choose_device(job.device))
    clean = _clean_image(job, source)
    limits = resolve_intensity_ranges(
        color_planes(pixels, axes), axes, job.intensity_range, range_of=job.range_of
    )
    with_surroundings = _noisy_image(job, source, limits)
    noisy = source.selected(with_surroundings)
    scale = resolve_scaling(
        color_planes(noisy, axes),
        axes,
        checkpoint,
        limits,
        range_of=job.range_of,
        setting=job.setting,
    )
    run = Denoising(
        with_surroundings,
        denoiser,
        axes=axes,
        intensity_range=scale,
        tile_size=job.tile_size,
        region=source.region,
    )
    planes = color_planes(noisy, axes)
    for message in find_all_misfits(planes, denoiser, scale, job.setting):
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    for _ in watch(run, "tile"):
        pass
    denoised = source.selected(run.result)
    comparison = None
    if clean is not None:
        data_range = resolve_intensity_ranges(
            color_planes(clean, axes), axes, job.intensity_range
        ).hull
        comparison = compare(clean, noisy, denoised, axes=axes, data_range=data_range)
    result = FileResult(
        job=job,
        noisy=noisy,
        denoised=denoised,
        clean=clean,
        axes=axes,
        intensity_range=scale,
        device=denoiser.device,
        comparison=comparison,
    )
    _write(result, source.image, limits.hull)
    return result


def _require_outputs(job: FileJob, pixels: NDArray[Any], axes: str) -> None:
    """Find out before the work, not after it, what cannot be written."""
    images = [job.output] if job.add_noise is None else [job.output, job.noisy_output]
    for path in images:
        require_storable(path, pixels, axes)
    figures = [] if job.figure is None else [job.figure]
    if figures and figures[0].suffix.lower() != ".png":
        raise InvalidInputError(f"A figure's name ends in .png, got {figures[0]}.")
    taken = {real_path(path) for path in (job.input, job.reference) if path is not None}
    for path in images + figures:
        if real_path(path) in taken:
            raise InvalidInputError(
                f"Writing {path} would replace the input, the reference or another "
                "result. Choose another name."
            )
        taken.add(real_path(path))
        require_writable(path)


def _clean_image(job: FileJob, source: _Source) -> NDArray[Any] | None:
    """Return the truth of what is selected, where it is known."""
    if job.add_noise is not None:
        return source.selected(source.image.pixels)
    if job.reference is None:
        return None
    clean = read_image(job.reference).pixels
    if job.select and clean.shape == source.whole:
        clean = clean[source.part]
    require_image(clean)
    wanted = source.selected(source.image.pixels).shape
    if clean.shape != wanted:
        whole = f" or {source.whole}" if job.select else ""
        raise InvalidInputError(
            f"The reference must have the shape of the input, {wanted}{whole}, got "
            f"{clean.shape} in {job.reference}."
        )
    return clean


def _noisy_image(
    job: FileJob, source: _Source, ranges: IntensityRanges
) -> NDArray[Any]:
    """Return what to denoise, with its surroundings."""
    if job.add_noise is None:
        return source.image.pixels
    return add_noise(
        source.image.pixels,
        job.add_noise,
        rng=job.seed,
        axes=source.axes,
        intensity_range=ranges,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Source:
    """What was read: what is selected, and around it what the network looks at.

    Parameters
    ----------
    image : ImageFile
        All that was read.
    axes : str
        Its axes.
    within : tuple of slice
        Where what is selected lies in it.
    part : tuple of slice
        Where what is selected lies in the whole.
    whole : tuple of int
        Shape of the whole.
    """

    image: ImageFile
    axes: str
    within: tuple[slice, ...]
    part: tuple[slice, ...]
    whole: tuple[int, ...]

    def selected(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Cut what is selected out of an array of the shape that was read."""
        return pixels[self.within]

    @property
    def region(self) -> Region:
        """Rows and columns of what is selected."""
        axes = self.axes
        return self.within[axes.index("Y")], self.within[axes.index("X")]


def _read_source(job: FileJob) -> tuple[_Source, Checkpoint]:
    """Read the input, an OME-Zarr or a part of an image too, and the fitting model."""
    if not (is_zarr(job.input) or job.select):
        image = read_image(job.input)
        shape = image.pixels.shape
        require_image(image.pixels)
        axes = resolve_axes(shape, job.axes or image.axes)
        every = (slice(None),) * len(shape)
        source = _Source(image=image, axes=axes, within=every, part=every, whole=shape)
        return source, load_fitting(job.model, count_colors(shape, axes))
    volume = open_volume(job.input, job.axes)
    checkpoint = load_fitting(job.model, count_colors(volume.shape, volume.axes))
    selection, network = select(volume, job.select), checkpoint.outline()
    read, within = [], []
    for letter in volume.axes:
        around = within_it = slice(None)
        if letter in "YX":
            around, within_it = surroundings(
                selection[letter], volume.lengths[letter], network
            )
        elif letter != "S":
            around = slice(*selection[letter])
        read.append(around)
        within.append(within_it)
    source = _Source(
        image=ImageFile(volume.read_part(tuple(read)), volume.axes, volume.calibration),
        axes=volume.axes,
        within=tuple(within),
        part=tuple(slice(*selection.get(letter, (None,))) for letter in volume.axes),
        whole=volume.shape,
    )
    return source, checkpoint


def _write(result: FileResult, source: ImageFile, shown: IntensityRange) -> None:
    job = result.job
    done = provenance(result.intensity_range)
    if job.add_noise is not None:
        noisy = replace(
            source,
            pixels=result.noisy,
            axes=result.axes,
            provenance=f"{done}, added {job.add_noise} with seed {job.seed}",
        )
        write_image(job.noisy_output, noisy)
    if job.figure is not None:
        _draw(result, job.figure, shown)
    denoised = replace(
        source,
        pixels=result.denoised,
        axes=result.axes,
        provenance=f"{done}, denoised with {job.model}",
    )
    write_image(job.output, denoised)


def _draw(result: FileResult, path: Path, shown: IntensityRange) -> None:
    images = {"noisy": result.noisy, "denoised": result.denoised}
    if result.clean is not None:
        images["clean"] = result.clean
    titles = list(images) if result.comparison is None else result.comparison.titles()
    panels = [middle_plane(image, result.axes) for image in images.values()]
    save_panels([panels], titles, path, intensity_range=shown)
