"""Denoising one image file into another, with figures where the truth is known."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from . import __version__
from .axes import colour_planes, middle_plane, resolve_axes
from .checkpoint import load_checkpoint
from .comparison import Comparison, compare
from .devices import DeviceChoice, choose_device
from .errors import DenoiseAEWarning, InvalidInputError
from .figures import save_panels
from .files import require_writable
from .images import ImageFile, read_image, require_storable, write_image
from .inference import Denoiser, Denoising, add_noise, require_image
from .intensity import IntensityRange, resolve_intensity_range
from .noise import parse_noise
from .tiling import DEFAULT_TILE_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob:
    """What to denoise and where to put it.

    Parameters
    ----------
    input, output : pathlib.Path
        PNG, JPEG or TIFF files.
    model : str
        A built-in model's name, or a checkpoint file.
    add_noise : str, optional
        The input is clean: noise to add first.
    seed : int
        Seed of that noise.
    reference : pathlib.Path, optional
        Clean image to compare a noisy input with.
    figure : pathlib.Path, optional
        PNG to draw the images side by side in.
    axes, intensity_range, device, tile_size
        See `denoise`.
    """

    input: Path
    output: Path
    model: str
    add_noise: str | None = None
    seed: int = 0
    reference: Path | None = None
    figure: Path | None = None
    axes: str | None = None
    intensity_range: tuple[float, float] | None = None
    device: str = "auto"
    tile_size: int = DEFAULT_TILE_SIZE

    @property
    def noisy_output(self) -> Path:
        """Where the noisy preview goes: ``NAME_noisy`` beside the output."""
        return self.output.with_stem(f"{self.output.stem}_noisy")


@dataclass(frozen=True, slots=True, eq=False)
class FileResult:
    """What was done.

    Parameters
    ----------
    job : FileJob
        What was asked.
    noisy, denoised : numpy.ndarray
        The images.
    clean : numpy.ndarray or None
        The truth, where it is known.
    axes : str
        Their axes.
    intensity_range : IntensityRange
        What the network saw as 0 and 1.
    device : DeviceChoice
        Where it was computed.
    comparison : Comparison or None
        The figures, where the truth is known.
    """

    job: FileJob
    noisy: NDArray[Any]
    denoised: NDArray[Any]
    clean: NDArray[Any] | None
    axes: str
    intensity_range: IntensityRange
    device: DeviceChoice
    comparison: Comparison | None

    def lines(self) -> list[str]:
        """Return a report for a user to read."""
        shape = " x ".join(str(length) for length in self.noisy.shape)
        lines = [
            f"image      {shape} ({self.axes}), {self.noisy.dtype}",
            f"intensity  {self.intensity_range} mapped to 0 to 1",
            f"model      {self.job.model}",
            f"device     {self.device}",
        ]
        if self.job.add_noise is not None:
            noise = parse_noise(self.job.add_noise).description
            lines.append(f"noise      {noise}, seed {self.job.seed}")
            lines.append(f"noisy      {self.job.noisy_output}")
        lines.append(f"denoised   {self.job.output}")
        if self.job.figure is not None:
            lines.append(f"figure     {self.job.figure}")
        if self.comparison is not None:
            lines += ["", *self.comparison.lines()]
        return lines


def denoise_file(job: FileJob) -> FileResult:
    """Denoise a file.

    Parameters
    ----------
    job : FileJob
        What to do.

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
    source = read_image(job.input)
    require_image(source.pixels)
    axes = resolve_axes(source.pixels.shape, job.axes or source.axes)
    _require_outputs(job, source.pixels, axes)
    device = choose_device(job.device)
    denoiser = Denoiser(load_checkpoint(job.model), device)
    clean = _clean_image(job, source.pixels)
    noisy, scale = _noisy_image(job, source.pixels, axes)
    run = Denoising(
        noisy, denoiser, axes=axes, intensity_range=scale, tile_size=job.tile_size
    )
    denoised = _finish(run)
    comparison = None
    if clean is not None:
        data_range = resolve_intensity_range(
            colour_planes(clean, axes), job.intensity_range
        )
        comparison = compare(clean, noisy, denoised, axes=axes, data_range=data_range)
    result = FileResult(
        job=job,
        noisy=noisy,
        denoised=denoised,
        clean=clean,
        axes=axes,
        intensity_range=scale,
        device=device,
        comparison=comparison,
    )
    _write(result, source)
    return result


def _require_outputs(job: FileJob, pixels: NDArray[Any], axes: str) -> None:
    """Find out before the work, not after it, what cannot be written."""
    images = [job.output] if job.add_noise is None else [job.output, job.noisy_output]
    for path in images:
        require_storable(path, pixels, axes)
    figures = [] if job.figure is None else [job.figure]
    if figures and figures[0].suffix.lower() != ".png":
        raise InvalidInputError(f"A figure's name ends in .png, got {figures[0]}.")
    taken = {path.resolve() for path in (job.input, job.reference) if path is not None}
    for path in images + figures:
        if path.resolve() in taken:
            raise InvalidInputError(
                f"Writing {path} would replace the input, the reference or another "
                "result. Choose another name."
            )
        taken.add(path.resolve())
        require_writable(path)


def _clean_image(job: FileJob, pixels: NDArray[Any]) -> NDArray[Any] | None:
    if job.add_noise is not None:
        return pixels
    if job.reference is None:
        return None
    clean = read_image(job.reference).pixels
    require_image(clean)
    if clean.shape != pixels.shape:
        raise InvalidInputError(
            f"The reference must have the shape of the input, {pixels.shape}, got "
            f"{clean.shape} in {job.reference}."
        )
    return clean


def _noisy_image(
    job: FileJob, pixels: NDArray[Any], axes: str
) -> tuple[NDArray[Any], IntensityRange]:
    """Return what to denoise, and its range: where noise is added, the clean one's."""
    scale = resolve_intensity_range(colour_planes(pixels, axes), job.intensity_range)
    if job.add_noise is None:
        return pixels, scale
    noisy = add_noise(
        pixels, job.add_noise, rng=job.seed, axes=axes, intensity_range=scale
    )
    return noisy, scale


def _finish(run: Denoising) -> NDArray[Any]:
    for message in run.misfits():
        warnings.warn(message, DenoiseAEWarning, stacklevel=3)
    # A bar for a person who waits longer than a second; none in a log.
    with tqdm(unit="tile", delay=1, leave=False, disable=None) as bar:
        for progress in run:
            bar.total = progress.total
            bar.update()
    return run.result


def _write(result: FileResult, source: ImageFile) -> None:
    job = result.job
    done = f"napari-denoise-ae {__version__}, intensity range {result.intensity_range}"
    if job.add_noise is not None:
        noisy = replace(
            source,
            pixels=result.noisy,
            axes=result.axes,
            provenance=f"{done}, added {job.add_noise} with seed {job.seed}",
        )
        write_image(job.noisy_output, noisy)
    if job.figure is not None:
        _draw(result, job.figure)
    denoised = replace(
        source,
        pixels=result.denoised,
        axes=result.axes,
        provenance=f"{done}, denoised with {job.model}",
    )
    write_image(job.output, denoised)


def _draw(result: FileResult, path: Path) -> None:
    images = {"noisy": result.noisy, "denoised": result.denoised}
    if result.clean is not None:
        images["clean"] = result.clean
    titles = list(images) if result.comparison is None else result.comparison.titles()
    panels = [middle_plane(image, result.axes) for image in images.values()]
    save_panels([panels], titles, path, intensity_range=result.intensity_range)
