"""Denoise a layer with a classical method, to compare models with it."""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InvalidInputError
from ...image.axes import color_planes
from ...image.casting import cast_saturating
from ...image.planes import ArrayPlanes, plane_indices, whole_plane
from .result import Denoised, score_planes

if TYPE_CHECKING:
    from collections.abc import Generator

    from ...denoising.array import Progress
    from .job import DenoiseJob, PreparedLayer

# The methods, and the package that each needs.
_METHODS = {"non-local means": "skimage", "BM3D": "bm3d"}


def baselines() -> tuple[str, ...]:
    """Return the names of the installed methods."""
    return tuple(name for name, package in _METHODS.items() if find_spec(package))


def run_baseline(
    name: str, job: DenoiseJob, prepared: PreparedLayer
) -> Generator[str | Progress, None, Denoised]:
    """Denoise a prepared layer plane by plane; it can be canceled between planes.

    Parameters
    ----------
    name : str
        One of `baselines`.
    job : DenoiseJob
        The job, of which model and options are ignored.
    prepared : PreparedLayer
        The layer.

    Raises
    ------
    InvalidInputError
        If the layer has pixels without data.
    """
    # scikit-image and torch are slow to import.
    from ...denoising.array import Progress
    from ...evaluation.baselines import UNTUNED

    method, noisy = UNTUNED[name], prepared.noisy
    planes = ArrayPlanes.of(noisy, job.axes)
    denoised = np.array(noisy)
    target = color_planes(denoised, job.axes)
    indices = list(plane_indices(planes))
    start = time.perf_counter()
    for number, plane in enumerate(indices, 1):
        pixels, scale = (
            planes.read(plane, whole_plane(planes)),
            prepared.ranges.of(plane),
        )
        if not np.isfinite(pixels).all():
            raise InvalidInputError(f"{name} cannot denoise pixels without data.")
        result = scale.denormalize(method(scale.normalize(pixels)))
        target[plane] = cast_saturating(result, noisy.dtype)
        yield Progress(number, len(indices))
    seconds = time.perf_counter() - start
    yield "measuring"
    scores = yield from score_planes(job, noisy, denoised)
    return Denoised(
        noisy=noisy,
        denoised=denoised,
        prepared=prepared,
        scores=scores,
        seconds=seconds,
    )
