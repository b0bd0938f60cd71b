"""Denoise a layer without the widget, from napari's menu or console."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import napari
from napari.layers import Image
from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QTimer

from ...denoising.options import AS_INPUT, FLOAT32, DenoiseOptions, shows_options
from ...errors import DenoiseAEError, InvalidInputError
from ...models.builtin import DEFAULT_MODEL, suits_any_noise
from ..shared.model_choice import model_choice, unwrap_proxy
from ..shared.preferences import preferred_device
from ..shared.responsive import call_responsive
from ..viewer.axes import layer_axes
from ..viewer.layers import (
    can_show_float32,
    lazy_levels,
    needs_range,
    proposed_range,
)
from ..viewer.outputs import make_output
from .job import DenoiseJob
from .lazy_job import make_levels
from .provenance import provenance
from .run import DenoiseRun

if TYPE_CHECKING:
    from typing import Unpack

    from numpy.typing import NDArray

    from ...denoising.options import DenoiseKeywords
    from .result import Denoised

# The runs of the menu command, which nothing else keeps alive.
_RUNS: set[DenoiseRun] = set()


def denoise_active_layer() -> None:
    """Denoise the active layer of the current viewer, as the Denoise widget does.

    The model is that chosen in the viewer, initially the one of the preferences. The
    noise is measured. The layer is denoised outside the GUI thread, and the result is
    added or updated. The result of a lazy layer is lazy; see `denoise_layer`.
    """
    viewer: Any = napari.current_viewer()
    layer = viewer.layers.selection.active
    options = DenoiseOptions(device=preferred_device())
    try:
        job = _job(layer, model_choice(viewer).chosen, options)
    except DenoiseAEError as error:
        show_error(str(error))
        return
    run = DenoiseRun(viewer)
    run.finished.connect(_show_warnings)
    run.abandoned.connect(_warn_of_removal)
    run.busy.connect(lambda is_busy: None if is_busy else _close(run))
    _RUNS.add(run)
    run.start(layer, job)


def _show_warnings(_: Image, __: DenoiseJob, result: Denoised) -> None:
    if result.incompatibilities:
        show_warning("\n".join(result.incompatibilities))


def _warn_of_removal(name: str) -> None:
    show_warning(f"The layer {name!r} was removed; its result is lost.")


def _close(run: DenoiseRun) -> None:
    """Let go of a run after its last signals."""
    QTimer.singleShot(0, run.close)
    _RUNS.discard(run)


@shows_options
def denoise_layer(
    layer: Image, *, model: str = DEFAULT_MODEL, **options: Unpack[DenoiseKeywords]
) -> Image:
    """Denoise an image layer, in scripts or napari's console.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer, which is never changed. Stacks are denoised plane by plane. For
        multiscale layers, and layers of dask or Zarr arrays, the result is lazy.
    model : str
        Name of a built-in model, or a checkpoint file. ``"auto"`` uses the built-in
        model ``"rgb"`` for color images and ``"gray"`` for all others.
    sigma, correlation, noise_type, strength, replace_hot_pixels, range_of
        See `napari_denoise_ae.denoise`.
    device, precision, tile_size
        See `napari_denoise_ae.denoise`.
    frames : int
        See `napari_denoise_ae.denoise`.
    dtype : str
        See `napari_denoise_ae.denoise`. ``"float32"`` is rejected for integer color
        layers, because napari could not show the result.
    axes : str, optional
        See `napari_denoise_ae.denoise`. None uses the axes of the layer.
    intensity_range : tuple of float, optional
        See `napari_denoise_ae.denoise`. None uses the contrast limits for a lazy
        layer that is not uint8.

    Returns
    -------
    napari.layers.Image
        A new layer with the position and appearance of its source. The window is
        redrawn meanwhile, but takes no input.

    Warns
    -----
    DenoiseAEWarning
        If the model does not fit the layer.

    Raises
    ------
    InvalidInputError
        If the layer is not an image layer, cannot be denoised, or an option is
        invalid.
    CheckpointError
        If the model cannot be loaded.
    DeviceError
        If the device does not exist or runs out of memory.

    Examples
    --------
    >>> from napari.layers import Image
    >>> from skimage.data import astronaut
    >>> from napari_denoise_ae import add_noise, denoise_layer
    >>> noisy = add_noise(astronaut(), "gaussian:0.1")
    >>> denoise_layer(Image(noisy, rgb=True, name="astronaut")).name
    'astronaut [denoised]'
    """
    source = unwrap_proxy(layer)
    job = _job(source, model, DenoiseOptions(**options))
    if job.levels:
        lazy = call_responsive(lambda: make_levels(job))
        levels, is_pyramid = lazy.levels, len(lazy.levels) > 1
        return make_output(
            source,
            "denoised",
            levels if is_pyramid else levels[0],
            provenance(job, uses_range=lazy.uses_range),
            multiscale=is_pyramid,
        )
    denoised, uses_range = call_responsive(lambda: _denoise(job))
    known = provenance(job, uses_range=uses_range)
    return make_output(source, "denoised", denoised, known)


def _denoise(job: DenoiseJob) -> tuple[NDArray[Any], bool]:
    """Return the denoised layer, and whether the model uses an intensity range."""
    # Imports torch, which takes a second or two the first time.
    from ...denoising.api import denoise
    from ...models.load import load_checkpoint

    checkpoint = load_checkpoint(job.resolved_model)
    denoised: NDArray[Any] = denoise(
        job.data, model=checkpoint, **job.options.non_defaults()
    )
    return denoised, checkpoint.outline().uses_range


def _job(layer: Any, model: str, options: DenoiseOptions) -> DenoiseJob:
    if not isinstance(layer, Image):
        selected = "no layer is" if layer is None else f"{type(layer).__name__} is"
        raise InvalidInputError(f"Choose an image layer to denoise: {selected} chosen.")
    if options.dtype != AS_INPUT and not can_show_float32(layer):
        raise InvalidInputError(
            f"The layer {layer.name!r} has integer colors, and napari shows {FLOAT32} "
            "colors from 0 to 1 only. Omit dtype, or use denoise(layer.data, "
            f"dtype={FLOAT32!r})."
        )
    intensity_range = options.intensity_range
    # Unknown for checkpoints, which ignore a range that they do not use.
    if needs_range(layer, model_uses_range=not suits_any_noise(model)):
        intensity_range = intensity_range or proposed_range(layer)
    axes = options.axes or layer_axes(layer)
    return DenoiseJob(
        data=layer.data,
        levels=lazy_levels(layer),
        model=model,
        options=replace(options, axes=axes, intensity_range=intensity_range),
    )
