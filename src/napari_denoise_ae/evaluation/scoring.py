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
    from .fitting import ScoredModel
    from .pairs import Pair
    from .score import Score

# Number of images used to choose the parameter of a baseline.
_N_TUNING_IMAGES = 16
# Number of images in a batch.
_BATCH_SIZE = 250


def score_methods(
    pairs: Sequence[Pair],
    models: Mapping[str, ScoredModel],
    noise: str,
    *,
    baselines: bool = True,
    setting: NoiseSetting | None = None,
) -> Iterator[Score]:
    """Score the noisy images, each model, and each baseline.

    Parameters
    ----------
    pairs : sequence of Pair
        Noisy and clean images.
    models : mapping
        Models by the names used in the scores.
    noise : str
        Name of the noise, used in the scores.
    baselines : bool
        Whether to score the baselines as well.
    setting : NoiseSetting, optional
        Noise settings for models that take a noise level, relative to the input
        range. None means that the noise level is estimated.

    Yields
    ------
    Score
        Score of each method, once it is computed.
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
    """Score a model on many small images in batches.

    It is faster than `score_methods` and gives the same PSNR and SSIM.

    Parameters
    ----------
    images : numpy.ndarray
        Clean images, (N, Y, X, channels), uint8. The number of channels must be that
        of the model, unless the model has one channel.
    denoiser : Denoiser
        The model.
    noise : str
        Noise to add, see `noisy_pairs`.
    seed : int
        Random seed, see `noisy_pairs`.
    stop : threading.Event, optional
        Set it from any thread to end scoring after the current batch, without a
        score.

    Yields
    ------
    ScoringProgress or Score
        Progress after each batch of 250 images, then the scores of the noisy and
        the denoised images.
    """
    noisy, denoised = _Metrics(), _Metrics()
    setting = setting_of(parse_noise(noise))
    for start in range(0, len(images), _BATCH_SIZE):
        if stop is not None and stop.is_set():
            return
        batch = images[start : start + _BATCH_SIZE]
        pairs = noisy_pairs(list(batch), noise, seed=seed + start)
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


class _Metrics:
    """Collect PSNR and SSIM of batches of images, for a data range of 1."""

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
    """Return the grid value with the highest mean PSNR."""
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
