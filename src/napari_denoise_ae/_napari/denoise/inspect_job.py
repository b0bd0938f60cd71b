"""Inspect a layer before it is denoised, outside the GUI thread."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...denoising.compatibility import find_incompatibilities, noise_level
from ...denoising.model_ranges import find_model_ranges
from ...errors import DenoiseAEError
from ...image.axes import count_colors
from ...image.checks import require_image
from ...image.intensity import share_range
from ...image.planes import ArrayPlanes
from ...image.ranges import resolve_intensity_ranges
from ...noise.add import add_noise
from ...noise.estimators import PATCHES
from ...noise.windows import noise_planes, read_noise_windows
from ..shared.layer_noise import measure_layer_noise, scalings
from ..shared.worker import Failed
from .denoise_job import load_denoiser
from .job import LayerScan

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from ...denoising.options import DenoiseOptions
    from ...image.intensity import IntensityRanges
    from ...models.checkpoint import Checkpoint
    from ..shared.layer_noise import LayerNoise
    from .job import DenoiseJob


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """Facts about a layer before it is denoised.

    Parameters
    ----------
    noise : float
        Estimated noise as a fraction of the intensity range; NaN if unknown, or known
        as `layer_noise`.
    incompatibilities : tuple of str
        Reasons why the model or the options may not fit the layer.
    layer_noise : LayerNoise, optional
        The estimated noise, if the model takes a noise level.
    """

    noise: float
    incompatibilities: tuple[str, ...]
    layer_noise: LayerNoise | None = None


def inspect_layer(
    job: DenoiseJob,
) -> Generator[LayerScan | None, None, LayerFacts | Failed]:
    """Inspect a layer in memory.

    Yields the scan of the layer, for the next inspection. The noise is measured on
    three planes of a stack.
    """
    yield None
    try:
        scan = job.scan or scan_layer(job)
        yield scan
        planes = ArrayPlanes.of(np.asarray(job.data), job.axes)
        scale, noise = scan.ranges, noise_level(planes, scan.ranges, PATCHES)
        yield None
        if job.noise is not None:
            planes = _with_noise(noise_planes(planes), job.noise, scale)
            scale = share_range(planes.axes, scale.hull)
        try:
            checkpoint = load_denoiser(job.resolved_model, job.options).checkpoint
        except DenoiseAEError as error:
            return LayerFacts(noise, (str(error),))
        yield None
        options = replace(for_whole_stack(job.options), intensity_range=scale)
        ranges = find_model_ranges(planes, checkpoint, options)
        windows = list(read_noise_windows(planes, ranges))
        texts, found = compare(job, checkpoint, ranges, windows)
        return LayerFacts(noise if found is None else math.nan, texts, found)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Cannot inspect the layer: {error}")


def scan_layer(job: DenoiseJob) -> LayerScan:
    """Read a whole layer to check it and find its intensity ranges."""
    array = np.asarray(job.data)
    require_image(array)
    ranges = resolve_intensity_ranges(ArrayPlanes.of(array, job.axes))
    return LayerScan(job.data, job.axes, ranges)


def for_whole_stack(options: DenoiseOptions) -> DenoiseOptions:
    """Return options to measure the whole stack at strength 1."""
    return replace(options, range_of="stack", strength=1.0)


def compare(
    job: DenoiseJob,
    checkpoint: Checkpoint,
    ranges: IntensityRanges,
    windows: list[list[list[NDArray[Any]]]],
) -> tuple[tuple[str, ...], LayerNoise | None]:
    """Return why the model may not fit a layer, and the noise that was found.

    Parameters
    ----------
    job : DenoiseJob
        The job for the layer.
    checkpoint : Checkpoint
        The model.
    ranges : IntensityRanges
        How the model normalizes the layer, at strength 1.
    windows : list
        The computed result of `read_noise_windows` for these ranges.
    """
    noise, n_colors = job.options.noise, count_colors(job.data.shape, job.axes)
    texts = find_incompatibilities(checkpoint, noise, n_colors, ranges, windows)
    if not scalings(ranges):  # the model takes no noise level
        return tuple(texts), None
    return tuple(texts), measure_layer_noise(windows, ranges, noise)


def _with_noise(
    planes: NDArray[Any], noise: str, scale: IntensityRanges
) -> ArrayPlanes:
    # Channels become planes, because all have the same kind of noise.
    channels = np.moveaxis(planes, -1, 1)
    noisy = add_noise(channels, noise, axes="TCYX", intensity_range=scale.hull)
    return ArrayPlanes(np.moveaxis(noisy, 1, -1), "TYX")
