"""Describe how a layer was made, for its metadata."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..._version import __version__
from ..shared.noise_estimate import scalings

if TYPE_CHECKING:
    from ...image.intensity import IntensityRanges
    from ...noise.normalization import NoiseScaling
    from .job import DenoiseJob
    from .result import Denoised


def provenance(job: DenoiseJob, result: Denoised | None = None) -> dict[str, Any]:
    """Return the settings of a job and, given its result, the measured values."""
    known: dict[str, Any] = {
        "version": __version__,
        "model": job.resolved_model,
        "noise": job.noise,
        "seed": job.seed,
        **job.options.of_result(),
    }
    if job.part is not None:
        known["part"] = [(cut.start, cut.stop) for cut in job.part]
    if result is None or result.ranges is None:
        return known
    known |= _measured(result.ranges)
    if (mean := result.mean) is not None:
        known |= {
            "psnr_noisy": mean.psnr_noisy,
            "psnr_denoised": mean.psnr_denoised,
            "ssim_noisy": mean.ssim_noisy,
            "ssim_denoised": mean.ssim_denoised,
        }
    return known


def _measured(found: IntensityRanges) -> dict[str, Any]:
    """Return what was measured in a layer: its noise, or its intensity range."""
    if noise := scalings(found):
        return {"measured_noise": _describe(noise)}
    pairs = [(scale.low, scale.high) for scale in found.ranges]
    return {"intensity_range": pairs[0] if len(set(pairs)) == 1 else pairs}


def _describe(noise: list[NoiseScaling]) -> dict[str, Any]:
    """Return noise by the names of its figures, which are lists if they differ."""
    rows = [
        {"sigma": each.sigma} if each.curve is None else asdict(each.curve)
        for each in noise
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {
        name: values[0] if len(set(values)) == 1 else values
        for name, values in columns.items()
    }
