"""Describe how a layer was made, for its metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._version import __version__
from ...noise.noise_estimate import as_plain_estimate
from ..shared.layer_noise import describe_noise, scalings

if TYPE_CHECKING:
    from ...image.intensity import IntensityRanges
    from .job import DenoiseJob
    from .result import Denoised


def provenance(
    job: DenoiseJob, result: Denoised | None = None, *, uses_range: bool = True
) -> dict[str, Any]:
    """Return the settings of a job and, given its result, the measured values.

    Parameters
    ----------
    job : DenoiseJob
        The job.
    result : Denoised, optional
        Its result.
    uses_range : bool
        Whether the model uses an intensity range; if not, that of the job is left out.
    """
    known: dict[str, Any] = {
        "version": __version__,
        "model": job.resolved_model,
        "noise": job.noise,
        "seed": job.seed,
        **job.options.of_result(),
    }
    if not uses_range:
        known.pop("intensity_range", None)
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
        estimates = [as_plain_estimate(each.noise) for each in noise]
        is_same = all(each == estimates[0] for each in estimates)
        return {
            "measured_noise": estimates[0] if is_same else estimates,
            "noise_found": describe_noise(found),
        }
    pairs = [(scale.low, scale.high) for scale in found.ranges]
    return {"intensity_range": pairs[0] if len(set(pairs)) == 1 else pairs}
