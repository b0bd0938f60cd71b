"""Find the result that the user sees, to assess it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import InvalidInputError
from ..viewer.outputs import find_output
from .trust_job import TrustJob

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from .job import DenoiseJob


def trust_target(
    viewer: Viewer, layer: Image, job: DenoiseJob
) -> tuple[Image, TrustJob]:
    """Return the result of a job, and what to assess.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    layer : napari.layers.Image
        The layer that was denoised.
    job : DenoiseJob
        The job that was run on it.

    Raises
    ------
    InvalidInputError
        If the result was removed.
    """
    result = find_output(viewer, layer, "denoised")
    noisy = layer if job.noise is None else find_output(viewer, layer, "noisy")
    if result is None or noisy is None:
        raise InvalidInputError("The result was removed. Denoise the layer again.")
    clean = job.reference if job.noise is None else job.data
    return result, TrustJob(
        image=_part(noisy, job) if noisy is layer else noisy.data,
        clean=clean if clean is None or job.part is None else clean[job.part],
        denoised=result.data[0] if result.multiscale else result.data,
        model=job.resolved_model,
        options=job.options,
        pixel_size=_pixel_size(layer),
    )


def _part(layer: Image, job: DenoiseJob) -> Any:
    if not job.levels:
        return layer.data if job.part is None else layer.data[job.part]
    from ...denoising.dask_stack import as_dask

    level = as_dask(job.levels[0])
    return level if job.part is None else level[job.part]


def _pixel_size(layer: Image) -> tuple[float, str] | None:
    """Return the size of a pixel along X and its unit; None if it is not known."""
    unit = layer.units[-1]
    size = float(layer.scale[-1])
    return None if str(unit) == "pixel" else (size, f"{unit:~P}")
