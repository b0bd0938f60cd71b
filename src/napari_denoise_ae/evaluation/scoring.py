"""Score models and classical denoisers with PSNR and SSIM."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..noise.setting import setting_of
from ..noise.spec import parse_noise
from .apply import apply_model, as_scored, count_parameters, denoise_together
from .baselines import BASELINES
from .metrics import psnr, psnr_per_image, ssim, ssim_per_image
from .pairs import noisy_pairs
from .score import ScoringProgress, summarize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from threading import Event

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..noise.setting import NoiseSetting
    from .apply import Method
    from .baselines import Baseline
    from .pairs import Pair
    from .score import Score

# Images on which a baseline's parameter is chosen.
_N_TUNING_IMAGES = 16
# Images that go through a network together.
_BATCH_SIZE = 250


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
        Whether to score the baselines too.
    setting : NoiseSetting, optional
        Noise settings for models that take a noise level, relative to the
        input range. None means that the level is estimated.

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
        Clean images, (N, Y, X, channels), with the model's channels; a model
        with one channel takes any number.
    denoiser : Denoiser
        The model.
    noise : str
        Noise to add, as `noisy_pairs` does.
    seed : int
        See `noisy_pairs`.
    stop : threading.Event, optional
        Once it is set, by any thread, scoring ends without a score.

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


class _Figures:
    """PSNR and SSIM of images with the data range 1, batch by batch."""

    def __init__(self) -> None:
        self.psnrs: list[float] = []
        self.ssims: list[float] = []
        self.seconds = 0.0

    def add(self, clean: NDArray[np.float64], result: NDArray[np.float64]) -> None:
        result = np.clip(result, 0.0, 1.0)
        self.psnrs += psnr_per_image(clean, result, data_range=1.0).tolist()
        self.ssims += ssim_per_image(clean, result, data_range=1.0).tolist()

    def score(self, name: str, noise: str) -> Score:
        seconds = self.seconds / len(self.psnrs)
        return summarize(name, noise, self.psnrs, self.ssims, seconds)


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
        result, width = as_scored(pair, denoised), pair.data_range.width
        psnrs.append(psnr(pair.clean, result, data_range=width))
        ssims.append(ssim(pair.clean, result, data_range=width, channel_axis=-1))
    return summarize(name, noise, psnrs, ssims, float(np.median(seconds)))
