"""Assess a result outside the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DenoiseAEError
from ..shared.worker import Failed
from ..viewer.trust_layers import PlaneMap
from .denoise_job import load_denoiser

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from numpy.typing import NDArray

    from ...denoising.array import Progress
    from ...denoising.options import DenoiseOptions
    from ...evaluation.trust.report import TrustReport
    from .job import Plane


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrustJob:
    """A result to assess.

    Parameters
    ----------
    image, denoised : array_like
        The image as it was denoised, and the result; in memory or lazy.
    model : str
        The model that made it.
    options : DenoiseOptions
        The options that it was made with, with axes.
    clean : array_like, optional
        A clean image, to compare with.
    pixel_size : tuple, optional
        Size of a pixel along X, and its unit.
    """

    image: Any
    denoised: Any
    model: str
    options: DenoiseOptions
    clean: Any = None
    pixel_size: tuple[float, str] | None = None


def assess_result(
    job: TrustJob,
) -> Generator[Progress | None, None, tuple[TrustReport, ...] | Failed]:
    """Assess a result; the generator yields after each step.

    Returns
    -------
    tuple of TrustReport or Failed
        The report of each channel.
    """
    yield None
    try:
        from ...evaluation.trust.api import as_planes
        from ...evaluation.trust.assessment import Assessment, AssessOptions
        from ...evaluation.trust.others import Others
        from ...evaluation.trust.windows import channels_of

        denoiser = load_denoiser(job.model, job.options)
        axes = job.options.axes
        image, denoised = as_planes(job.image, axes), as_planes(job.denoised, axes)
        others = Others(None if job.clean is None else as_planes(job.clean, axes))
        choice = AssessOptions(pixel_size=job.pixel_size)
        reports = []
        for channel in channels_of(image):
            run = Assessment(
                image,
                denoised,
                denoiser,
                job.options,
                choice=choice,
                channel=channel,
                others=others,
            )
            yield from run
            reports.append(run.report)
        return tuple(reports)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Assessing failed: {error}")


def plane_maps(
    reports: Sequence[TrustReport], name: str, shape: tuple[int, int]
) -> list[PlaneMap]:
    """Return a map of each plane that was looked at; none if it is unknown.

    Parameters
    ----------
    reports : sequence of TrustReport
        The report of each channel.
    name : str
        ``"error"`` or ``"structure"``; see `WindowMaps`.
    shape : tuple of int
        Rows and columns of a plane.
    """
    maps: dict[Plane, NDArray[np.float32]] = {}
    for window in (each for report in reports for each in report.windows):
        found: NDArray[np.float64] | None = getattr(window, name)
        if found is not None:
            pixels = maps.setdefault(
                window.plane, np.full(shape, np.nan, dtype=np.float32)
            )
            pixels[window.region] = found
    return [PlaneMap(plane, pixels) for plane, pixels in maps.items()]
