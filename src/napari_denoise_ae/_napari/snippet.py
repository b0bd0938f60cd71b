"""The Python call that does what the Denoise widget does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .workers import DenoiseJob


def python_code(name: str, job: DenoiseJob) -> str:
    """Return lines that give in napari's console what a job gives."""
    lines = [f"image = viewer.layers[{name!r}].data"]
    settings = f"model={job.model!r}, axes={job.axes!r}, device={job.device!r}"
    if job.noise is None:
        lines.insert(0, "from napari_denoise_ae import denoise")
        lines.append(f"denoised = denoise(image, {settings})")
        return "\n".join(lines)
    colours = "image[..., :3]" if "S" in job.axes else "image"
    lines = [
        "from napari_denoise_ae import add_noise, denoise",
        "from napari_denoise_ae.intensity import resolve_intensity_range",
        *lines,
        f"limits = resolve_intensity_range({colours})",
        f"noisy = add_noise(image, {job.noise!r}, rng={job.seed}, axes={job.axes!r})",
        f"denoised = denoise(noisy, {settings}, intensity_range=limits)",
    ]
    return "\n".join(lines)
