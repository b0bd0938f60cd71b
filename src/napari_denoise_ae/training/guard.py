"""Decide without clean images whether a retrained model is better than the old one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..denoising.array import Denoising
from ..noise.draw import SHARE, draw_split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..denoising.options import DenoiseOptions
    from ..image.tiling import Region
    from ..noise.noise_estimate import NoiseEstimate

# All images together are split as often as they fit into so many pixels, within limits.
_SPLIT_PIXELS, _FEWEST_SPLITS, _MOST_SPLITS = 2**20, 2, 16
# The errors are averaged in blocks of this side, which are nearly independent.
_BLOCK = 16
# With so few blocks a difference is no evidence.
_FEWEST_BLOCKS = 4
# A difference of at least so many standard errors is clear.
_CLEAR_T = 1.0
# An error that is not so many standard errors above 0 gives no gain in dB.
_LEAST_CERTAIN = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which of two models is better on images that neither was trained on.

    Parameters
    ----------
    gain : float
        Estimated increase of the PSNR in dB; NaN if it cannot be estimated.
    t : float
        Difference of the squared errors, new minus old, in standard errors; NaN if
        there are too few blocks.
    """

    gain: float
    t: float

    @property
    def accepted(self) -> bool:
        """Whether to keep the new model: it is not worse by a standard error.

        Of 20 models that were adapted to single images, 19 were better, by 0.02 to
        0.25 dB, which is often less than a standard error. Models that were adapted to
        twice the noise that there was lost 4 to 6 dB, and were 4 to 13 standard errors
        worse.
        """
        return self.t < _CLEAR_T

    @property
    def is_clear(self) -> bool:
        """Whether the new model is better by a standard error."""
        return self.t < -_CLEAR_T

    def __str__(self) -> str:
        gain = "unknown" if math.isnan(self.gain) else f"{self.gain:+.2f} dB"
        if math.isnan(self.t):
            return f"estimated gain {gain}"
        return f"estimated gain {gain}, {abs(self.t):.1f} standard errors"


@dataclass(frozen=True, slots=True, eq=False)
class KeptOut:
    """A noisy image, or a part of one, that was not trained on.

    Parameters
    ----------
    pixels : numpy.ndarray
        (Y, X, channels), in the image's units; NaN where nothing is known.
    noise : NoiseEstimate
        Its noise.
    options : DenoiseOptions
        How to denoise it: the intensity range, for models that need it.
    inner : tuple of slice, optional
        Rows and columns on which models are compared; the others are their
        surroundings. None means all.
    """

    pixels: NDArray[Any]
    noise: NoiseEstimate
    options: DenoiseOptions
    inner: Region | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """True where a pixel holds data."""
        known: NDArray[np.bool_] = ~np.isnan(self.pixels)
        if self.noise.no_data is not None:
            known &= self.pixels != self.noise.no_data
        return known


def compare_models(
    old: Denoiser, new: Denoiser, images: Sequence[KeptOut], *, seed: int = 0
) -> Verdict:
    """Compare two models on noisy images that neither was trained on.

    Parameters
    ----------
    old, new : Denoiser
        The models.
    images : sequence of KeptOut
        The images.
    seed : int
        Seed of the noise.

    Returns
    -------
    Verdict
        The new model is accepted if it is not clearly worse.

    Notes
    -----
    A noisy image y is split into y + a z and y - z / a, where z is random with the
    variance and the skewness of the noise divided by a, so that the noise of the two
    parts is uncorrelated ([1]_, [2]_). The first part is denoised and compared with the
    second. The difference of the two models' squared errors then has no bias, and its
    standard error follows from blocks of 16 x 16 pixels. For photons, a z is the noise
    of a quarter of them: were z Gaussian, models that smooth too much would win where
    there are few.

    References
    ----------
    .. [1] Oliveira, Lei and Tibshirani, Unbiased risk estimation in the normal means
       problem via coupled bootstrap techniques, 2021, arXiv:2111.09447.
    .. [2] Pang et al., Recorrupted-to-recorrupted: unsupervised deep learning for image
       denoising, CVPR 2021, :doi:`10.1109/CVPR46437.2021.00208`.
    """
    generator = torch.Generator().manual_seed(seed)
    n_splits = _SPLIT_PIXELS // max(sum(image.pixels.size for image in images), 1)
    n_splits = min(max(n_splits, _FEWEST_SPLITS), _MOST_SPLITS)
    found = [
        _errors_of_blocks(old, new, image, n_splits, generator) for image in images
    ]
    errors = np.concatenate([np.empty((0, 3)), *found])
    return _verdict(errors[np.isfinite(errors).all(axis=1)])


def _verdict(errors: NDArray[np.float64]) -> Verdict:
    """Judge blocks, (blocks, 3), see `_errors_of_blocks`."""
    if len(errors) < _FEWEST_BLOCKS:
        return Verdict(math.nan, math.nan)
    old, new, noise = errors.T
    difference = new - old
    standard_error = float(difference.std(ddof=1)) / math.sqrt(len(errors))
    t = float(difference.mean()) / standard_error if standard_error > 0 else 0.0
    before, after = float((old - noise).mean()), float((new - noise).mean())
    uncertain = float((new - noise).std(ddof=1)) / math.sqrt(len(errors))
    known = min(before, after) > _LEAST_CERTAIN * uncertain
    return Verdict(10 * math.log10(before / after) if known else math.nan, t)


def _errors_of_blocks(
    old: Denoiser,
    new: Denoiser,
    image: KeptOut,
    n_splits: int,
    generator: torch.Generator,
) -> NDArray[np.float64]:
    """Return the mean squared errors of both models and of the noise, (blocks, 3)."""
    known = image.known
    noise = replace(image.noise, bounds=(None, None))
    clean = _denoise(image.pixels.astype(np.float32), old, noise, image.options)
    louder = noise.scaled(math.sqrt(1.0 + SHARE))
    total = np.zeros((2, *clean.shape))
    for _ in range(n_splits):
        added = np.where(known, _draw(clean, noise, generator), 0.0)
        first, second = image.pixels + added, image.pixels - added / SHARE
        for number, model in enumerate((old, new)):
            denoised = _denoise(first.astype(np.float32), model, louder, image.options)
            total[number] += np.square(denoised - second) / n_splits
    variance = noise.variance(clean) * (1.0 + 1.0 / SHARE)
    maps = np.where(known, [*total, variance], np.nan)
    return _block_means(maps if image.inner is None else maps[:, *image.inner])


def _denoise(
    image: NDArray[np.float32],
    denoiser: Denoiser,
    noise: NoiseEstimate,
    options: DenoiseOptions,
) -> NDArray[np.float64]:
    """Denoise (Y, X, channels), telling the model the noise if it takes it."""
    is_told = denoiser.network.takes_noise_level
    chosen = replace(options, axes="YXC" if image.shape[-1] != 3 else "YXS")
    run = Denoising(
        image, denoiser, replace(chosen, noise_type=noise) if is_told else chosen
    )
    for _ in run:
        pass
    return run.result.astype(np.float64)


def _draw(
    clean: NDArray[np.float64], noise: NoiseEstimate, generator: torch.Generator
) -> NDArray[np.float64]:
    channels_first = torch.from_numpy(clean.transpose(2, 0, 1)[np.newaxis].copy())
    drawn = draw_split(channels_first, noise, generator)[0]
    return drawn.numpy().transpose(1, 2, 0)


def _block_means(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of blocks over pixels and channels, (blocks, maps)."""
    n_maps, height, width, channels = maps.shape
    rows, columns = height // _BLOCK, width // _BLOCK
    whole = maps[:, : rows * _BLOCK, : columns * _BLOCK]
    blocks = whole.reshape(n_maps, rows, _BLOCK, columns, _BLOCK, channels)
    means: NDArray[np.float64] = blocks.mean(axis=(2, 4, 5)).reshape(n_maps, -1).T
    return means
