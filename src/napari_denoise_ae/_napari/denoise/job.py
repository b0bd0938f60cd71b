"""What runs outside the GUI thread. Arrays and plain values in, frozen results out.

A user's mistake and torch's own errors come back as a result: napari would show
an exception with a traceback, and ends without a word on a RuntimeError.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DenoiseAEError
from ...image.axes import count_colours
from ...models.builtin import DEFAULT_MODEL, fitting_model
from ...noise.normalization import NoiseSetting, resolve_scaling, with_strength
from ..shared.noise_found import find_noise

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from ...denoising.api import Denoising, Progress
    from ...denoising.denoiser import Denoiser
    from ...evaluation.comparison import Comparison
    from ...image.intensity import IntensityRange, IntensityRanges
    from ...models.checkpoint import TrainingRecord
    from ..shared.noise_found import NoiseFound

    Plane = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """What a job denoises. Takes long for a stack, so a preview keeps it.

    Parameters
    ----------
    data, noise, seed, range_of
        The job's, to tell whether it fits another job too.
    noisy : numpy.ndarray
        The whole layer, with noise if the job adds some.
    scale : IntensityRanges
        Its intensity ranges, measured before noise was added.
    scalings : dict
        What models that are told the noise level were told of it, at strength
        1, by what was known of the noise; measured when it is first needed.
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
        mine = (self.noise, self.seed, self.range_of)
        return self.data is job.data and mine == (job.noise, job.seed, job.range_of)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenoiseJob:
    """What to denoise, and how.

    Parameters
    ----------
    data : array_like
        The whole layer.
    axes : str
        Its axes; those of stacks come first.
    model, device : str
        See `denoise`.
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
    residual : bool
        Whether to return what was removed, too.
    levels : tuple
        The levels of a lazy layer, the largest first; empty for one in memory.
    level : int
        That of which `plane` and `region` are.
    intensity_range : tuple of float, optional
        Of a lazy layer; None if its dtype tells.
    part : tuple of slice, optional
        Denoise only these planes, rows and columns; None means everything.
    setting : NoiseSetting
        What is known of the noise, for a model that is told its level.
    range_of : str
        See `denoise`.
    """

    data: Any
    axes: str
    model: str
    device: str
    noise: str | None
    seed: int
    reference: Any = None
    plane: Plane = ()
    region: tuple[slice, slice] | None = None
    prepared: Prepared | None = None
    residual: bool = False
    levels: tuple[Any, ...] = ()
    level: int = 0
    intensity_range: tuple[float, float] | None = None
    part: tuple[slice, ...] | None = None
    setting: NoiseSetting = field(default_factory=NoiseSetting)
    range_of: str = "stack"

    @property
    def fitting(self) -> str:
        """The model that is used: for ``"auto"``, that for the layer's colours."""
        return fitting_model(self.model, count_colours(self.data.shape, self.axes))


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
        What a model that is told the noise level was told, at strength 1.
    misfits : tuple of str
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
    misfits: tuple[str, ...] = ()
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


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What is known of a layer before it is denoised.

    Parameters
    ----------
    noise : float
        Estimated noise as a fraction of the intensity range; NaN if unknown.
    misfits : tuple of str
        Why the chosen model may not fit the layer.
    found : NoiseFound, optional
        What the chosen model would be told, if it is told the noise level.
    """

    noise: float
    misfits: tuple[str, ...]
    found: NoiseFound | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model.

    Parameters
    ----------
    description : str
        What it is, in a few words.
    takes_noise_level : bool
        Whether it is told the noise level.
    """

    description: str
    takes_noise_level: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """What a user has to know of a job that could not be done."""

    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Started:
    """The first tile comes; `run.result` holds the planes that are finished."""

    run: Denoising


@dataclass(frozen=True, slots=True)
class ModelStarted:
    """A model of a comparison begins."""

    model: str


@dataclass(frozen=True, slots=True, eq=False)
class ModelDone:
    """What a model of a comparison has given."""

    job: DenoiseJob
    result: Denoised


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """What a user has to know of a model that could not be compared."""

    model: str
    message: str


def run_denoising(
    job: DenoiseJob,
) -> Generator[str | Started | Progress, None, Denoised | Failed]:
    """Do a job; yields after every tile, so that it can be cancelled there."""
    try:
        yield "loading the model"
        denoiser = load_denoiser(job.fitting, job.device)
        job.setting.require_usable(denoiser.checkpoint)
        yield "looking at the layer"
        prepared = job.prepared or _prepare(job)
        if job.region is not None:
            return (yield from _denoise_region(job, prepared, denoiser))
        return (yield from _denoise_layer(job, prepared, denoiser))
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"Denoising failed: {error}")


def run_comparison(
    job: DenoiseJob, models: Sequence[str]
) -> Generator[
    str | ModelStarted | Started | Progress | ModelDone | ModelFailed,
    None,
    Failed | None,
]:
    """Do a job with one model after another, on the very same noisy pixels.

    A model that fails ends neither the others nor loses what they gave.
    """
    try:
        yield "looking at the layer"
        prepared = job.prepared or _prepare(job)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"Comparing failed: {error}")
    for model in models:
        yield ModelStarted(model)
        yield from _run_model(replace(job, model=model, prepared=prepared), prepared)
    return None


def _run_model(
    job: DenoiseJob, prepared: Prepared
) -> Generator[str | Started | Progress | ModelDone | ModelFailed, None, None]:
    try:
        yield "loading the model"
        denoiser = load_denoiser(job.fitting, job.device)
        if not denoiser.network.takes_noise_level:
            # What is known of the noise is said to those that listen.
            job = replace(job, setting=NoiseSetting())
        result = yield from _denoise_layer(job, prepared, denoiser)
    except DenoiseAEError as error:
        yield ModelFailed(job.model, str(error))
    except (RuntimeError, MemoryError) as error:
        yield ModelFailed(job.model, f"Denoising failed: {error}")
    else:
        yield ModelDone(job, result)


def _prepare(job: DenoiseJob) -> Prepared:
    # torch is imported here, not when napari starts.
    from ...denoising.api import add_noise, require_image
    from ...image.axes import colour_planes
    from ...image.intensity import resolve_intensity_ranges

    noisy = np.asarray(job.data)
    require_image(noisy)
    scale = resolve_intensity_ranges(
        colour_planes(noisy, job.axes), job.axes, range_of=job.range_of
    )
    if job.noise is not None:
        noisy = add_noise(
            noisy, job.noise, rng=job.seed, axes=job.axes, intensity_range=scale
        )
    return Prepared(
        data=job.data,
        noise=job.noise,
        seed=job.seed,
        range_of=job.range_of,
        noisy=noisy,
        scale=scale,
    )


def _denoise_region(
    job: DenoiseJob, prepared: Prepared, denoiser: Denoiser
) -> Generator[Progress, None, Denoised]:
    from ...denoising.api import Denoising

    found = _find_scaling(job, prepared, denoiser)
    part = Denoising(
        prepared.noisy[job.plane],
        denoiser,
        axes=job.axes[len(job.plane) :],
        intensity_range=_ranges_of_model(job, prepared, found).of(job.plane),
        region=job.region,
    )
    yield from part
    return Denoised(
        noisy=prepared.noisy[job.plane][job.region],
        denoised=part.result[job.region],
        prepared=prepared,
        found=found,
        figures={},
    )


def _find_scaling(
    job: DenoiseJob, prepared: Prepared, denoiser: Denoiser
) -> IntensityRanges | None:
    """Measure the noise of the whole layer once, for a model that is told its level."""
    from ...image.axes import colour_planes

    if not denoiser.network.takes_noise_level:
        return None
    setting = job.setting.at_full_strength
    if setting not in prepared.scalings:
        prepared.scalings[setting] = resolve_scaling(
            colour_planes(prepared.noisy, job.axes),
            job.axes,
            denoiser.checkpoint,
            range_of=job.range_of,
            setting=setting,
        )
    return prepared.scalings[setting]


def _ranges_of_model(
    job: DenoiseJob, prepared: Prepared, found: IntensityRanges | None
) -> IntensityRanges:
    """Return how the model sees the layer."""
    if found is None:
        return prepared.scale
    return with_strength(found, job.setting.strength)


def _denoise_layer(
    job: DenoiseJob, prepared: Prepared, denoiser: Denoiser
) -> Generator[str | Started | Progress, None, Denoised]:
    from ...denoising.api import Denoising
    from ...evaluation.scoring import count_parameters
    from ...image.axes import colour_planes

    n_stacked = len(job.axes.rstrip("YXS"))
    part = job.part or (slice(None),) * (n_stacked + 2)
    scale = _ranges_of_part(prepared.scale, part)
    found = _find_scaling(job, prepared, denoiser)
    rows, columns = part[n_stacked:]
    run = Denoising(
        prepared.noisy[part[:n_stacked]],
        denoiser,
        axes=job.axes,
        intensity_range=_ranges_of_part(_ranges_of_model(job, prepared, found), part),
        region=None if job.part is None else (rows, columns),
        setting=job.setting,
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
        misfits=tuple(run.misfits()),
        figures=figures,
        noise_before=_noise_level(colour_planes(noisy, job.axes), scale),
        noise_after=_noise_level(colour_planes(denoised, job.axes), scale),
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


def _noise_level(planes: NDArray[Any], ranges: IntensityRanges) -> float:
    """Estimate the noise relative to the intensity range, of all channels together."""
    from ...denoising.compatibility import noise_levels, noise_windows_of
    from ...evaluation.metrics import median_of_known

    windows = noise_windows_of(planes, ranges)
    return median_of_known(noise_levels(windows, ranges))


def find_residual(
    noisy: NDArray[Any], denoised: NDArray[Any], axes: str
) -> NDArray[Any]:
    """Return what was removed.

    Grey images have it signed, around 0. Colours can only be shown from 0 to 1:
    there nothing removed is the middle grey, and the most 0 or 1.
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
    from ...image.axes import colour_planes
    from ...image.intensity import resolve_intensity_range

    known = job.data if job.noise is not None else job.reference
    if known is None:
        return {}
    clean = np.asarray(known)
    data_range = resolve_intensity_range(colour_planes(clean, job.axes))
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


def look_at_layer(job: DenoiseJob) -> Generator[None, None, LayerFacts | Failed]:
    """Find out about a layer what takes too long for the GUI thread.

    Of a stack, three planes are looked at.
    """
    yield
    from ...denoising.api import require_image
    from ...denoising.compatibility import find_misfits, noise_planes
    from ...image.axes import colour_planes
    from ...image.intensity import resolve_intensity_ranges, share_range

    try:
        array = np.asarray(job.data)
        require_image(array)
        planes = colour_planes(array, job.axes)
        scale = resolve_intensity_ranges(planes, job.axes)
        noise = _noise_level(planes, scale)
        yield
        noisy, axes = planes, job.axes
        if job.noise is not None:
            noisy = _with_noise(noise_planes(planes), job.noise, scale.hull)
            axes = "TYX"
            scale = share_range(axes, scale.hull)
        try:
            denoiser = load_denoiser(job.fitting, job.device)
        except DenoiseAEError as error:
            return LayerFacts(noise, (str(error),))
        yield
        found = None
        if denoiser.network.takes_noise_level:
            found = find_noise(noisy, axes, job.setting)
        misfits = find_misfits(noisy, denoiser, scale)
        return LayerFacts(noise, tuple(misfits), found)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"The layer cannot be looked at: {error}")


def _with_noise(
    planes: NDArray[Any], noise: str, scale: IntensityRange
) -> NDArray[Any]:
    from ...denoising.api import add_noise

    # Each channel as a plane: the noise of all of them is alike.
    channels = np.moveaxis(planes, -1, 1)
    noisy = add_noise(channels, noise, axes="TCYX", intensity_range=scale)
    return np.moveaxis(noisy, 1, -1)


_ANY_NOISE = "For any noise level: it is estimated, or you give it."
_AUTO = (
    "Takes the built-in rgb for colour images, and gray for all others, channel by "
    "channel."
)


def look_at_model(model: str) -> Generator[None, None, ModelFacts | Failed]:
    """Describe a model in a few words."""
    yield
    from ...models.checkpoint import load_fitting

    try:
        # Both that "auto" chooses between were trained alike.
        checkpoint = load_fitting(model, 1)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"The model {model} cannot be loaded: {error}")
    takes_noise_level = checkpoint.outline().takes_noise_level
    said = _describe_training(checkpoint.record)
    if takes_noise_level:
        said = f"{_ANY_NOISE} {said}"
    if model == DEFAULT_MODEL and checkpoint.record is not None:
        dataset = checkpoint.record.dataset
        said = f"{_AUTO} {_ANY_NOISE} Both were trained on the {dataset}."
    return ModelFacts(said, takes_noise_level)


def _describe_training(record: TrainingRecord | None) -> str:
    if record is None:
        return "Weights only: how they were trained is unknown."
    return (
        f"Trained on the {record.dataset} with "
        f"{record.config.noise_model.description}; {record.val_psnr:.2f} dB on its "
        f"validation images, epoch {record.best_epoch} of {record.epochs_run}."
    )


def load_denoiser(model: str, device: str) -> Denoiser:
    """Load a model; the last few stay loaded while their files do not change."""
    path = Path(model)
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _load_denoiser(model, changed, device)


@lru_cache(maxsize=4)
def _load_denoiser(model: str, _changed: int, device: str) -> Denoiser:
    from ...denoising.denoiser import Denoiser
    from ...models.checkpoint import load_checkpoint
    from ...models.devices import choose_device

    return Denoiser(load_checkpoint(model), choose_device(device))
