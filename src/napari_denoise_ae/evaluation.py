"""Scoring models and the usual baselines with PSNR and SSIM."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .axes import colour_planes, middle_plane, resolve_axes
from .baselines import BASELINES, Baseline
from .builtin import DEFAULT_MODEL
from .checkpoint import Checkpoint, load_checkpoint
from .data import load_cifar10
from .devices import choose_device
from .errors import InvalidInputError
from .images import SUFFIXES, read_image
from .inference import (
    Denoiser,
    Denoising,
    add_noise,
    require_image,
)
from .intensity import IntensityRange, resolve_intensity_range
from .metrics import psnr, ssim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    # Takes (Y, X, channels), mostly in [0, 1], and returns the same.
    Method = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Images on which a baseline's parameter is chosen.
_N_TUNING_IMAGES = 16
_SMALLEST_SIDE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A noisy image and its clean truth.

    Parameters
    ----------
    noisy, clean : numpy.ndarray
        (Y, X, channels), one shape, float64.
    input_range : IntensityRange
        What methods see as 0 and 1.
    data_range : IntensityRange
        What the figures take as the data range.
    clip : bool
        Whether results are clipped to `data_range` before they are scored, as
        is the convention for noise added to photographs.
    """

    noisy: NDArray[np.float64]
    clean: NDArray[np.float64]
    input_range: IntensityRange
    data_range: IntensityRange
    clip: bool


@dataclass(frozen=True, slots=True)
class Score:
    """How one method does on a set of images.

    Parameters
    ----------
    method : str
        ``"noisy"``, a model's name, or a baseline's.
    noise : str
        The noise that was added, or ``"real"``.
    n : int
        Images.
    psnr_mean, psnr_std : float
        Mean and standard deviation over the images, in dB.
    ssim_mean, ssim_std : float
        Likewise, of SSIM.
    seconds_per_image : float
        Median time for an image, loading the model left out.
    parameter : float or None
        A baseline's parameter: the one of a small grid that has the highest
        PSNR on the first images, truth known, so in the baseline's favour.
    """

    method: str
    noise: str
    n: int
    psnr_mean: float
    psnr_std: float
    ssim_mean: float
    ssim_std: float
    seconds_per_image: float
    parameter: float | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the fields, with None for what JSON cannot hold (NaN, infinity)."""
        return {
            key: None
            if isinstance(value, float) and not math.isfinite(value)
            else value
            for key, value in asdict(self).items()
        }


def evaluate(
    data: str | Path,
    *,
    model: str | Path | Checkpoint = DEFAULT_MODEL,
    noise: str = "gaussian:0.5",
    limit: int | None = None,
    seed: int = 0,
    device: str = "auto",
) -> list[Score]:
    """Score a model and the baselines on the CIFAR-10 test set.

    Parameters
    ----------
    data : path
        The folder that holds CIFAR-10's ``cifar-10-batches-py``.
    model : str, path or Checkpoint
        See `denoise`.
    noise : str
        Noise to add, as a fraction of the range.
    limit : int, optional
        Take the first `limit` images; None means all 10,000.
    seed : int
        Decides the noise.
    device : str
        See `denoise`.

    Returns
    -------
    list of Score
        One for the noisy images, one for the model, one for each baseline.

    Raises
    ------
    InvalidInputError, DatasetError, CheckpointError, DeviceError
        If the noise, the limit, the data, the model or the device cannot be
        used.
    """
    checkpoint = model if isinstance(model, Checkpoint) else load_checkpoint(model)
    denoiser = Denoiser(checkpoint, choose_device(device))
    images = load_cifar10(data, train=False).images
    pairs = noisy_pairs(list(images), noise, seed=seed, limit=limit)
    return list(score_methods(pairs, denoiser, noise))


def noisy_pairs(
    images: Sequence[NDArray[Any]], noise: str, *, seed: int, limit: int | None = None
) -> list[Pair]:
    """Add noise to clean images, in floating point, so that nothing is rounded.

    Parameters
    ----------
    images : sequence of numpy.ndarray
        (Y, X), (Y, X, 3) or (Y, X, 4); alpha is left out.
    noise : str
        The noise.
    seed : int
        The noise of the image i is drawn with the seed ``seed + i``.
    limit : int, optional
        Take only the first `limit` images.

    Returns
    -------
    list of Pair
        One for each image.

    Raises
    ------
    InvalidInputError
        If the noise or the limit cannot be used, or an image is too small.
    """
    if limit is not None and limit < 1:
        raise InvalidInputError(f"limit must be at least 1 image, got {limit}.")
    if len(images) == 0:
        raise InvalidInputError("There is no image to evaluate on.")
    pairs = []
    for index, image in enumerate(images[:limit]):
        _require_complete(image)
        planes = colour_planes(image, resolve_axes(image.shape, None))
        scale = resolve_intensity_range(planes)
        clean = planes.astype(np.float64)
        noisy = add_noise(
            clean,
            noise,
            rng=seed + index,
            axes=_plane_axes(clean),
            intensity_range=scale,
        )
        pairs.append(Pair(noisy, clean, scale, scale, clip=True))
    _require_usable(pairs)
    return pairs


def real_pairs(
    noisy: NDArray[Any],
    reference: NDArray[Any],
    data_range: tuple[float, float] | None,
) -> list[Pair]:
    """Pair noisy images with their reference, without fitting one to the other.

    Parameters
    ----------
    noisy : numpy.ndarray
        Shape of `reference`, or a stack of repeats of it.
    reference : numpy.ndarray
        (Y, X), (Y, X, 3) or (Y, X, 4).
    data_range : tuple of float, optional
        ``(low, high)`` in the images' units; None means that of `reference`.

    Returns
    -------
    list of Pair
        One for each repeat.

    Raises
    ------
    InvalidInputError
        If the shapes do not fit.
    """
    axes = "YXS" if reference.ndim == 3 and reference.shape[-1] in (3, 4) else "YX"
    if reference.ndim != len(axes) or reference.shape not in (
        noisy.shape,
        noisy.shape[1:],
    ):
        raise InvalidInputError(
            "The reference must be one image, (Y, X) or (Y, X, 3), and the noisy image "
            f"have its shape or be a stack of such, got {reference.shape} and "
            f"{noisy.shape}."
        )
    _require_complete(noisy)
    _require_complete(reference)
    clean = colour_planes(reference, axes).astype(np.float64)
    scale = resolve_intensity_range(colour_planes(reference, axes), data_range)
    pairs = []
    for repeat in noisy if noisy.ndim > reference.ndim else [noisy]:
        # Methods get what a user would give them: nothing of the truth.
        planes = colour_planes(repeat, axes)
        input_range = resolve_intensity_range(planes)
        pairs.append(
            Pair(planes.astype(np.float64), clean, input_range, scale, clip=False)
        )
    _require_usable(pairs)
    return pairs


def read_clean_images(folder: Path) -> list[NDArray[Any]]:
    """Read every PNG, JPEG and TIFF of a folder, in the order of their names.

    Raises
    ------
    InvalidInputError
        If there is none, or one cannot be read.
    """
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is not a folder.")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise InvalidInputError(
            f"{folder} holds no images: expected {', '.join(sorted(SUFFIXES))}."
        )
    return [_read_plane(path) for path in paths]


def _read_plane(path: Path) -> NDArray[Any]:
    """Read an image as (Y, X) or (Y, X, 3)."""
    image = read_image(path)
    axes = resolve_axes(image.pixels.shape, image.axes)
    if not set(axes) <= set("YXS"):
        raise InvalidInputError(
            f"{path} is a stack ({axes}, {image.pixels.shape}); expected single images."
        )
    return middle_plane(image.pixels, axes)


def score_methods(
    pairs: Sequence[Pair], denoiser: Denoiser, noise: str
) -> Iterator[Score]:
    """Score the noisy images, the model and the baselines, one after another.

    Parameters
    ----------
    pairs : sequence of Pair
        What to score on.
    denoiser : Denoiser
        The model.
    noise : str
        Name of the noise, for the scores.

    Yields
    ------
    Score
        As soon as it is known.
    """
    yield _score("noisy", noise, pairs, lambda unit: unit)
    name = denoiser.checkpoint.name
    yield _score(name, noise, pairs, partial(_apply_model, denoiser=denoiser))
    for name, baseline in BASELINES.items():
        parameter = _best_parameter(baseline, pairs[:_N_TUNING_IMAGES])
        method = baseline.with_parameter(parameter)
        yield _score(name, noise, pairs, method, parameter)


def _apply_model(
    unit: NDArray[np.float64], *, denoiser: Denoiser
) -> NDArray[np.float64]:
    run = Denoising(unit, denoiser, axes=_plane_axes(unit), intensity_range=(0.0, 1.0))
    for _ in run:
        pass
    return run.result


def _plane_axes(plane: NDArray[Any]) -> str:
    """Return the axes of (Y, X, channels): colours, or the one channel of grey."""
    return "YXS" if plane.shape[-1] == 3 else "YXC"


def _best_parameter(baseline: Baseline, pairs: Sequence[Pair]) -> float:
    """Return the parameter of the grid with the highest mean PSNR."""
    scores = {
        parameter: _score("", "", pairs, baseline.with_parameter(parameter)).psnr_mean
        for parameter in baseline.grid
    }
    return max(scores, key=scores.__getitem__)


def _score(
    name: str,
    noise: str,
    pairs: Sequence[Pair],
    method: Method,
    parameter: float | None = None,
) -> Score:
    psnrs, ssims, seconds = [], [], []
    for pair in pairs:
        unit = pair.input_range.to_unit(pair.noisy)
        start = time.perf_counter()
        denoised = method(unit)
        seconds.append(time.perf_counter() - start)
        result = pair.input_range.from_unit(denoised)
        if pair.clip:
            result = np.clip(result, pair.data_range.low, pair.data_range.high)
        width = pair.data_range.width
        psnrs.append(psnr(pair.clean, result, data_range=width))
        ssims.append(ssim(pair.clean, result, data_range=width, channel_axis=-1))
    return Score(
        method=name,
        noise=noise,
        n=len(pairs),
        psnr_mean=float(np.mean(psnrs)),
        psnr_std=_standard_deviation(psnrs),
        ssim_mean=float(np.mean(ssims)),
        ssim_std=_standard_deviation(ssims),
        seconds_per_image=float(np.median(seconds)),
        parameter=parameter,
    )


def _standard_deviation(values: list[float]) -> float:
    # Identical images have an infinite PSNR.
    return float(np.std(values)) if np.isfinite(values).all() else math.nan


def _require_complete(image: NDArray[Any]) -> None:
    require_image(image)
    if np.isnan(image).any():
        raise InvalidInputError(
            "The image has NaN, so it cannot be scored. Cut out a part without."
        )


def _require_usable(pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        if min(pair.clean.shape[:2]) < _SMALLEST_SIDE:
            raise InvalidInputError(
                f"Images to evaluate on must be at least {_SMALLEST_SIDE} pixels wide "
                f"and high, got {pair.clean.shape[:2]}."
            )
        if pair.data_range.width == 0:
            raise InvalidInputError("A clean image is constant: it has no data range.")
