"""Measure a layer before it is denoised, outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DenoiseAEError
from ..shared.noise_found import find_noise
from ..shared.worker import Failed
from .job import LayerScan, load_denoiser, noise_level

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from ...image.intensity import IntensityRange
    from ..shared.noise_found import NoiseFound
    from .job import DenoiseJob


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


def look_at_layer(
    job: DenoiseJob,
) -> Generator[LayerScan | None, None, LayerFacts | Failed]:
    """Measure a layer in memory, which takes too long for the GUI thread.

    Yields what it finds by reading all of the layer, for the next look. The noise
    is measured on three planes of a stack.
    """
    yield None
    from ...denoising.compatibility import find_misfits
    from ...image.axes import color_planes
    from ...image.intensity import share_range
    from ...noise.windows import noise_planes

    try:
        scan = job.scan or scan_layer(job)
        yield scan
        planes, scale = color_planes(np.asarray(job.data), job.axes), scan.ranges
        noise = noise_level(planes, scale)
        yield None
        noisy, axes = planes, job.axes
        if job.noise is not None:
            noisy = _with_noise(noise_planes(planes), job.noise, scale.hull)
            axes = "TYX"
            scale = share_range(axes, scale.hull)
        try:
            denoiser = load_denoiser(job.fitting, job.device)
        except DenoiseAEError as error:
            return LayerFacts(noise, (str(error),))
        yield None
        found = None
        if denoiser.network.takes_noise_level:
            found = find_noise(noisy, axes, job.setting)
        misfits = find_misfits(noisy, denoiser, scale)
        return LayerFacts(noise, tuple(misfits), found)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"The layer cannot be looked at: {error}")


def scan_layer(job: DenoiseJob) -> LayerScan:
    """Read all of a layer to check it and to find its intensity ranges."""
    from ...image.axes import color_planes
    from ...image.checks import require_image
    from ...image.ranges import resolve_intensity_ranges

    array = np.asarray(job.data)
    require_image(array)
    ranges = resolve_intensity_ranges(color_planes(array, job.axes), job.axes)
    return LayerScan(job.data, job.axes, ranges)


def _with_noise(
    planes: NDArray[Any], noise: str, scale: IntensityRange
) -> NDArray[Any]:
    from ...noise.add import add_noise

    # Each channel as a plane: the noise of all of them is alike.
    channels = np.moveaxis(planes, -1, 1)
    noisy = add_noise(channels, noise, axes="TCYX", intensity_range=scale)
    return np.moveaxis(noisy, 1, -1)
