"""Run a job on a layer in memory, outside the GUI thread.

Errors that concern the user, and those of torch, are returned as `Failed`: napari
would show exceptions with a traceback, and ends silently on a RuntimeError.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...denoising.compatibility import require_noise_is_taken
from ...denoising.model_ranges import ranges_without_scan
from ...denoising.noise_checks import noise_before_and_after
from ...errors import DenoiseAEError
from ...noise.scaling import measure_ranges, with_setting
from ...noise.windows import read_noise_windows
from ..shared.worker import Failed
from .job import PreparedLayer
from .result import Denoised, find_residual, score_planes

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from ...denoising.array import Denoising, Progress
    from ...denoising.denoiser import Denoiser
    from ...denoising.noise_checks import Windows
    from ...denoising.options import DenoiseOptions
    from ...image.intensity import IntensityRanges
    from ...image.intensity_rule import IntensityRule
    from ...noise.setting import NoiseSetting
    from .job import DenoiseJob

# The noise has grown if it is this many times what it was.
_MORE = 1.1


@dataclass(frozen=True, slots=True, eq=False)
class Started:
    """The run of the tiles starts; `denoising.result` holds the finished planes."""

    denoising: Denoising


def run_denoising(
    job: DenoiseJob,
) -> Generator[str | Started | Progress, None, Denoised | Failed]:
    """Run a job; it yields after each tile and can be canceled there."""
    try:
        yield "loading the model"
        denoiser = load_denoiser(job.resolved_model, job.options)
        require_noise_is_taken(denoiser.checkpoint, job.options)
        yield "reading the layer"
        prepared = job.prepared or prepare(job)
        if job.region is not None:
            return (yield from _denoise_region(job, prepared, denoiser))
        return (yield from denoise_prepared(job, prepared, denoiser))
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Denoising failed: {error}")


def prepare(job: DenoiseJob) -> PreparedLayer:
    """Check the layer, measure its intensity ranges, and add noise if requested."""
    # Imported here, because adding noise imports torch.
    from ...image.checks import require_image
    from ...image.planes import ArrayPlanes
    from ...image.ranges import resolve_intensity_ranges
    from ...noise.add import add_noise

    noisy = np.asarray(job.data)
    require_image(noisy)
    options = job.options
    ranges = resolve_intensity_ranges(
        ArrayPlanes.of(noisy, job.axes),
        options.intensity_range,
        range_of=options.range_of,
    )
    if job.noise is not None:
        noisy = add_noise(
            noisy, job.noise, rng=job.seed, axes=job.axes, intensity_range=ranges
        )
    return PreparedLayer(
        data=job.data,
        noise=job.noise,
        seed=job.seed,
        range_of=options.range_of,
        noisy=noisy,
        ranges=ranges,
    )


def _denoise_region(
    job: DenoiseJob, prepared: PreparedLayer, denoiser: Denoiser
) -> Generator[Progress, None, Denoised]:
    from ...denoising.array import Denoising

    ranges = _measure_ranges(job, prepared, denoiser)
    part = tuple(slice(index, index + 1) for index in job.plane)
    near, planes = _with_neighbors(job, part)
    run = Denoising(
        prepared.noisy[near],
        denoiser,
        job.options,
        region=job.region,
        planes=planes,
        ranges=_ranges_of_part(with_setting(ranges, job.options.noise), near),
    )
    yield from run
    return Denoised(
        noisy=prepared.noisy[job.plane][job.region],
        denoised=run.result[(0,) * len(job.plane)][job.region],
        prepared=prepared,
        ranges=ranges,
        scores={},
    )


def _measure_ranges(
    job: DenoiseJob, prepared: PreparedLayer, denoiser: Denoiser
) -> IntensityRanges:
    """Return how the model normalizes the whole layer at strength 1.

    The noise is measured only once for each `PreparedLayer` and noise setting.
    """
    from ...image.planes import ArrayPlanes

    def measure_once(
        windows: Iterator[list[list[Any]]],
        groups: IntensityRanges,
        how: NoiseSetting | IntensityRule,
    ) -> IntensityRanges:
        how = how.for_measuring
        if how not in prepared.scalings:
            prepared.scalings[how] = measure_ranges(windows, groups, how)
        return prepared.scalings[how]

    planes = ArrayPlanes.of(prepared.noisy, job.axes)
    # These ranges were measured before noise was added.
    options = replace(job.options, intensity_range=prepared.ranges)
    checkpoint = denoiser.checkpoint
    ranges = ranges_without_scan(planes, checkpoint, options, measure_once)
    return ranges or prepared.ranges


def denoise_prepared(
    job: DenoiseJob, prepared: PreparedLayer, denoiser: Denoiser
) -> Generator[str | Started | Progress, None, Denoised]:
    """Denoise a prepared layer, or the part of it in the job, and score it."""
    from ...denoising.array import Denoising
    from ...evaluation.apply import count_parameters

    n_stacked = job.n_stacked
    part = job.part or (slice(None),) * (n_stacked + 2)
    part_ranges = _ranges_of_part(prepared.ranges, part)
    near, planes = _with_neighbors(job, part[:n_stacked])
    ranges = _measure_ranges(job, prepared, denoiser)
    rows, columns = part[n_stacked:]
    run = Denoising(
        prepared.noisy[near],
        denoiser,
        job.options,
        region=None if job.part is None else (rows, columns),
        planes=planes,
        ranges=_ranges_of_part(with_setting(ranges, job.options.noise), near),
    )
    noisy = prepared.noisy[part]
    yield Started(run)
    start = time.perf_counter()
    yield from run
    seconds = time.perf_counter() - start
    yield "measuring"
    denoised = run.result[job.part_of_planes]
    scores = yield from score_planes(job, noisy, denoised)
    before, after = noise_before_and_after(
        _noise_windows(noisy, job.axes, part_ranges),
        _noise_windows(denoised, job.axes, part_ranges),
        part_ranges,
    )
    return Denoised(
        noisy=noisy,
        denoised=denoised,
        prepared=prepared,
        ranges=ranges,
        incompatibilities=(
            *run.find_incompatibilities(),
            *(_describe_more_noise(before, after) or run.find_remaining_noise()),
        ),
        scores=scores,
        noise_before=before,
        noise_after=after,
        device=str(denoiser.device),
        residual=find_residual(noisy, denoised, job.axes) if job.residual else None,
        seconds=seconds,
        n_parameters=count_parameters(denoiser),
    )


def _describe_more_noise(before: float, after: float) -> list[str]:
    # Comparisons with NaN are false.
    if not after > _MORE * before > 0:
        return []
    return [
        f"There is more noise than before: sigma {before:.4g}, and {after:.4g} after "
        "denoising. The model does not fit this layer."
    ]


def _with_neighbors(
    job: DenoiseJob, part: tuple[slice, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return a part of a stack with its neighboring frames, and the part within it."""
    from ...denoising.frames import frame_axis

    frames = job.options.frames
    axis = job.axes.index(frame_axis(job.axes)) if frames else None
    near, within = [], []
    for number, (cut, length) in enumerate(zip(part, job.data.shape, strict=False)):
        start, stop, _ = cut.indices(length)
        radius = frames if number == axis else 0
        first, last = max(start - radius, 0), min(stop + radius, length)
        near.append(slice(first, last))
        within.append(slice(start - first, stop - first))
    return tuple(near), tuple(within)


def _noise_windows(image: NDArray[Any], axes: str, ranges: IntensityRanges) -> Windows:
    from ...image.planes import ArrayPlanes

    return read_noise_windows(ArrayPlanes.of(image, axes), ranges)


def _ranges_of_part(
    ranges: IntensityRanges, part: tuple[slice, ...]
) -> IntensityRanges:
    """Return the intensity ranges of the planes in a part."""
    numbers = np.arange(len(ranges.ranges)).reshape(ranges.shape)
    cuts = (
        cut if length > 1 else slice(None)
        for cut, length in zip(part, ranges.shape, strict=False)
    )
    numbers = numbers[tuple(cuts)]
    chosen = tuple(ranges.ranges[number] for number in numbers.ravel())
    return replace(ranges, shape=numbers.shape, ranges=chosen)


def load_denoiser(model: str, options: DenoiseOptions) -> Denoiser:
    """Load a model for a run; the last four are cached until their files change."""
    path = Path(model)
    modified = path.stat().st_mtime_ns if path.is_file() else 0
    loaded = _load_denoiser(model, modified, options.device)
    return loaded.for_new_run(options.precision)


@lru_cache(maxsize=4)
def _load_denoiser(model: str, _modified: int, device: str) -> Denoiser:
    from ...denoising.denoiser import Denoiser
    from ...models.devices import choose_device
    from ...models.load import load_checkpoint

    return Denoiser(load_checkpoint(model), choose_device(device))
