"""How a layer was made, for its metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import __version__

if TYPE_CHECKING:
    from .workers import Denoised, DenoiseJob


def provenance(job: DenoiseJob, result: Denoised | None = None) -> dict[str, Any]:
    """Return the settings of a job and, if there is a result, its figures."""
    known: dict[str, Any] = {
        "version": __version__,
        "model": job.model,
        "axes": job.axes,
        "noise": job.noise,
        "seed": job.seed,
    }
    if job.intensity_range is not None:
        known["intensity_range"] = job.intensity_range
    if job.part is not None:
        known["part"] = [(cut.start, cut.stop) for cut in job.part]
    if result is None or result.prepared is None:
        return known
    pairs = [(scale.low, scale.high) for scale in result.prepared.scale.ranges]
    known["intensity_range"] = pairs[0] if len(set(pairs)) == 1 else pairs
    if (mean := result.mean) is not None:
        known |= {
            "psnr_noisy": mean.psnr_noisy,
            "psnr_denoised": mean.psnr_denoised,
            "ssim_noisy": mean.ssim_noisy,
            "ssim_denoised": mean.ssim_denoised,
        }
    return known
