"""Denoising a layer without the widget: from napari's menu and from its console."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import napari
from napari.layers import Image
from napari.utils import progress
from napari.utils.notifications import show_error, show_warning

from ...errors import DenoiseAEError, InvalidInputError
from ...models.builtin import DEFAULT_MODEL, suits_any_noise
from ...noise.setting import GAUSSIAN, NoiseSetting
from ..shared.model_choice import unwrapped
from ..shared.preferences import preferred_device
from ..shared.worker import Failed, Running
from ..viewer.axes import layer_axes
from ..viewer.layers import lazy_levels, needs_range, proposed_range
from ..viewer.outputs import make_output, show_lazy_output, show_output
from .job import DenoiseJob, Started, run_denoising
from .lazy_job import LazyDenoised, denoise_levels, make_levels
from .provenance import provenance

if TYPE_CHECKING:
    from ...denoising.array import Progress
    from .job import Denoised


def denoise_active_layer() -> None:
    """Denoise the active layer of the current viewer with the fitting built-in model.

    The noise level is estimated. Runs outside the GUI thread; the result is
    added, or updated if it is there. That of a lazy layer is lazy; see
    `denoise_layer`.
    """
    viewer: Any = napari.current_viewer()
    layer = viewer.layers.selection.active
    try:
        job = _job(layer, DEFAULT_MODEL, preferred_device(), NoiseSetting())
    except DenoiseAEError as error:
        show_error(str(error))
        return
    activity = progress(total=0, desc=f"Denoising {layer.name}")

    def show_step(step: str | Started | Progress) -> None:
        if not isinstance(step, str | Started):
            activity.total = step.total
            activity.update(1)

    def show(outcome: Denoised | LazyDenoised | Failed) -> None:
        activity.close()
        _show_outcome(viewer, layer, job, outcome)

    Running(
        denoise_levels if job.levels else run_denoising,
        job,
        yielded=show_step,
        returned=show,
        errored=activity.close,
    )


def _show_outcome(
    viewer: Any,
    layer: Image,
    job: DenoiseJob,
    outcome: Denoised | LazyDenoised | Failed,
) -> None:
    if isinstance(outcome, Failed):
        show_error(outcome.message)
    elif layer not in viewer.layers:
        show_warning(f"The layer {layer.name!r} is gone, and its result with it.")
    elif isinstance(outcome, LazyDenoised):
        known = provenance(job)
        show_lazy_output(viewer, layer, outcome.levels, job.axes, known)
    else:
        known = provenance(job, outcome)
        show_output(viewer, layer, "denoised", outcome.denoised, known)
        if outcome.misfits:
            show_warning("\n".join(outcome.misfits))


def denoise_layer(
    layer: Image,
    *,
    model: str = DEFAULT_MODEL,
    sigma: float | None = None,
    noise_type: str = GAUSSIAN,
    strength: float = 1.0,
    range_of: str = "stack",
    device: str = "auto",
) -> Image:
    """Denoise an image layer; for scripts and napari's console.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer; never changed. Stacks are denoised plane by plane. Of a layer
        of dask or Zarr arrays, or a pyramid, nothing is read: the result is
        lazy. Unless it is uint8, a model that takes no noise level sees its
        contrast limits as the intensity range.
    model : str
        A built-in model's name, or a checkpoint file. ``"auto"``: the built-in
        ``"rgb"`` for color images, ``"gray"`` for all others.
    sigma : float, optional
        Standard deviation of the noise in the layer's units, for models that
        take it. None means that it is estimated from the layer.
    noise_type : str
        ``"gaussian"`` or ``"poisson-gaussian"``, see
        `napari_denoise_ae.denoise`.
    strength : float
        How many times the noise level the model is told, 0 to 10.
    range_of, device : str
        See `napari_denoise_ae.denoise`.

    Returns
    -------
    napari.layers.Image
        A new layer that lies and looks like its source.

    Warns
    -----
    DenoiseAEWarning
        If the model does not fit the layer.

    Raises
    ------
    InvalidInputError
        If it is no image layer, or one that cannot be denoised, or the noise
        cannot be used.
    CheckpointError
        If the model cannot be loaded.
    DeviceError
        If the device is not there, or runs out of memory.

    Examples
    --------
    >>> from napari.layers import Image
    >>> from skimage.data import astronaut
    >>> from napari_denoise_ae import add_noise, denoise_layer
    >>> noisy = add_noise(astronaut(), "gaussian:0.1")
    >>> denoise_layer(Image(noisy, rgb=True, name="astronaut")).name
    'astronaut [denoised]'
    """
    from ...denoising.api import denoise

    source = unwrapped(layer)
    setting = NoiseSetting(sigma=sigma, noise_type=noise_type, strength=strength)
    job = replace(_job(source, model, device, setting), range_of=range_of)
    if job.levels:
        levels = make_levels(job)
        is_pyramid = len(levels) > 1
        return make_output(
            source,
            "denoised",
            levels if is_pyramid else levels[0],
            provenance(job),
            multiscale=is_pyramid,
        )
    denoised = denoise(
        job.data,
        model=model,
        sigma=sigma,
        noise_type=noise_type,
        strength=strength,
        axes=job.axes,
        range_of=range_of,
        device=device,
    )
    return make_output(source, "denoised", denoised, provenance(job))


def _job(layer: Any, model: str, device: str, setting: NoiseSetting) -> DenoiseJob:
    if not isinstance(layer, Image):
        found = "no layer is" if layer is None else f"{type(layer).__name__} is"
        raise InvalidInputError(f"Choose an image layer to denoise: {found} chosen.")
    # Of a file it is not known yet; a range does no harm then.
    is_asked = needs_range(layer, takes_noise_level=suits_any_noise(model))
    return DenoiseJob(
        data=layer.data,
        axes=layer_axes(layer),
        levels=lazy_levels(layer),
        intensity_range=proposed_range(layer) if is_asked else None,
        setting=setting,
        model=model,
        device=device,
        noise=None,
        seed=0,
    )
