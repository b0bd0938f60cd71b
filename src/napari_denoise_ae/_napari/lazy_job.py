"""Lazy layers: what runs outside the GUI thread, and computes next to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DenoiseAEError
from .workers import Denoised, Failed, LayerFacts

if TYPE_CHECKING:
    from collections.abc import Generator

    from dask.array import Array

    from ..checkpoint import Checkpoint
    from .workers import DenoiseJob


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
        return LazyDenoised(tuple(make_levels(job)))
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"Denoising failed: {error}")


def make_levels(job: DenoiseJob) -> list[Array]:
    """Return the result of a lazy layer, level by level; see `denoise_levels`."""
    from ..checkpoint import load_checkpoint
    from ..lazy import pyramid

    checkpoint, levels = load_checkpoint(job.model), list(job.levels)
    if job.part is not None:
        return [_denoise(levels[0], job, checkpoint)[job.part]]
    if len(levels) == 1:
        levels = pyramid(levels[0], job.axes)
    return [_denoise(level, job, checkpoint) for level in levels]


def denoise_visible(job: DenoiseJob) -> Generator[str, None, Denoised | Failed]:
    """Denoise the visible region of a lazy layer, and read no more of it."""
    try:
        yield "loading the model"
        from ..checkpoint import load_checkpoint

        denoised = _denoise(job.levels[job.level], job, load_checkpoint(job.model))
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
        from ..checkpoint import load_checkpoint
        from ..lazy import noise_node
        from ..metrics import median_of_known
        from ..misfits import describe_misfits

        node, ranges = noise_node(
            job.levels[0], axes=job.axes, intensity_range=job.intensity_range
        )
        yield
        levels = node.compute()
        noise = median_of_known(levels)
        yield
        try:
            checkpoint = load_checkpoint(job.model)
        except DenoiseAEError as error:
            return LayerFacts(noise, (str(error),))
        n_colours = 3 if "S" in job.axes else 1
        misfits = describe_misfits(n_colours, checkpoint, ranges, levels)
        return LayerFacts(noise, tuple(misfits))
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"The layer cannot be looked at: {error}")


def _denoise(level: Any, job: DenoiseJob, checkpoint: Checkpoint) -> Array:
    from ..lazy import denoise_lazily

    return denoise_lazily(
        level,
        checkpoint,
        axes=job.axes,
        intensity_range=job.intensity_range,
        device=job.device,
    )
