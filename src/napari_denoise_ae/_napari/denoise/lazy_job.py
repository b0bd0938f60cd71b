"""Run jobs on lazy layers, outside the GUI thread and with little computation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...denoising.compatibility import noise_levels
from ...errors import DenoiseAEError
from ...image.ranges import group_planes
from ...noise.estimators import PATCHES, median_of_known
from ...noise.windows import read_noise_windows
from ..shared.worker import Failed
from .inspect_job import LayerFacts, compare, for_whole_stack
from .result import Denoised

if TYPE_CHECKING:
    from collections.abc import Generator

    from dask.array import Array

    from ...image.intensity import IntensityRanges
    from ...models.checkpoint import Checkpoint
    from .job import DenoiseJob


@dataclass(frozen=True, slots=True, eq=False)
class LazyDenoised:
    """Result of a lazy layer.

    Parameters
    ----------
    levels : tuple of dask.array.Array
        The uncomputed levels of the result, the largest first.
    sources : tuple of dask.array.Array
        The pixels that are denoised, of the same shapes.
    uses_range : bool
        Whether the model uses the intensity range of the job.
    """

    levels: tuple[Array, ...]
    sources: tuple[Array, ...]
    uses_range: bool


def denoise_levels(
    job: DenoiseJob,
) -> Generator[str, None, LazyDenoised | Failed]:
    """Make the result of a lazy layer, without computing it.

    The levels of a pyramid are denoised separately. A layer with large planes becomes
    a pyramid.
    """
    try:
        yield "loading the model"
        from ...models.devices import choose_device

        # Report a missing device now, not when the first tile is drawn.
        choose_device(job.options.device)
        return make_levels(job)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Denoising failed: {error}")


def make_levels(job: DenoiseJob) -> LazyDenoised:
    """Return the result of a lazy layer; see `denoise_levels`."""
    from ...denoising.dask_stack import as_dask, pyramid
    from ...models.load import load_checkpoint

    checkpoint = load_checkpoint(job.resolved_model)
    uses_range = checkpoint.outline().uses_range
    levels = [as_dask(level) for level in job.levels]
    if job.part is not None:
        denoised = _denoise_level(levels[0], levels[0], job, checkpoint)
        return LazyDenoised((denoised[job.part],), (levels[0][job.part],), uses_range)
    if len(levels) == 1:
        levels = pyramid(levels[0], job.axes)
    results = (_denoise_level(level, levels[0], job, checkpoint) for level in levels)
    return LazyDenoised(tuple(results), tuple(levels), uses_range)


def denoise_visible(job: DenoiseJob) -> Generator[str, None, Denoised | Failed]:
    """Denoise the visible region of a lazy layer, reading only that region."""
    try:
        yield "loading the model"
        from ...models.load import load_checkpoint

        checkpoint, levels = load_checkpoint(job.resolved_model), job.levels
        denoised = _denoise_level(levels[job.level], levels[0], job, checkpoint)
        part = denoised[(*job.plane, *(job.region or ()))]
        pixels = np.asarray(part.compute())
        return Denoised(
            noisy=pixels,
            denoised=pixels,
            prepared=None,
            uses_range=checkpoint.outline().uses_range,
            scores={},
        )
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Denoising failed: {error}")


def inspect_lazy_layer(job: DenoiseJob) -> Generator[None, None, LayerFacts | Failed]:
    """Inspect a lazy layer, reading only the windows of its noise estimate."""
    yield
    try:
        from ...models.load import load_checkpoint

        try:
            checkpoint = load_checkpoint(job.resolved_model)
        except DenoiseAEError as error:
            return LayerFacts(math.nan, (str(error),))
        yield
        ranges, windows = _measure(job, checkpoint)
        texts, noise = compare(job, checkpoint, ranges, windows)
        level = median_of_known(noise_levels(windows, ranges, PATCHES))
        return LayerFacts(level if noise is None else math.nan, texts, noise)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Cannot inspect the layer: {error}")


def _measure(job: DenoiseJob, checkpoint: Checkpoint) -> tuple[IntensityRanges, Any]:
    """Return how a model normalizes a lazy layer, and the windows read for that."""
    from dask.base import compute

    from ...denoising.dask_noise import find_lazy_ranges
    from ...denoising.dask_stack import DaskPlanes

    planes, options = (
        DaskPlanes.of(job.levels[0], job.axes),
        for_whole_stack(job.options),
    )
    ranges = find_lazy_ranges(planes, checkpoint, options)
    groups = group_planes(planes, options.range_of)
    windows = list(read_noise_windows(planes, groups))
    measured: tuple[IntensityRanges, Any] = compute(ranges, windows)
    return measured


def _denoise_level(
    level: Any, full: Any, job: DenoiseJob, checkpoint: Checkpoint
) -> Array:
    from ...denoising.dask_array import denoise_lazily

    options = job.options
    if options.sigma is not None:
        # Sigma and correlation refer to the full size. Pixels of smaller levels
        # average several.
        x, y = (
            _averaged(correlation, round(full.shape[axis] / level.shape[axis]))
            for correlation, axis in zip(
                options.correlation or (0.0, 0.0),
                (job.axes.index("X"), job.axes.index("Y")),
                strict=True,
            )
        )
        options = replace(
            options,
            sigma=options.sigma * math.sqrt(x[0] * y[0]),
            correlation=(x[1], y[1]),
        )
    return denoise_lazily(level, checkpoint, options)


def _averaged(correlation: float, number: int) -> tuple[float, float]:
    """Return variance and correlation of noise after averaging neighbors.

    Parameters
    ----------
    correlation : float
        Correlation of neighbors in noise of variance 1, which is taken to fall with
        the distance as after a Gaussian blur.
    number : int
        Number of neighbors that are averaged.
    """
    distances = np.subtract.outer(np.arange(number), np.arange(number))
    variance = float((correlation ** np.square(distances)).mean())
    shared = float((correlation ** np.square(distances + number)).mean())
    return variance, shared / variance
