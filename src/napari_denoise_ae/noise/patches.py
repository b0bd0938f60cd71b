"""Cut the patches in which noise is measured, away from clipped pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .spectrum import PATCH_SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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
