"""How strong the white noise of an image is, also where it is full of texture.

Noise is told from structure by two kinds of waves in small patches. The slow
ones show where there is little structure; in those patches the fast ones are
nearly noise alone. White noise has both independently of each other, so the
choice does not favor patches that have little noise by chance.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Side of the square patches in which noise is looked for, in pixels.
PATCH_SIDE = 8
# Patches lie so far apart that there are about so many at most: more cost
# time, and tell little, because they overlap.
_MOST_PATCHES = 16384
# A highest or lowest value that more than this fraction of the pixels have is
# taken for a bound at which the image is clipped.
_CLIPPED_FRACTION = 0.005
# It is none if variances there are below this many times those of counts.
_MOST_OF_COUNTS = 3.0
# Patches that touch a bound are left out if this fraction of all remains.
_LEAST_INSIDE = 0.05
# Waves of a patch are slow up to this sum of their two frequencies (of 14).
_HIGHEST_SLOW = 6
# The darker and the brighter half of the patches have their say each: noise
# often grows with intensity, and only dark places may be smooth.
_BRIGHTNESS_GROUPS = 2
_SMOOTHEST_FRACTION = 0.1
_FEWEST_SMOOTHEST = 100


def estimate_sigma_of_windows(windows: Sequence[NDArray[Any]]) -> float:
    """Estimate the standard deviation of white noise in an image.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Parts of one image, (Y, X, channels), any numeric dtype; those that
        `metrics.noise_windows` names. NaN and infinite pixels are left out
        with the patches around them.

    Returns
    -------
    float
        Standard deviation in the image's units. Of colors whose noise
        differs, the root of the mean of their variances. NaN where there is
        no patch of 8 pixels that is finite and not constant.

    See Also
    --------
    napari_denoise_ae.noise.wavelet.estimate_noise_of_windows :
        The simpler estimate, which takes fine texture for noise and errs where
        pixels have few values, as photon counts do.

    Notes
    -----
    Of patches of 8 x 8 pixels the smoothest tenth is chosen, by the energy of
    the slow waves of their cosine transform; the variance of the noise is the
    median over the fast waves of their mean squares, much as in [1]_. The
    median leaves out the few waves of which some texture is made.

    Where the image is clipped, as photographs are, patches that touch the
    bound are left out, if enough remain; the zeros of photon counts are no
    clipping. Of noise that grows with the intensity the result is a middle
    value, nearer to that of dark places; see `noise_curve` for more.

    References
    ----------
    .. [1] Colom and Buades, Analysis and extension of the Ponomarenko et al.
       method, estimating a noise curve from a single image, 2013,
       :doi:`10.5201/ipol.2013.45`.
    """
    variances = [
        _variance(patches) for patches in patches_of_channels(windows) if len(patches)
    ]
    return math.sqrt(sum(variances) / len(variances)) if variances else math.nan


def _variance(patches: NDArray[np.float64]) -> float:
    energies = slow_energy(patches)
    by_brightness = np.argsort(patches.mean(axis=1))
    smooth = [
        group[smoothest(energies[group], _SMOOTHEST_FRACTION, _FEWEST_SMOOTHEST)]
        for group in np.array_split(by_brightness, _BRIGHTNESS_GROUPS)
    ]
    return float(np.median(fast_variances(patches[np.concatenate(smooth)])))


def patches_of_channels(
    windows: Sequence[NDArray[Any]],
) -> list[NDArray[np.float64]]:
    """Cut out the patches of each channel that can tell something of its noise.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        See `estimate_sigma_of_windows`.

    Returns
    -------
    list of numpy.ndarray
        For each channel (patches, 64), float64, about 16,000 patches at most.
        None of them is constant, or holds what is not finite; none touches a
        bound at which the image is clipped, unless nearly all do.
    """
    channels = windows[0].shape[-1] if windows else 0
    area = sum(window[..., 0].size for window in windows)
    step = max(1, math.ceil(math.sqrt(area / _MOST_PATCHES)))
    return [
        _telling([np.asarray(w[..., c], dtype=np.float64) for w in windows], step)
        for c in range(channels)
    ]


def _telling(images: list[NDArray[np.float64]], step: int) -> NDArray[np.float64]:
    patches = np.concatenate(
        [np.empty((0, PATCH_SIDE**2)), *(_cut(image, step) for image in images)]
    )
    lowest, highest = patches.min(axis=1), patches.max(axis=1)
    # What is not finite shows in the extremes; a comparison with NaN is false.
    varying = (lowest < highest) & np.isfinite(lowest) & np.isfinite(highest)
    patches, lowest, highest = patches[varying], lowest[varying], highest[varying]
    if not len(patches):
        return np.empty((0, PATCH_SIDE**2))
    pixels = np.concatenate([image[np.isfinite(image)] for image in images])
    inside = np.ones(len(patches), dtype=bool)
    for bound, extremes in ((pixels.min(), lowest), (pixels.max(), highest)):
        touching = extremes == bound
        if _is_clipped(pixels, bound, patches[touching]):
            inside &= ~touching
    enough = np.count_nonzero(inside) >= _LEAST_INSIDE * len(patches)
    telling: NDArray[np.float64] = patches[inside] if enough else patches
    return telling


def _cut(image: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Cut a patch, (N, 64), every `step` pixels; none from what is smaller."""
    side = (PATCH_SIDE, PATCH_SIDE)
    if min(image.shape) < PATCH_SIDE:
        return np.empty((0, PATCH_SIDE**2))
    everywhere = np.lib.stride_tricks.sliding_window_view(image, side)
    return everywhere[::step, ::step].reshape(-1, PATCH_SIDE**2)


def _is_clipped(
    pixels: NDArray[np.float64], bound: float, touching: NDArray[np.float64]
) -> bool:
    """Tell whether noise beyond `bound` was cut off, from the patches touching it.

    Photon counts gather at 0 as well. There the variance is the mean, counted
    in the smallest step between two values; what is cut off varies more.
    """
    # One pixel always has the bound, so that in tiny images one says nothing.
    others = np.count_nonzero(pixels == bound) - 1
    if others <= _CLIPPED_FRACTION * pixels.size or not len(touching):
        return False
    step = np.diff(np.unique(pixels)).min()
    distances = np.abs(touching.mean(axis=1) - bound)
    return bool(np.median(touching.var(axis=1) / distances) > _MOST_OF_COUNTS * step)


def slow_energy(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much structure each patch has, (N,), from (N, 64).

    It is the energy of the slow waves, the mean left out, in squared units of
    the image.
    """
    energy: NDArray[np.float64] = np.square(patches @ _waves()[0].T).sum(axis=1)
    return energy


def fast_variances(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of each fast wave, (waves,), over patches, (N, 64).

    Each is the variance of the noise where patches hold white noise alone.
    """
    squares = np.square(patches @ _waves()[1].T)
    variances: NDArray[np.float64] = squares.mean(axis=0)
    return variances


def smoothest(
    energies: NDArray[np.float64], fraction: float, fewest: int
) -> NDArray[np.intp]:
    """Return the indices of the lowest `fraction` of energies, (N,).

    They are at least `fewest`, or all if there are less.
    """
    count = min(len(energies), max(fewest, math.ceil(fraction * len(energies))))
    indices: NDArray[np.intp] = np.argsort(energies, kind="stable")[:count]
    return indices


@cache
def _waves() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the slow and the fast waves of a patch, (waves, 64), orthonormal."""
    from scipy.fft import dct

    along = dct(np.eye(PATCH_SIDE), axis=0, norm="ortho")
    waves = np.kron(along, along).astype(np.float64, copy=False)
    frequency = np.add.outer(np.arange(PATCH_SIDE), np.arange(PATCH_SIDE)).ravel()
    slow = (frequency > 0) & (frequency <= _HIGHEST_SLOW)
    return waves[slow], waves[frequency > _HIGHEST_SLOW]
