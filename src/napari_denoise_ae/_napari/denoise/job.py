"""What runs outside the GUI thread. Arrays and plain values in, frozen results out.

A user's mistake and torch's own errors come back as a result: napari would show
an exception with a traceback, and ends without a word on a RuntimeError.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...denoising.compatibility import noise_level, require_noise_is_taken
from ...denoising.model_ranges import ranges_without_scan
from ...errors import DenoiseAEError
from ...image.axes import count_colors, resolve_axes
from ...image.intensity import share_range
from ...models.builtin import fitting_model
from ...noise.estimators import PATCHES
from ...noise.normalization import measure_scaling, with_strength
from ..shared.worker import Failed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from ...denoising.array import Denoising, Progress
    from ...denoising.denoiser import Denoiser
    from ...denoising.options import DenoiseOptions
    from ...evaluation.comparison import Comparison
    from ...image.intensity import IntensityRanges
    from ...noise.setting import NoiseSetting

    Plane = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """What a job denoises. Takes long for a stack, so a preview keeps it.

    Parameters
    ----------
    data, noise, seed, range_of
        Those of the job, to tell whether it fits another job, too.
    noisy : numpy.ndarray
        The whole layer, with noise if the job adds some.
    scale : IntensityRanges
        Its intensity ranges, measured before noise was added.
    scalings : dict
        The noise scalings for models that take a noise level, at strength 1, by
        the noise to remove; measured when they are first needed.
    """

    data: Any
    noise: str | None
    seed: int
    range_of: str
    noisy: NDArray[Any]
    scale: IntensityRanges
    scalings: dict[NoiseSetting, IntensityRanges] = field(default_factory=dict)

    def fits(self, job: DenoiseJob) -> bool:
        """Tell whether another job would prepare the same."""
        mine, its = (self.noise, self.range_of), (job.noise, job.options.range_of)
        same_noise = self.noise is None or self.seed == job.seed
        return self.data is job.data and mine == its and same_noise


@dataclass(frozen=True, slots=True, eq=False)
class LayerScan:
    """What takes reading all of a layer, and depends on no other setting.

    Parameters
    ----------
    data, axes
        Those of the job, to tell whether it fits another job, too.
    ranges : IntensityRanges
        The intensity ranges of the layer.
    """

    data: Any
    axes: str
    ranges: IntensityRanges

    def fits(self, job: DenoiseJob) -> bool:
        """Tell whether another job would find the same."""
        return self.data is job.data and self.axes == job.axes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenoiseJob:
    """What to denoise, and how.

    Parameters
    ----------
    data : array_like
        The whole layer.
    model : str
        See `denoise`.
    options : DenoiseOptions
        See `denoise`. The axes are given, those of stacks first; the intensity
        range only for a lazy layer whose dtype does not tell it.
    noise : str, optional
        The layer is clean: noise to add first.
    seed : int
        Seed of that noise.
    reference : array_like, optional
        Clean image of the same shape, for the figures.
    plane : tuple of int
        The plane that the viewer shows.
    region : tuple of slice, optional
        Denoise only these rows and columns of `plane`; None means everything.
    prepared : Prepared, optional
        What an earlier job has prepared.
    scan : LayerScan, optional
        What an earlier look at the layer has found.
    residual : bool
        Whether to return what was removed, too.
    levels : tuple
        The levels of a lazy layer, the largest first; empty for one in memory.
    level : int
        That of which `plane` and `region` are.
    part : tuple of slice, optional
        Denoise only these planes, rows and columns; None means everything.
    """

    data: Any
    model: str
    options: DenoiseOptions
    noise: str | None = None
    seed: int = 0
    reference: Any = None
    plane: Plane = ()
    region: tuple[slice, slice] | None = None
    prepared: Prepared | None = None
    scan: LayerScan | None = None
    residual: bool = False
    levels: tuple[Any, ...] = ()
    level: int = 0
    part: tuple[slice, ...] | None = None

    @property
    def axes(self) -> str:
        """The axes of the layer."""
        return resolve_axes(self.data.shape, self.options.axes)

    @property
    def fitting(self) -> str:
        """The model that is used: for ``"auto"``, that for the layer's colors."""
        return fitting_model(self.model, count_colors(self.data.shape, self.axes))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Denoised:
    """What a job has given.

    Parameters
    ----------
    noisy, denoised : numpy.ndarray
        The whole layer, or of a job with a region that part of the plane.
    prepared : Prepared, optional
        What was denoised, if it is in memory.
    found : IntensityRanges, optional
        How the model sees the layer, at strength 1; not known of one that is lazy.
    incompatibilities : tuple of str
        Why the model may not fit the layer.
    figures : dict
        Comparison with the clean image, by plane; empty if there is none.
    noise_before, noise_after : float
        Estimated noise as a fraction of the intensity range; NaN if unknown.
    device : str
        Where it was computed, and why there.
    residual : numpy.ndarray, optional
        What was removed, if it was asked for; see `find_residual`.
    seconds : float
        Time that denoising took, without loading and measuring.
    n_parameters : int
        Weights of the model.
    """

    noisy: NDArray[Any]
    denoised: NDArray[Any]
    prepared: Prepared | None
    found: IntensityRanges | None = None
    incompatibilities: tuple[str, ...] = ()
    figures: dict[Plane, Comparison]
    noise_before: float = float("nan")
    noise_after: float = float("nan")
    device: str = ""
    residual: NDArray[Any] | None = None
    seconds: float = 0.0
    n_parameters: int = 0

    @property
    def mean(self) -> Comparison | None:
        """The mean figures of all planes, as `compare` gives them for a stack."""
        planes = list(self.figures.values())
        return _mean(planes) if planes else None


@dataclass(frozen=True, slots=True, eq=False)
class Started:
    """The first tile comes; `run.result` holds the planes that are finished."""

    run: Denoising


def run_denoising(
    job: DenoiseJob,
) -> Generator[str | Started | Progress, None, Denoised | Failed]:
    """Do a job; yields after every tile, so that it can be cancelled there."""
    try:
        yield "loading the model"
        denoiser = load_denoiser(job.fitting, job.options.device)
        require_noise_is_taken(denoiser.checkpoint, job.options)
        yield "looking at the layer"
        prepared = job.prepared or prepare(job)
        if job.region is not None:
            return (yield from _denoise_region(job, prepared, denoiser))
        return (yield from denoise_prepared(job, prepared, denoiser))
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"Denoising failed: {error}")


def prepare(job: DenoiseJob) -> Prepared:
    # torch is imported here, not when napari starts.
    from ...image.checks import require_image
    from ...image.planes import ArrayPlanes
    from ...image.ranges import resolve_intensity_ranges
    from ...noise.add import add_noise

    noisy = np.asarray(job.data)
    require_image(noisy)
    options = job.options
    scale = resolve_intensity_ranges(
        ArrayPlanes.of(noisy, job.axes),
        options.intensity_range,
        range_of=options.range_of,
    )
    if job.noise is not None:
        noisy = add_noise(
            noisy, job.noise, rng=job.seed, axes=job.axes, intensity_range=scale
        )
    return Prepared(
        data=job.data,
        noise=job.noise,
        seed=job.seed,
        range_of=options.range_of,
        noisy=noisy,
        scale=scale,
    )


def _denoise_region(
    job: DenoiseJob, prepared: Prepared, denoiser: Denoiser
) -> Generator[Progress, None, Denoised]:
    from ...denoising.array import Denoising

    found = _find_ranges(job, prepared, denoiser)
    axes = job.axes[len(job.plane) :]
    scale = with_strength(found, job.options.strength).of(job.plane)
    part = Denoising(
        prepared.noisy[job.plane],
        denoiser,
        replace(job.options, axes=axes),
        region=job.region,
        ranges=share_range(axes, scale),
    )
    yield from part
    return Denoised(
        noisy=prepared.noisy[job.plane][job.region],
        denoised=part.result[job.region],
        prepared=prepared,
        found=found,
        figures={},
    )


def _find_ranges(
    job: DenoiseJob, prepared: Prepared, denoiser: Denoiser
) -> IntensityRanges:
    """Return how the model sees the whole layer, at strength 1; measured once."""
    from ...image.planes import ArrayPlanes

    def measure_once(
        windows: Iterator[list[list[Any]]],
        groups: IntensityRanges,
        noise: NoiseSetting,
    ) -> IntensityRanges:
        noise = noise.at_full_strength
        if noise not in prepared.scalings:
            prepared.scalings[noise] = measure_scaling(windows, groups, noise)
        return prepared.scalings[noise]

    planes = ArrayPlanes.of(prepared.noisy, job.axes)
    # Measured before noise was added.
    options = replace(job.options, intensity_range=prepared.scale)
    found = ranges_without_scan(planes, denoiser.checkpoint, options, measure_once)
    return found or prepared.scale


def denoise_prepared(
    job: DenoiseJob, prepared: Prepared, denoiser: Denoiser
) -> Generator[str | Started | Progress, None, Denoised]:
    from ...denoising.array import Denoising
    from ...evaluation.apply import count_parameters
    from ...image.planes import ArrayPlanes

    n_stacked = len(job.axes.rstrip("YXS"))
    part = job.part or (slice(None),) * (n_stacked + 2)
    scale = _ranges_of_part(prepared.scale, part)
    found = _find_ranges(job, prepared, denoiser)
    rows, columns = part[n_stacked:]
    run = Denoising(
        prepared.noisy[part[:n_stacked]],
        denoiser,
        job.options,
        region=None if job.part is None else (rows, columns),
        ranges=_ranges_of_part(with_strength(found, job.options.strength), part),
    )
    noisy = prepared.noisy[part]
    yield Started(run)
    start = time.perf_counter()
    yield from run
    seconds = time.perf_counter() - start
    yield "measuring"
    denoised = run.result[part_of_planes(job)]
    figures = yield from _compare(job, noisy, denoised)
    return Denoised(
        noisy=noisy,
        denoised=denoised,
        prepared=prepared,
        found=found,
        incompatibilities=tuple(run.find_incompatibilities()),
        figures=figures,
        noise_before=noise_level(ArrayPlanes.of(noisy, job.axes), scale, PATCHES),
        noise_after=noise_level(ArrayPlanes.of(denoised, job.axes), scale, PATCHES),
        device=str(denoiser.device),
        residual=find_residual(noisy, denoised, job.axes) if job.residual else None,
        seconds=seconds,
        n_parameters=count_parameters(denoiser),
    )


def part_of_planes(job: DenoiseJob) -> tuple[Any, ...]:
    """Return the rows and columns of a job, to be cut out of each of its planes."""
    return (...,) if job.part is None else _cut_of_planes(job.part, job.axes)


def _cut_of_planes(part: tuple[slice, ...], axes: str) -> tuple[slice, ...]:
    n_stacked = len(axes.rstrip("YXS"))
    return (*(slice(None),) * n_stacked, *part[n_stacked:])


def _ranges_of_part(
    ranges: IntensityRanges, part: tuple[slice, ...]
) -> IntensityRanges:
    """Return the intensity ranges of some planes of a stack."""
    numbers = np.arange(len(ranges.ranges)).reshape(ranges.shape)
    cuts = (
        cut if length > 1 else slice(None)
        for cut, length in zip(part, ranges.shape, strict=False)
    )
    numbers = numbers[tuple(cuts)]
    chosen = tuple(ranges.ranges[number] for number in numbers.ravel())
    return replace(ranges, shape=numbers.shape, ranges=chosen)


def find_residual(
    noisy: NDArray[Any], denoised: NDArray[Any], axes: str
) -> NDArray[Any]:
    """Return what was removed.

    Gray images have it signed, around 0. Colors can only be shown from 0 to 1:
    there nothing removed is the middle gray, and the most 0 or 1.
    """
    signed = noisy.dtype
    if not np.issubdtype(signed, np.floating):
        signed = np.result_type(signed, np.int8)
    removed: NDArray[Any] = noisy.astype(signed) - denoised.astype(signed)
    if "S" not in axes:
        return removed
    removed = removed[..., :3]
    _, largest = residual_limits(removed)
    return (0.5 + removed / (2 * largest)).astype(np.float32)


def residual_limits(removed: NDArray[Any]) -> tuple[float, float]:
    """Return contrast limits that show a signed residual around the middle."""
    largest = float(np.nanmax(np.abs(removed))) or 1.0
    return -largest, largest


def _compare(
    job: DenoiseJob, noisy: NDArray[Any], denoised: NDArray[Any]
) -> Generator[str, None, dict[Plane, Comparison]]:
    """Compare each plane with the clean one, if there is one."""
    from ...evaluation.comparison import compare
    from ...image.axes import color_planes
    from ...image.ranges import resolve_intensity_range

    known = job.data if job.noise is not None else job.reference
    if known is None:
        return {}
    clean = np.asarray(known)
    data_range = resolve_intensity_range(color_planes(clean, job.axes))
    clean = clean[(...,) if job.part is None else job.part]
    if not data_range.width > 0:
        # A constant image has no range that PSNR could refer to.
        return {}
    n_stacked = len(job.axes.rstrip("YXS"))
    figures = {}
    for plane in np.ndindex(clean.shape[:n_stacked]):
        figures[plane] = compare(
            clean[plane],
            noisy[plane],
            denoised[plane],
            axes=job.axes[n_stacked:],
            data_range=data_range,
        )
        yield f"measuring, {len(figures)} planes done"
    return figures


def _mean(planes: list[Comparison]) -> Comparison:
    from ...evaluation.comparison import Comparison

    return Comparison(
        psnr_noisy=float(np.mean([plane.psnr_noisy for plane in planes])),
        psnr_denoised=float(np.mean([plane.psnr_denoised for plane in planes])),
        ssim_noisy=float(np.mean([plane.ssim_noisy for plane in planes])),
        ssim_denoised=float(np.mean([plane.ssim_denoised for plane in planes])),
        data_range=planes[0].data_range,
        n_planes=len(planes),
    )


def load_denoiser(model: str, device: str) -> Denoiser:
    """Load a model for a run; the last few stay loaded until their files change."""
    path = Path(model)
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _load_denoiser(model, changed, device).for_new_run()


@lru_cache(maxsize=4)
def _load_denoiser(model: str, _changed: int, device: str) -> Denoiser:
    from ...denoising.denoiser import Denoiser
    from ...models.devices import choose_device
    from ...models.load import load_checkpoint

    return Denoiser(load_checkpoint(model), choose_device(device))
