"""What runs outside the GUI thread. Arrays and plain values in, frozen results out.

A user's mistake and torch's own errors come back as a result: napari would show
an exception with a traceback, and ends without a word on a RuntimeError.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DenoiseAEError

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from ..comparison import Comparison
    from ..inference import Denoiser, Denoising, Progress
    from ..intensity import IntensityRange


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenoiseJob:
    """What to denoise, and how.

    Parameters
    ----------
    data : array_like
        The whole layer.
    axes : str
        Its axes.
    model, device : str
        See `denoise`.
    noise : str, optional
        The layer is clean: noise to add first.
    seed : int
        Seed of that noise.
    reference : array_like, optional
        Clean image of the same shape, for the figures.
    plane : tuple of int
        The plane that the viewer shows.
    region : tuple of slice, optional
        Denoise only these rows and columns of `plane`; None means everything.
    """

    data: Any
    axes: str
    model: str
    device: str
    noise: str | None
    seed: int
    reference: Any = None
    plane: tuple[int, ...] = ()
    region: tuple[slice, slice] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Denoised:
    """What a job has given.

    Parameters
    ----------
    noisy, denoised : numpy.ndarray
        The whole layer, or of a job with a region that part of the plane.
    intensity_range : IntensityRange
        What the network saw as 0 and 1.
    misfits : tuple of str
        Why the model may not fit the layer.
    current, mean : Comparison or None
        Figures of the plane that is shown and of all planes, if the clean
        image is known.
    noise_before, noise_after : float
        Estimated noise as a fraction of the intensity range; NaN if unknown.
    device : str
        Where it was computed, and why there.
    """

    noisy: NDArray[Any]
    denoised: NDArray[Any]
    intensity_range: IntensityRange
    misfits: tuple[str, ...] = ()
    current: Comparison | None = None
    mean: Comparison | None = None
    noise_before: float = float("nan")
    noise_after: float = float("nan")
    device: str = ""


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """A layer's estimated noise, relative to its intensity range."""

    noise: float
    intensity_range: IntensityRange


@dataclass(frozen=True, slots=True)
class Failed:
    """What a user has to know of a job that could not be done."""

    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Started:
    """A job has begun; `run.result` holds the planes that are finished."""

    run: Denoising


def run_denoising(
    job: DenoiseJob,
) -> Generator[Started | Progress, None, Denoised | Failed]:
    """Do a job; yields after every tile, so that it can be cancelled there."""
    # torch is imported here, not when napari starts.
    from ..axes import colour_planes
    from ..inference import Denoising, add_noise, require_image
    from ..intensity import resolve_intensity_range

    try:
        denoiser = load_denoiser(job.model, job.device)
        data = np.asarray(job.data)
        require_image(data)
        scale = resolve_intensity_range(colour_planes(data, job.axes))
        noisy = data
        if job.noise is not None:
            noisy = add_noise(
                data, job.noise, rng=job.seed, axes=job.axes, intensity_range=scale
            )
        if job.region is not None:
            part = Denoising(
                noisy[job.plane],
                denoiser,
                axes=job.axes[len(job.plane) :],
                intensity_range=scale,
                region=job.region,
            )
            yield from part
            return Denoised(
                noisy=noisy[job.plane][job.region],
                denoised=part.result[job.region],
                intensity_range=scale,
            )
        run = Denoising(noisy, denoiser, axes=job.axes, intensity_range=scale)
        yield Started(run)
        yield from run
        return _judge(job, noisy, run, denoiser)
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError) as error:
        return Failed(f"Denoising failed: {error}")


def _judge(
    job: DenoiseJob, noisy: NDArray[Any], run: Denoising, denoiser: Denoiser
) -> Denoised | Failed:
    """Add to a finished run the figures that can be had."""
    from ..axes import colour_planes
    from ..comparison import compare
    from ..inference import relative_noise
    from ..intensity import resolve_intensity_range

    clean = np.asarray(job.data if job.noise is not None else job.reference)
    current = mean = None
    if clean.ndim:
        if clean.shape != noisy.shape:
            return Failed(
                f"The clean reference must have the shape of the layer, {noisy.shape}, "
                f"got {clean.shape}."
            )
        data_range = resolve_intensity_range(colour_planes(clean, job.axes))
        mean = compare(clean, noisy, run.result, axes=job.axes, data_range=data_range)
        current = compare(
            clean[job.plane],
            noisy[job.plane],
            run.result[job.plane],
            axes=job.axes[len(job.plane) :],
            data_range=data_range,
        )
    scale = run.intensity_range
    return Denoised(
        noisy=noisy,
        denoised=run.result,
        intensity_range=scale,
        misfits=tuple(run.misfits()),
        current=current,
        mean=mean,
        noise_before=relative_noise(colour_planes(noisy, job.axes), scale),
        noise_after=relative_noise(colour_planes(run.result, job.axes), scale),
        device=str(denoiser.device),
    )


def look_at_layer(data: Any, axes: str) -> Generator[None, None, LayerFacts | Failed]:
    """Find out about a layer what takes too long for the GUI thread."""
    yield
    from ..axes import colour_planes
    from ..inference import relative_noise, require_image
    from ..intensity import resolve_intensity_range

    try:
        array = np.asarray(data)
        require_image(array)
        planes = colour_planes(array, axes)
        scale = resolve_intensity_range(planes)
        return LayerFacts(relative_noise(planes, scale), scale)
    except DenoiseAEError as error:
        return Failed(str(error))


def look_at_model(model: str) -> Generator[None, None, str | Failed]:
    """Describe a model in a few words."""
    yield
    from ..checkpoint import load_checkpoint

    try:
        record = load_checkpoint(model).record
    except DenoiseAEError as error:
        return Failed(str(error))
    if record is None:
        return "Weights only: how they were trained is unknown."
    return (
        f"Trained on the {record.dataset} with "
        f"{record.config.noise_model.description}; {record.val_psnr:.2f} dB on its "
        f"validation images, epoch {record.best_epoch}."
    )


def load_denoiser(model: str, device: str) -> Denoiser:
    """Load a model; the last few stay loaded while their files do not change."""
    path = Path(model)
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _load_denoiser(model, changed, device)


@lru_cache(maxsize=4)
def _load_denoiser(model: str, _changed: int, device: str) -> Denoiser:
    from ..checkpoint import load_checkpoint
    from ..devices import choose_device
    from ..inference import Denoiser

    return Denoiser(load_checkpoint(model), choose_device(device))
