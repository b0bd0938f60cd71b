"""Detect and measure noise that neighboring pixels share.

Cameras that bin, resample or demosaic, scanners and image compression correlate the
noise of neighboring pixels. Such noise is weak at high frequencies, where the level of
white noise is measured, and strong at middle ones. On a sub-lattice of every second,
third ... pixel it becomes white, and its level can be measured there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .noise_estimate import STRONGEST_CORRELATION
from .patches import patches_of_channels
from .spectrum import PATCH_SIDE, cosine_basis, low_frequency_energy, smoothest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Sums of the two frequencies of a patch's cosine transform, at most 14.
_LOWEST_MIDDLE, _HIGHEST_MIDDLE = 7, 8
_LOWEST_HIGH = 11
# A low quantile over the patches: structure is in some patches, noise in all.
_QUANTILE = 0.25
# That quantile for white noise: of the F distribution with 15 and 10 degrees of
# freedom, the numbers of middle and high frequencies.
_QUANTILE_OF_WHITE = 0.6900956560483007
_DEGREES = (15, 10)
# White noise exceeds this ratio by chance only...
_LARGEST_RATIO = 1.12
# ...and by at most this many standard deviations of the ratio.
_DEVIATIONS = 3.0
# White noise hides correlated noise at high frequencies. Every second pixel then has
# a ratio beyond this; with white noise alone, fine structure reaches 2.
_LARGEST_HIDDEN_RATIO = 3.0
_SMOOTHEST_FRACTION = 0.1
_FEWEST_SMOOTHEST = 100
# Distances of the pixels of a sub-lattice.
_STRIDES = (2, 3, 4, 5, 6)
# Neighbors are compared in the flattest windows of this side.
_FLAT_SIDE, _FLAT_STEP = 16, 4
_FLATTEST_FRACTION, _FEWEST_FLATTEST = 0.1, 16
_BRIGHTNESS_GROUPS = 2
_MOST_CLIPPED = 0.05


@dataclass(frozen=True, slots=True)
class Lattice:
    """Windows in which the noise is white.

    Parameters
    ----------
    windows : list of numpy.ndarray
        The windows, or all sub-lattices of them, (Y, X, channels).
    stride : int
        Distance of the pixels of a sub-lattice; 1 for the windows themselves.
    is_white : bool
        False if the noise is correlated even on the coarsest sub-lattice.
    """

    windows: list[NDArray[Any]]
    stride: int
    is_white: bool


@dataclass(frozen=True, slots=True)
class FlatRegions:
    """What the flattest regions of an image show of its noise.

    Parameters
    ----------
    correlation : tuple of float
        Correlation of neighbors along X and along Y, 0 to 0.95.
    variance : float
        Variance in the regions, relative to that of the noise: about 1 minus the mean
        correlation of two pixels there. Much less means that it is no noise, which is
        everywhere.
    """

    correlation: tuple[float, float]
    variance: float


def find_white_lattice(windows: Sequence[NDArray[Any]]) -> Lattice:
    """Return the finest sub-lattice of an image on which its noise is white.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Regions of one image, (Y, X, channels), NaN where nothing is known.

    Returns
    -------
    Lattice
        With stride 1 if the noise is white, too weak, or cannot be measured.
    """
    whole = list(windows)
    is_white = _least_ratio(whole) <= _LARGEST_RATIO
    for stride in _STRIDES:
        coarser = sublattices(windows, stride)
        ratio = _least_ratio(coarser)
        if is_white and ratio <= _LARGEST_HIDDEN_RATIO:
            return Lattice(whole, 1, is_white=True)
        is_white = False
        if ratio <= _LARGEST_RATIO:
            return Lattice(coarser, stride, is_white=True)
    return Lattice(coarser, stride, is_white=False)


def sublattices(windows: Sequence[NDArray[Any]], stride: int) -> list[NDArray[Any]]:
    """Return every `stride`-th pixel of windows, from several starting points."""
    starts = range(0, stride, max(1, stride // 2))
    return [
        window[y::stride, x::stride]
        for window in windows
        for y in starts
        for x in starts
    ]


def spectral_ratio(patches: NDArray[np.float64]) -> float:
    """Compare the noise at middle and high frequencies: 1 if it is white.

    Parameters
    ----------
    patches : numpy.ndarray
        (N, 64), see `patches_of_channels`.

    Returns
    -------
    float
        A low quantile, over the smooth patches, of the ratio of the mean squares of
        middle and high frequencies, relative to that of white noise. NaN if there
        are too few patches.
    """
    smooth = patches[
        smoothest(low_frequency_energy(patches), _SMOOTHEST_FRACTION, _FEWEST_SMOOTHEST)
    ]
    middle, high = _bands()
    energies = np.square(smooth @ middle.T).mean(axis=1)
    of_high = np.square(smooth @ high.T).mean(axis=1)
    known = of_high > 0
    if np.count_nonzero(known) < _FEWEST_SMOOTHEST // 2:
        return math.nan
    ratios = energies[known] / of_high[known]
    return float(np.quantile(ratios, _QUANTILE)) / _QUANTILE_OF_WHITE


def measure_correlation(
    windows: Sequence[NDArray[Any]],
    sigma: float,
    clipped: Sequence[NDArray[np.bool_]] | None = None,
) -> FlatRegions | None:
    """Measure the correlation of the noise of neighboring pixels.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Regions of one image, (Y, X, channels), whose noise has one level; NaN where
        nothing is known.
    sigma : float
        That level, above 0, in the units of the windows.
    clipped : sequence of numpy.ndarray, optional
        For each window, True where the noise is clipped. Regions with more than a few
        such pixels are excluded.

    Returns
    -------
    FlatRegions or None
        What flat regions show; None if there are none.

    Notes
    -----
    Differences of neighbors have the variance 2 sigma² (1 - correlation). They are
    measured in the flattest windows of 16 x 16 pixels, half of them dark and half
    bright.
    """
    masks = clipped or [np.zeros(window.shape, dtype=bool) for window in windows]
    flat = [
        _flattest(np.asarray(window[..., channel], np.float64), mask[..., channel])
        for window, mask in zip(windows, masks, strict=True)
        for channel in range(window.shape[-1])
    ]
    measured = np.concatenate([np.empty((0, 3)), *flat])
    if not len(measured):
        return None
    variance, along_x, along_y = np.median(measured, axis=0) / sigma**2
    differences = np.array([along_x, along_y])
    x, y = np.clip(1.0 - differences / 2.0, 0.0, STRONGEST_CORRELATION).tolist()
    return FlatRegions((x, y), float(variance))


def _least_ratio(windows: list[NDArray[Any]]) -> float:
    """Return the `spectral_ratio` less what chance adds to it; 0 if it is unknown."""
    channels = [each for each in patches_of_channels(windows) if len(each)]
    if not channels:
        return 0.0
    patches = np.concatenate(channels)
    area = sum(window.size for window in windows)
    independent = max(_SMOOTHEST_FRACTION * area / PATCH_SIDE**2, 1.0)
    deviation = math.sqrt(sum(2.0 / number for number in _DEGREES) / independent)
    ratio = spectral_ratio(patches) - _DEVIATIONS * deviation
    return 0.0 if math.isnan(ratio) else ratio


def _flattest(
    image: NDArray[np.float64], clipped: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the variance in flat regions, and mean squared differences, (N, 3)."""
    if min(image.shape) < _FLAT_SIDE:
        return np.empty((0, 3))
    regions = _regions(image)
    means = regions.mean(axis=(1, 2))
    share = _regions(clipped).mean(axis=(1, 2))
    usable = np.isfinite(means) & (share <= _MOST_CLIPPED)
    regions, means = regions[usable], means[usable]
    if not len(regions):
        return np.empty((0, 3))
    blocks = regions.reshape(len(regions), 4, 4, 4, 4).mean(axis=(2, 4))
    energies = blocks.var(axis=(1, 2))
    chosen = [
        group[smoothest(energies[group], _FLATTEST_FRACTION, _FEWEST_FLATTEST)]
        for group in np.array_split(np.argsort(means), _BRIGHTNESS_GROUPS)
    ]
    flat = regions[np.concatenate(chosen)]
    along_x = np.square(np.diff(flat, axis=2)).mean(axis=(1, 2))
    along_y = np.square(np.diff(flat, axis=1)).mean(axis=(1, 2))
    return np.stack([flat.var(axis=(1, 2)), along_x, along_y], axis=1)


def _regions(image: NDArray[Any]) -> NDArray[Any]:
    views = np.lib.stride_tricks.sliding_window_view(image, (_FLAT_SIDE, _FLAT_SIDE))
    return views[::_FLAT_STEP, ::_FLAT_STEP].reshape(-1, _FLAT_SIDE, _FLAT_SIDE)


@cache
def _bands() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle and the high frequencies, (frequencies, 64), orthonormal."""
    basis, frequency = cosine_basis()
    middle = (frequency >= _LOWEST_MIDDLE) & (frequency <= _HIGHEST_MIDDLE)
    return basis[middle], basis[frequency >= _LOWEST_HIGH]
