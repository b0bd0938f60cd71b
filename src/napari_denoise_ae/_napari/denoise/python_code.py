"""The Python call that does what the Denoise widget does."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...noise.setting import NoiseSetting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .job import DenoiseJob


def python_code(name: str, job: DenoiseJob, models: Sequence[str] | None = None) -> str:
    """Return lines that give in napari's console what a job gives.

    With models, `denoised` has what each of them gives, by its name.
    """
    # Of a pyramid the largest level.
    level = "[0]" if len(job.levels) > 1 else ""
    lines = [f"image = viewer.layers[{name!r}].data{level}"]
    imports = ["from napari_denoise_ae import denoise"]
    image, settings = "image", f"axes={job.axes!r}, device={job.device!r}"
    range_of = "" if job.range_of == "stack" else f", range_of={job.range_of!r}"
    settings += range_of
    if job.intensity_range is not None:
        settings += f", intensity_range={job.intensity_range!r}"
    if job.noise is not None:
        image, settings = "noisy", f"{settings}, intensity_range=limits"
        imports = [
            "from napari_denoise_ae import add_noise, denoise",
            "from napari_denoise_ae.image.axes import color_planes",
            "from napari_denoise_ae.image.ranges import resolve_intensity_ranges",
        ]
        planes = f"color_planes(image, {job.axes!r})"
        lines += [
            f"limits = resolve_intensity_ranges({planes}, {job.axes!r}{range_of})",
            f"noisy = add_noise(image, {job.noise!r}, rng={job.seed}, "
            f"axes={job.axes!r}, intensity_range=limits)",
        ]
    said = _said_of_noise(job.setting)
    if models is None:
        settings += "".join(f", {key}={value!r}" for key, value in said.items())
        call = f"denoise({image}, model={job.model!r}, {settings}){_part(job)}"
        return "\n".join([*imports, *lines, f"denoised = {call}"])
    if said:
        # Only models that take a noise level may be told anything of it.
        imports.append("from napari_denoise_ae.models.load import load_checkpoint")
        lines.append(_TOLD.format(models=list(models), said=said))
        settings += ", **told[model]"
    call = f"denoise({image}, model=model, {settings}){_part(job)}"
    lines.append(f"denoised = {{model: {call} for model in {list(models)!r}}}")
    return "\n".join([*imports, *lines])


_TOLD = """told = {{
    model: {said!r} if load_checkpoint(model).outline().takes_noise_level else {{}}
    for model in {models!r}
}}"""


def _part(job: DenoiseJob) -> str:
    if job.part is None:
        return ""
    cuts = (f"{cut.start}:{cut.stop}" for cut in job.part)
    return f"[{', '.join(cuts)}]"


def _said_of_noise(setting: NoiseSetting) -> dict[str, Any]:
    """Return what differs from the defaults of `denoise`."""
    default = asdict(NoiseSetting())
    return {
        key: value for key, value in asdict(setting).items() if value != default[key]
    }
