"""Lazy layers: what runs outside the GUI thread, and computes next to nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DenoiseAEError
from ...image.axes import count_colors
from ...noise.setting import POISSON_GAUSSIAN, NoiseSetting
from ..shared.noise_found import NoiseFound
from ..shared.worker import Failed
from .job import Denoised
from .look_job import LayerFacts

if TYPE_CHECKING:
    from collections.abc import Generator

    from dask.array import Array

    from ...models.checkpoint import Checkpoint
    from .job import DenoiseJob


@dataclass(frozen=True, slots=True, eq=False)
class LazyDenoised:
    """A lazy result.

    Parameters
    ----------
    levels : tuple of dask.array.Array
        The result, of which nothing is computed yet; the largest level first.
    """

    levels: tuple[Array, ...]


def denoise_levels(
    job: DenoiseJob,
) -> Generator[str, None, LazyDenoised | Failed]:
    """Describe the result of a lazy layer; nothing of it is computed.

    A pyramid is denoised level by level; of large planes one is made.
    """
    try:
        yield "loading the model"
        from ...models.devices import choose_device

        # A device that is missing is said now, not when the first tile is drawn.
        choose_device(job.device)
        return LazyDenoised(tuple(make_levels(job)))
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"Denoising failed: {error}")


def make_levels(job: DenoiseJob) -> list[Array]:
    """Return the result of a lazy layer, level by level; see `denoise_levels`."""
    from ...denoising.dask_stack import pyramid
    from ...models.load import load_checkpoint

    checkpoint, levels = load_checkpoint(job.fitting), list(job.levels)
    if job.part is not None:
        return [_denoise(levels[0], job, checkpoint)[job.part]]
    if len(levels) == 1:
        levels = pyramid(levels[0], job.axes)
    return [_denoise_level(level, levels[0], job, checkpoint) for level in levels]


def denoise_visible(job: DenoiseJob) -> Generator[str, None, Denoised | Failed]:
    """Denoise the visible region of a lazy layer, and read no more of it."""
    try:
        yield "loading the model"
        from ...models.load import load_checkpoint

        checkpoint, levels = load_checkpoint(job.fitting), job.levels
        denoised = _denoise_level(levels[job.level], levels[0], job, checkpoint)
        part = denoised[(*job.plane, *(job.region or ()))]
        pixels = np.asarray(part.compute())
        return Denoised(noisy=pixels, denoised=pixels, prepared=None, figures={})
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Denoising failed: {error}")


def look_at_lazy_layer(job: DenoiseJob) -> Generator[None, None, LayerFacts | Failed]:
    """Find out about a lazy layer from the few windows of its noise estimate."""
    yield
    try:
        from ...models.load import load_checkpoint

        try:
            checkpoint = load_checkpoint(job.fitting)
        except DenoiseAEError as error:
            return LayerFacts(math.nan, (str(error),))
        yield
        if checkpoint.outline().takes_noise_level:
            return _look_for_noise(job, checkpoint)
        return _look_at_range(job, checkpoint)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"The layer cannot be looked at: {error}")


def _look_for_noise(job: DenoiseJob, checkpoint: Checkpoint) -> LayerFacts:
    """Find the noise that the model is told; no intensity range is needed."""
    from dask.base import compute

    from ...denoising.compatibility import describe_misfits
    from ...denoising.dask_noise import found_nodes

    level = job.levels[0]
    scaling, fits, unfit = found_nodes(level, job.setting, axes=job.axes)
    estimate, *_ = found_nodes(level, NoiseSetting(), axes=job.axes)
    is_curve = job.setting.noise_type == POISSON_GAUSSIAN
    scaling, estimate, unfit, fits = compute(
        scaling, estimate, unfit, fits if is_curve else ()
    )
    misfits = describe_misfits(
        count_colors(level.shape, job.axes), checkpoint, scaling, ()
    )
    found = NoiseFound(job.setting, scaling, estimate, fits)
    return LayerFacts(math.nan, (*misfits, *unfit), found)


def _look_at_range(job: DenoiseJob, checkpoint: Checkpoint) -> LayerFacts:
    """Find the noise relative to the intensity range."""
    from ...denoising.compatibility import describe_misfits
    from ...denoising.dask_noise import noise_node
    from ...noise.wavelet import median_of_known

    level = job.levels[0]
    node, ranges = noise_node(level, axes=job.axes, intensity_range=job.intensity_range)
    levels = node.compute()
    misfits = describe_misfits(
        count_colors(level.shape, job.axes), checkpoint, ranges, levels
    )
    return LayerFacts(median_of_known(levels), tuple(misfits))


def _denoise_level(
    level: Any, full: Any, job: DenoiseJob, checkpoint: Checkpoint
) -> Array:
    sigma = job.setting.sigma
    if sigma is not None:
        # What a user gives is that of the full size: each pixel of a smaller level
        # is the mean of several.
        n_averaged = math.prod(
            whole / part
            for letter, whole, part in zip(
                job.axes, full.shape, level.shape, strict=True
            )
            if letter in "YX"
        )
        setting = replace(job.setting, sigma=sigma / math.sqrt(n_averaged))
        job = replace(job, setting=setting)
    return _denoise(level, job, checkpoint)


def _denoise(level: Any, job: DenoiseJob, checkpoint: Checkpoint) -> Array:
    from ...denoising.dask_array import denoise_lazily

    return denoise_lazily(
        level,
        checkpoint,
        axes=job.axes,
        intensity_range=job.intensity_range,
        range_of=job.range_of,
        device=job.device,
        setting=job.setting,
    )
