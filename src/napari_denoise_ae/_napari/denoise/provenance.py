"""How a layer was made, for its metadata."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..._version import __version__
from ...models.builtin import suits_any_noise
from ...noise.setting import NoiseSetting
from ..shared.noise_found import scalings

if TYPE_CHECKING:
    from ...image.intensity import IntensityRanges
    from .job import Denoised, DenoiseJob


def provenance(job: DenoiseJob, result: Denoised | None = None) -> dict[str, Any]:
    """Return the settings of a job and, if there is a result, its figures."""
    known: dict[str, Any] = {
        "version": __version__,
        "model": job.fitting,
        "axes": job.axes,
        "noise": job.noise,
        "seed": job.seed,
    }
    if job.intensity_range is not None:
        known["intensity_range"] = job.intensity_range
    if job.range_of != "stack":
        known["range_of"] = job.range_of
    if job.part is not None:
        known["part"] = [(cut.start, cut.stop) for cut in job.part]
    if suits_any_noise(job.fitting) or job.setting != NoiseSetting():
        known["removed"] = _said_of_noise(job.setting)
    if result is None or result.prepared is None:
        return known
    if result.found is None:
        pairs = [(scale.low, scale.high) for scale in result.prepared.scale.ranges]
        known["intensity_range"] = pairs[0] if len(set(pairs)) == 1 else pairs
    else:
        known["removed"] = _said_of_noise(job.setting) | _found(result.found)
    if (mean := result.mean) is not None:
        known |= {
            "psnr_noisy": mean.psnr_noisy,
            "psnr_denoised": mean.psnr_denoised,
            "ssim_noisy": mean.ssim_noisy,
            "ssim_denoised": mean.ssim_denoised,
        }
    return known


def _said_of_noise(setting: NoiseSetting) -> dict[str, Any]:
    """Return what was said of noise that was removed; what was not is left out."""
    said = asdict(setting)
    return {key: value for key, value in said.items() if value is not None}


def _found(ranges: IntensityRanges) -> dict[str, Any]:
    """Return what the model was told, of several channels as a list for each name."""
    rows = [
        {"sigma": each.sigma} if each.curve is None else asdict(each.curve)
        for each in scalings(ranges)
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {
        name: values[0] if len(set(values)) == 1 else values
        for name, values in columns.items()
    }
