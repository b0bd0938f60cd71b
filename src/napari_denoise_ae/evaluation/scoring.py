"""Scoring models and the usual baselines with PSNR and SSIM."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.array import Denoising
from ..noise.setting import setting_of
from ..noise.spec import parse_noise
from .baselines import BASELINES
from .metrics import psnr, psnr_of_each, ssim, ssim_of_each
from .pairs import noisy_pairs, plane_axes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from threading import Event

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..noise.setting import NoiseSetting
    from .baselines import Baseline
    from .pairs import Pair

    # Takes (Y, X, channels), mostly in [0, 1], and returns the same.
    Method = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Images on which a baseline's parameter is chosen.
_N_TUNING_IMAGES = 16
# Images that go through a network together.
_BATCH_SIZE = 250


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
        Median time for an image, loading the model left out; of images that
        are scored together, their time divided by their number.
    parameter : float or None
        A baseline's parameter: the one of a small grid that has the highest
        PSNR on the first images, truth known, so in the baseline's favor.
    n_parameters : int or None
        A model's weights; None for what is no model.
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
    n_parameters: int | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the fields, with None for what JSON cannot hold (NaN, infinity)."""
        return {
            key: None
            if isinstance(value, float) and not math.isfinite(value)
            else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class ScoringProgress:
    """How many images have been scored, of how many."""

    done: int
    total: int


def score_methods(
    pairs: Sequence[Pair],
    models: Mapping[str, Denoiser],
    noise: str,
    *,
    baselines: bool = True,
    setting: NoiseSetting | None = None,
) -> Iterator[Score]:
    """Score the noisy images, models and the baselines, one after another.

    Parameters
    ----------
    pairs : sequence of Pair
        What to score on.
    models : mapping
        The models by the names that their scores get.
    noise : str
        Name of the noise, for the scores.
    baselines : bool
        Whether the baselines are scored too.
    setting : NoiseSetting, optional
        What models that take a noise level are told, relative to the input
        range; None means that they estimate it.

    Yields
    ------
    Score
        As soon as it is known.
    """
    yield _score("noisy", noise, pairs, lambda unit: unit)
    for name, denoiser in models.items():
        method: Method = partial(apply_model, denoiser=denoiser, setting=setting)
        score = _score(name, noise, pairs, method)
        yield replace(score, n_parameters=count_parameters(denoiser))
    for name, baseline in BASELINES.items() if baselines else ():
        parameter = _best_parameter(baseline, pairs[:_N_TUNING_IMAGES])
        method = baseline.with_parameter(parameter)
        yield replace(_score(name, noise, pairs, method), parameter=parameter)


def score_together(
    images: NDArray[np.uint8],
    denoiser: Denoiser,
    noise: str,
    *,
    seed: int = 0,
    stop: Event | None = None,
) -> Iterator[ScoringProgress | Score]:
    """Score a model on many small images at once: quicker, with the same figures.

    Parameters
    ----------
    images : numpy.ndarray
        Clean images, (N, Y, X, channels), with the model's channels.
    denoiser : Denoiser
        The model.
    noise : str
        Noise to add, as `noisy_pairs` does.
    seed : int
        See `noisy_pairs`.
    stop : threading.Event, optional
        Once it is set, by whichever thread, scoring ends without a score.

    Yields
    ------
    ScoringProgress or Score
        Progress every few hundred images; at the end the scores of the noisy
        and of the denoised images.
    """
    noisy, denoised = _Figures(), _Figures()
    setting = setting_of(parse_noise(noise))
    for start in range(0, len(images), _BATCH_SIZE):
        if stop is not None and stop.is_set():
            return
        some = images[start : start + _BATCH_SIZE]
        pairs = noisy_pairs(list(some), noise, seed=seed + start)
        clean = np.stack([pair.data_range.normalize(pair.clean) for pair in pairs])
        unit = np.stack([pair.input_range.normalize(pair.noisy) for pair in pairs])
        noisy.add(clean, unit)
        begin = time.perf_counter()
        result = denoise_together(unit, denoiser, setting)
        denoised.seconds += time.perf_counter() - begin
        denoised.add(clean, result)
        yield ScoringProgress(len(noisy.psnrs), len(images))
    yield noisy.score("noisy", noise)
    score = denoised.score(denoiser.checkpoint.name, noise)
    yield replace(score, n_parameters=count_parameters(denoiser))


def denoise_together(
    unit: NDArray[np.float64],
    denoiser: Denoiser,
    setting: NoiseSetting | None = None,
) -> NDArray[np.float64]:
    """Denoise small images at once, as `denoise` does with one after another.

    Parameters
    ----------
    unit : numpy.ndarray
        (N, Y, X, channels) with the model's channels, mostly in [0, 1].
    denoiser : Denoiser
        The model.
    setting : NoiseSetting, optional
        What a model that takes a noise level is told.

    Returns
    -------
    numpy.ndarray
        The same shape.
    """
    if denoiser.network.takes_noise_level:
        # Each has a scaling of its own.
        each = [
            apply_model(image, denoiser=denoiser, setting=setting) for image in unit
        ]
        return np.stack(each)
    within = np.clip(unit, 0.0, 1.0)
    batch = within.astype(np.float32).transpose(0, 3, 1, 2)  # (N, channels, Y, X)
    denoised = denoiser.run_network(batch).transpose(0, 2, 3, 1)
    return denoised + (unit - within)


def apply_model(
    unit: NDArray[np.float64],
    *,
    denoiser: Denoiser,
    setting: NoiseSetting | None = None,
) -> NDArray[np.float64]:
    """Denoise (Y, X, channels), mostly in [0, 1]."""
    if not denoiser.network.takes_noise_level:
        setting = None
    run = Denoising(
        unit,
        denoiser,
        axes=plane_axes(unit),
        intensity_range=(0.0, 1.0),
        setting=setting,
    )
    for _ in run:
        pass
    return run.result


def denoise_pair(pair: Pair, method: Method) -> NDArray[np.float64]:
    """Return what is scored: a pair's noisy image denoised, in its intensities."""
    return _as_scored(pair, method(pair.input_range.normalize(pair.noisy)))


def count_parameters(denoiser: Denoiser) -> int:
    """Return how many weights a model has."""
    return sum(parameter.numel() for parameter in denoiser.network.parameters())


class _Figures:
    """PSNR and SSIM of images with the data range 1, batch by batch."""

    def __init__(self) -> None:
        self.psnrs: list[float] = []
        self.ssims: list[float] = []
        self.seconds = 0.0

    def add(self, clean: NDArray[np.float64], result: NDArray[np.float64]) -> None:
        result = np.clip(result, 0.0, 1.0)
        self.psnrs += psnr_of_each(clean, result, data_range=1.0).tolist()
        self.ssims += ssim_of_each(clean, result, data_range=1.0).tolist()

    def score(self, name: str, noise: str) -> Score:
        seconds = self.seconds / len(self.psnrs)
        return _summarize(name, noise, self.psnrs, self.ssims, seconds)


def _best_parameter(baseline: Baseline, pairs: Sequence[Pair]) -> float:
    """Return the parameter of the grid with the highest mean PSNR."""
    scores = {
        parameter: _score("", "", pairs, baseline.with_parameter(parameter)).psnr_mean
        for parameter in baseline.grid
    }
    return max(scores, key=scores.__getitem__)


def _score(name: str, noise: str, pairs: Sequence[Pair], method: Method) -> Score:
    psnrs, ssims, seconds = [], [], []
    for pair in pairs:
        unit = pair.input_range.normalize(pair.noisy)
        start = time.perf_counter()
        denoised = method(unit)
        seconds.append(time.perf_counter() - start)
        result, width = _as_scored(pair, denoised), pair.data_range.width
        psnrs.append(psnr(pair.clean, result, data_range=width))
        ssims.append(ssim(pair.clean, result, data_range=width, channel_axis=-1))
    return _summarize(name, noise, psnrs, ssims, float(np.median(seconds)))


def _as_scored(pair: Pair, denoised: NDArray[np.float64]) -> NDArray[np.float64]:
    result = pair.input_range.denormalize(denoised)
    if not pair.clip:
        return result
    return np.clip(result, pair.data_range.low, pair.data_range.high)


def _summarize(
    name: str,
    noise: str,
    psnrs: list[float],
    ssims: list[float],
    seconds_per_image: float,
) -> Score:
    return Score(
        method=name,
        noise=noise,
        n=len(psnrs),
        psnr_mean=float(np.mean(psnrs)),
        psnr_std=_standard_deviation(psnrs),
        ssim_mean=float(np.mean(ssims)),
        ssim_std=_standard_deviation(ssims),
        seconds_per_image=seconds_per_image,
    )


def _standard_deviation(values: list[float]) -> float:
    # Identical images have an infinite PSNR.
    return float(np.std(values)) if np.isfinite(values).all() else math.nan
