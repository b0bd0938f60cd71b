"""Write Python code that does the same as the Denoise widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..shared.layer_noise import LayerNoise
    from .job import DenoiseJob


def python_code(
    name: str,
    job: DenoiseJob,
    models: Sequence[str] | None = None,
    *,
    found: LayerNoise | None = None,
) -> str:
    """Return lines that do in napari's console what the widget does.

    Parameters
    ----------
    name : str
        The layer's name.
    job : DenoiseJob
        The job.
    models : sequence of str, optional
        Models to compare; `denoised` then maps each of them to its result.
    found : LayerNoise, optional
        The measured noise of the layer, which is written into the call, so that the
        result does not depend on how noise is measured.
    """
    # The largest level of a pyramid.
    level = "[0]" if len(job.levels) > 1 else ""
    imports = ["from napari_denoise_ae import denoise"]
    lines = [f"image = viewer.layers[{name!r}].data{level}"]
    options = job.options.non_defaults()
    if found is not None and _is_of_job(found, job):
        imports = ["from napari_denoise_ae import NoiseEstimate, denoise"]
        estimates = found.estimates
        options["noise_type"] = estimates if len(estimates) > 1 else estimates[0]
        options.pop("correlation", None)
    arguments = {key: f"{key}={value!r}" for key, value in options.items()}
    image = "image"
    if job.noise is not None:
        image, arguments["intensity_range"] = "noisy", "intensity_range=limits"
        imports = _IMPORTS_TO_ADD_NOISE
        lines += _lines_to_add_noise(job)
    if models is None:
        call = _call(image, repr(job.model), arguments, job)
        return "\n".join([*imports, *lines, f"denoised = {call}"])
    if noise := job.options.for_noise:
        # Other models reject noise settings.
        imports = [*imports, "from napari_denoise_ae import load_checkpoint"]
        lines.append(_NOISE_SETTINGS.format(models=list(models), noise=noise))
        arguments = {key: text for key, text in arguments.items() if key not in noise}
        arguments["noise"] = "**noise_settings[model]"
    call = _call(image, "model", arguments, job)
    lines.append(f"denoised = {{model: {call} for model in {list(models)!r}}}")
    return "\n".join([*imports, *lines])


def _is_of_job(found: LayerNoise, job: DenoiseJob) -> bool:
    """Return whether measured noise is what the job would measure."""
    noise = job.options.noise
    is_measured = (
        noise.is_measured and noise.for_measuring == found.setting.for_measuring
    )
    return is_measured and job.noise is None and job.options.range_of == "stack"


_IMPORTS_TO_ADD_NOISE = [
    "from napari_denoise_ae import add_noise, denoise",
    "from napari_denoise_ae.image.planes import ArrayPlanes",
    "from napari_denoise_ae.image.ranges import resolve_intensity_ranges",
]

_NOISE_SETTINGS = """noise_settings = {{
    model: {noise!r} if load_checkpoint(model).outline().takes_noise_level else {{}}
    for model in {models!r}
}}"""


def _lines_to_add_noise(job: DenoiseJob) -> list[str]:
    axes, range_of = repr(job.axes), repr(job.options.range_of)
    return [
        f"planes = ArrayPlanes.of(image, {axes})",
        f"limits = resolve_intensity_ranges(planes, range_of={range_of})",
        f"noisy = add_noise(image, {job.noise!r}, rng={job.seed}, axes={axes}, "
        "intensity_range=limits)",
    ]


def _call(image: str, model: str, arguments: dict[str, str], job: DenoiseJob) -> str:
    call = f"denoise({', '.join([image, f'model={model}', *arguments.values()])})"
    if job.part is None:
        return call
    cuts = (f"{cut.start}:{cut.stop}" for cut in job.part)
    return f"{call}[{', '.join(cuts)}]"
