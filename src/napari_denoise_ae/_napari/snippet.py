"""The Python call that does what the Denoise widget does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .workers import DenoiseJob


def python_code(name: str, job: DenoiseJob, models: Sequence[str] | None = None) -> str:
    """Return lines that give in napari's console what a job gives.

    With models, `denoised` has what each of them gives, by its name.
    """
    part = ""
    if job.part is not None:
        cuts = (f"{cut.start}:{cut.stop}" for cut in job.part)
        part = f"[{', '.join(cuts)}]"
    # Of a pyramid the largest level.
    level = "[0]" if len(job.levels) > 1 else ""
    lines = [f"image = viewer.layers[{name!r}].data{level}"]
    model = repr(job.model) if models is None else "model"
    settings = f"model={model}, axes={job.axes!r}, device={job.device!r}"
    if job.intensity_range is not None:
        settings += f", intensity_range={job.intensity_range!r}"
    if job.noise is None:
        lines.insert(0, "from napari_denoise_ae import denoise")
        lines.append(_for_each(f"denoise(image, {settings}){part}", models))
        return "\n".join(lines)
    planes = f"colour_planes(image, {job.axes!r})"
    lines = [
        "from napari_denoise_ae import add_noise, denoise",
        "from napari_denoise_ae.axes import colour_planes",
        "from napari_denoise_ae.intensity import resolve_intensity_ranges",
        *lines,
        f"limits = resolve_intensity_ranges({planes}, {job.axes!r})",
        f"noisy = add_noise(image, {job.noise!r}, rng={job.seed}, axes={job.axes!r})",
        _for_each(f"denoise(noisy, {settings}, intensity_range=limits){part}", models),
    ]
    return "\n".join(lines)


def _for_each(call: str, models: Sequence[str] | None) -> str:
    if models is None:
        return f"denoised = {call}"
    return f"denoised = {{model: {call} for model in {list(models)!r}}}"
