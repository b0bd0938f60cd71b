"""Estimate the level of white noise in an image, even in the presence of texture.

The cosine transform of small patches separates noise from structure. Low frequencies
show which patches have little structure; in those, high frequencies are almost pure
noise. In white noise the two are independent, so the selection does not favor patches
whose noise is low by chance.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Side of the square patches in which noise is measured, in pixels.
PATCH_SIDE = 8
# Approximate maximum number of patches. More take time and add little information,
# because they overlap.
_MOST_PATCHES = 16384
# The image counts as clipped at its minimum or maximum if more than this fraction of
# the pixels have that value...
_CLIPPED_FRACTION = 0.005
# ...unless the variance there is below this multiple of that of photon counts.
_MOST_OF_COUNTS = 3.0
# If more than this fraction of the pixels have that value, too few others are left for
# a variance; then it is clipped unless half of them are within this many steps of it,
# as few photon counts are.
_NEARLY_ALL, _MOST_STEPS_OF_FEW_COUNTS = 0.97, 1.5
# Patches that touch a clipping bound are excluded if at least this fraction remains...
_LEAST_INSIDE = 0.05
# ...otherwise those of which more than the first fraction is clipped, and more than the
# second one if fewer than this number remain. More clipping than that hides the noise.
_MOST_CLIPPED = (0.125, 0.5)
_FEWEST_INSIDE = 40
# Highest sum of the two frequencies (at most 14) that counts as low.
_HIGHEST_LOW = 6
# The darker and the brighter half of the patches contribute equally: noise often grows
# with intensity, and only dark regions may be smooth.
_BRIGHTNESS_GROUPS = 2
_SMOOTHEST_FRACTION = 0.1
_FEWEST_SMOOTHEST = 100
# White noise has energy in all patches: relative to its variance, this quantile of
# the mean square of the 36 high frequencies is that of the chi-squared distribution.
_QUIET_QUANTILE, _QUIET_QUANTILE_OF_WHITE = 0.05, 0.647


def estimate_sigma_of_windows(windows: Sequence[NDArray[Any]]) -> float:
    """Estimate the standard deviation of white noise in an image.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Regions of one image, (Y, X, channels), any numeric dtype, see
        `noise_windows`. Patches that contain NaN or infinity are skipped.

    Returns
    -------
    float
        Standard deviation in the image's units: the square root of the variance
        averaged over the channels. NaN if there is no patch of 8 x 8 pixels that is
        finite and not constant, or nearly all pixels are clipped.

    See Also
    --------
    napari_denoise_ae.noise.wavelet.wavelet_sigma_of_windows :
        A simpler estimate, which mistakes fine texture for noise and fails if pixels
        take few distinct values, as photon counts do.

    Notes
    -----
    The smoothest tenth of the patches of 8 x 8 pixels is selected by the energy of
    the low frequencies of their cosine transform. The variance of the noise is the
    median, over the high frequencies, of their mean squares in these patches, much
    as in [1]_. The median ignores the few frequencies that make up a texture.

    If the image is clipped, as photographs are, patches that touch the bound are
    excluded if enough remain, otherwise those with the most clipped pixels; zeros of
    photon counts do not count as clipping. If the noise grows with the intensity, the
    result is an intermediate value, closer to that of dark regions; `fit_noise_curve`
    measures the dependence.

    References
    ----------
    .. [1] Colom and Buades, Analysis and extension of the Ponomarenko et al.
       method, estimating a noise curve from a single image, 2013,
       :doi:`10.5201/ipol.2013.45`.
    """
    return sigma_of_patches(patches_of_channels(windows))


def sigma_of_patches(channels: Sequence[NDArray[np.float64]]) -> float:
    """Estimate the standard deviation of white noise from patches of each channel.

    Parameters
    ----------
    channels : sequence of numpy.ndarray
        What `patches_of_channels` returns.

    Returns
    -------
    float
        See `estimate_sigma_of_windows`.
    """
    variances = [_variance(patches) for patches in channels if len(patches)]
    return math.sqrt(sum(variances) / len(variances)) if variances else math.nan


def _variance(patches: NDArray[np.float64]) -> float:
    energies = low_frequency_energy(patches)
    by_brightness = np.argsort(patches.mean(axis=1))
    smooth = [
        group[smoothest(energies[group], _SMOOTHEST_FRACTION, _FEWEST_SMOOTHEST)]
        for group in np.array_split(by_brightness, _BRIGHTNESS_GROUPS)
    ]
    return float(np.median(high_frequency_variances(patches[np.concatenate(smooth)])))


def level_of_quietest(channels: Sequence[NDArray[np.float64]]) -> float:
    """Estimate the level of white noise from the patches with the least of it.

    Parameters
    ----------
    channels : sequence of numpy.ndarray
        What `patches_of_channels` returns.

    Returns
    -------
    float
        Standard deviation, less exact than `sigma_of_patches`, but not too high if
        only few patches are smooth. At least half of that. Infinity without patches.
    """
    _, high = _low_and_high()
    energies = [np.square(each @ high.T).mean(axis=1) for each in channels if len(each)]
    if not energies:
        return math.inf
    found = float(np.quantile(np.concatenate(energies), _QUIET_QUANTILE))
    least = sigma_of_patches(channels) / 2.0
    return max(math.sqrt(found / _QUIET_QUANTILE_OF_WHITE), least)


def patches_of_channels(
    windows: Sequence[NDArray[Any]],
) -> list[NDArray[np.float64]]:
    """Return the patches of each channel in which noise can be measured.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        See `estimate_sigma_of_windows`.

    Returns
    -------
    list of numpy.ndarray
        (patches, 64) for each channel, float64, at most about 16,000 patches. All
        are finite and not constant; patches that touch a clipping bound are
        excluded unless nearly all do, and always those of which most is clipped.
    """
    channels = windows[0].shape[-1] if windows else 0
    area = sum(window[..., 0].size for window in windows)
    return [
        _usable_patches(
            [np.asarray(w[..., c], dtype=np.float64) for w in windows], _step_of(area)
        )
        for c in range(channels)
    ]


def _usable_patches(
    images: list[NDArray[np.float64]], step: int
) -> NDArray[np.float64]:
    patches, lowest, highest = _varying_patches(images, step)
    if not len(patches):
        return patches
    low, high = _clipped_at(_finite(images), patches, lowest, highest)
    # No value equals None.
    inside = (lowest != low) & (highest != high)
    if np.count_nonzero(inside) < _LEAST_INSIDE * len(patches):
        inside = _least_clipped(patches, low, high)
    usable: NDArray[np.float64] = patches[inside]
    return usable


def _least_clipped(
    patches: NDArray[np.float64], low: float | None, high: float | None
) -> NDArray[np.bool_]:
    """Return which patches are clipped least; none if all of them are clipped a lot."""
    share = np.mean((patches == low) | (patches == high), axis=1)
    fewest = min(_FEWEST_INSIDE, len(patches) // 2)
    for most in _MOST_CLIPPED:
        inside: NDArray[np.bool_] = share <= most
        if np.count_nonzero(inside) >= fewest:
            return inside
    return np.zeros(len(patches), dtype=bool)


def is_clipped(
    images: Sequence[NDArray[Any]],
) -> tuple[float | None, float | None]:
    """Return the bounds at which the noise of a channel is clipped.

    Parameters
    ----------
    images : sequence of numpy.ndarray
        Regions of one channel, (Y, X), NaN where nothing is known.

    Returns
    -------
    tuple of float or None
        The lowest and the highest value, or None where the values do not pile up.
    """
    floats = [np.asarray(image, dtype=np.float64) for image in images]
    pixels = _finite(floats)
    if not pixels.size:
        return None, None
    # Cutting the patches takes longer.
    if not any(_is_frequent(pixels, bound) for bound in (pixels.min(), pixels.max())):
        return None, None
    step = _step_of(sum(image.size for image in floats))
    return _clipped_at(pixels, *_varying_patches(floats, step))


def _clipped_at(
    pixels: NDArray[np.float64],
    patches: NDArray[np.float64],
    lowest: NDArray[np.float64],
    highest: NDArray[np.float64],
) -> tuple[float | None, float | None]:
    """Return the extremes of the pixels, or None where they do not pile up."""
    low, high = (
        bound if _piles_up(pixels, bound, patches[extremes == bound]) else None
        for bound, extremes in (
            (float(pixels.min()), lowest),
            (float(pixels.max()), highest),
        )
    )
    return low, high


def _varying_patches(
    images: list[NDArray[np.float64]], step: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the finite patches that vary, and their lowest and highest values."""
    patches = np.concatenate(
        [np.empty((0, PATCH_SIDE**2)), *(_cut(image, step) for image in images)]
    )
    lowest, highest = patches.min(axis=1), patches.max(axis=1)
    # NaN and infinity propagate to the extremes; comparisons with NaN are false.
    varying = (lowest < highest) & np.isfinite(lowest) & np.isfinite(highest)
    return patches[varying], lowest[varying], highest[varying]


def _finite(images: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([image[np.isfinite(image)] for image in images])


def _step_of(area: int) -> int:
    """Return the distance of patches at which there are not too many."""
    return max(1, math.ceil(math.sqrt(area / _MOST_PATCHES)))


def _cut(image: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Return the patches at every `step` pixels, (N, 64); none if too small."""
    side = (PATCH_SIDE, PATCH_SIDE)
    if min(image.shape) < PATCH_SIDE:
        return np.empty((0, PATCH_SIDE**2))
    patches = np.lib.stride_tricks.sliding_window_view(image, side)
    return patches[::step, ::step].reshape(-1, PATCH_SIDE**2)


def _piles_up(
    pixels: NDArray[np.float64], bound: float, touching: NDArray[np.float64]
) -> bool:
    """Return whether the image is clipped at `bound`, from the patches touching it.

    Photon counts also accumulate at 0. Their variance equals their mean, in units of
    the smallest step between two values; clipped noise varies more.
    """
    if not len(touching) or not _is_frequent(pixels, bound):
        return False
    step = np.diff(np.unique(pixels)).min()
    others = np.abs(pixels[pixels != bound] - bound)
    if others.size < (1.0 - _NEARLY_ALL) * pixels.size:
        return bool(np.median(others) > _MOST_STEPS_OF_FEW_COUNTS * step)
    distances = np.abs(touching.mean(axis=1) - bound)
    return bool(np.median(touching.var(axis=1) / distances) > _MOST_OF_COUNTS * step)


def _is_frequent(pixels: NDArray[np.float64], bound: float) -> bool:
    # At least one pixel always has this value, even in an image that is not clipped.
    others = np.count_nonzero(pixels == bound) - 1
    return bool(others > _CLIPPED_FRACTION * pixels.size)


def low_frequency_energy(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the energy of structure in each patch.

    Parameters
    ----------
    patches : numpy.ndarray
        (N, 64).

    Returns
    -------
    numpy.ndarray
        (N,), energy of the low frequencies without the mean, in squared units of the
        image.
    """
    low, _ = _low_and_high()
    energy: NDArray[np.float64] = np.square(patches @ low.T).sum(axis=1)
    return energy


def high_frequency_variances(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean square of each high frequency over the patches.

    Parameters
    ----------
    patches : numpy.ndarray
        (N, 64).

    Returns
    -------
    numpy.ndarray
        (frequencies,); each estimates the variance of white noise if the patches
        have no structure.
    """
    _, high = _low_and_high()
    squares = np.square(patches @ high.T)
    variances: NDArray[np.float64] = squares.mean(axis=0)
    return variances


def smoothest(
    energies: NDArray[np.float64], fraction: float, fewest: int
) -> NDArray[np.intp]:
    """Return the indices of the lowest `fraction` of the energies, (N,).

    At least `fewest` are returned, or all if there are fewer.
    """
    count = min(len(energies), max(fewest, math.ceil(fraction * len(energies))))
    indices: NDArray[np.intp] = np.argsort(energies, kind="stable")[:count]
    return indices


@cache
def cosine_basis() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the cosine transform of patches and the frequency of each row.

    Returns
    -------
    basis : numpy.ndarray
        (64, 64), orthonormal.
    frequency : numpy.ndarray
        (64,), the sum of the two frequencies, 0 to 14.
    """
    from scipy.fft import dct

    along = dct(np.eye(PATCH_SIDE), axis=0, norm="ortho")
    basis = np.kron(along, along).astype(np.float64, copy=False)
    frequency = np.add.outer(np.arange(PATCH_SIDE), np.arange(PATCH_SIDE)).ravel()
    return basis, frequency


@cache
def _low_and_high() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    basis, frequency = cosine_basis()
    low = (frequency > 0) & (frequency <= _HIGHEST_LOW)
    return basis[low], basis[frequency > _HIGHEST_LOW]
