"""Find hot and dead pixels, and replace them and pixels without data.

They are left out of every measurement and of the network's input.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.namespace import any_of, find_nan, namespace_of, places_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# A hot pixel exceeds all its neighbors but one by this multiple of sigma...
_HOT_SIGMAS = 6.0
# ...and by this multiple of the range of these neighbors.
_HOT_RANGES = 3.0
# Half of a normal distribution lies closer to its mean than this multiple of sigma.
_MEDIAN_DEVIATION = 0.6744897501960817
# Number of values that are searched for hot pixels at once.
_STRIP = 2**17
# Unknown pixels are replaced by the mean of the known ones this close.
FILL_RADIUS = 4
#: Distance from which a pixel affects whether another is hot, and what replaces it.
REACH = 1 + FILL_RADIUS


def find_hot(values: Any, sigma: float) -> Any | None:
    """Find hot and dead pixels.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        Region of an image, (Y, X, channels), floating point, NaN where nothing is
        known.
    sigma : float
        Standard deviation of its noise, in the same units.

    Returns
    -------
    numpy.ndarray, torch.Tensor or None
        Same shape, True for pixels far above, or far below, all of their eight
        neighbors but at most one; None if there are none. In white noise fewer than
        1 in a million are.
    """
    threshold = _HOT_SIGMAS * sigma
    candidates = _find_candidates(values, threshold)
    if not any_of(candidates):
        return None
    places = places_of(candidates)
    pixels, neighbors = values[places], _neighbors(values, *places)
    far = _is_far_above(pixels, neighbors, threshold)
    far |= _is_far_above(-pixels, -neighbors, threshold)
    candidates[places] = far
    return candidates if far.any() else None


def _find_candidates(values: Any, threshold: float) -> Any:
    """Return which pixels may be hot or dead, see `_far_from_neighbors`.

    This is cheap, and necessary for hot and dead pixels. On a CPU it is computed in
    strips that stay in the cache, which takes a third of the time.
    """
    height, width, channels = values.shape
    if getattr(values, "is_cuda", False):
        return _far_from_neighbors(values, threshold)
    side = max(1, _STRIP // (width * channels))
    strips = []
    for start in range(0, height, side):
        first = max(start - 1, 0)
        found = _far_from_neighbors(values[first : start + side + 1], threshold)
        strips.append(found[start - first :][:side])
    return namespace_of(values).concatenate(strips, 0)


def _far_from_neighbors(values: Any, threshold: float) -> Any:
    """Return which pixels are far above, or below, a neighbor along each axis."""
    xp = namespace_of(values)
    lower, higher = xp.minimum, xp.maximum
    if min(values.shape[:2]) == 1 or find_nan(values) is not None:
        lower, higher = xp.fmin, xp.fmax  # ignore NaN next to a number, but are slow
    padded = _with_border(values)
    up, down = padded[:-2, 1:-1], padded[2:, 1:-1]
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    upper = higher(lower(up, down), lower(left, right))
    below = lower(higher(up, down), higher(left, right))
    return higher(values - upper, below - values) > threshold


def _with_border(values: Any) -> Any:
    """Add a border of 1 in which a pixel equals the one on the other side.

    Comparing with both is then comparing with the one that exists. There is none in a
    single row or column, whose border is NaN.
    """
    xp = namespace_of(values)
    for axis in (0, 1):
        if values.shape[axis] > 1:
            first, last = (slice(1, 2), slice(-2, -1))
            border = [values[(slice(None),) * axis + (one,)] for one in (first, last)]
        else:
            border = [xp.full_like(values, math.nan)] * 2
        values = xp.concatenate([border[0], values, border[1]], axis)
    return values


def _is_far_above(pixels: Any, neighbors: Any, threshold: float) -> Any:
    """Return which pixels, (N,), are far above their neighbors, (8, N)."""
    xp = namespace_of(pixels)
    unknown = xp.isnan(neighbors)
    # NaN is neither the highest nor the lowest.
    first = second = xp.full_like(pixels, -math.inf)
    for each in xp.where(unknown, -math.inf, neighbors):
        second = xp.maximum(second, xp.minimum(first, each))
        first = xp.maximum(first, each)
    # All neighbors but the highest.
    lowest = xp.amin(xp.where(unknown, math.inf, neighbors), 0)
    is_known = second > -math.inf
    second, lowest = (xp.where(is_known, each, 0.0) for each in (second, lowest))
    excess = pixels - second
    is_far = (excess > threshold) & (excess > _HOT_RANGES * (second - lowest))
    return is_far & is_known


def fill_unknown(values: Any, unknown: Any, otherwise: float) -> Any:
    """Replace unknown pixels by the known ones around them.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        (Y, X, channels), floating point.
    unknown : numpy.ndarray or torch.Tensor
        Same shape, True where a value is to be replaced.
    otherwise : float
        Value of pixels that have no known neighbor within 4 pixels.

    Returns
    -------
    numpy.ndarray or torch.Tensor
        A copy in which unknown values are replaced by the median of the eight
        neighbors, which keeps edges, or else by the mean of the pixels within 4
        pixels.
    """
    xp = namespace_of(values)
    filled, places = values + 0.0, places_of(unknown)
    filled[places] = math.nan
    filled[places] = median = _median(_neighbors(filled, *places))
    if not (missing := xp.isnan(median)).any():
        return filled
    mean = _mean_of_known(filled, xp.isnan(filled))[places]
    known = xp.where(missing, mean, median)
    filled[places] = xp.where(xp.isnan(known), otherwise, known)
    return filled


def _median(neighbors: Any) -> Any:
    """Return the median of the known of eight neighbors, (8, N); NaN without any."""
    xp = namespace_of(neighbors)
    ordered = xp.sort(neighbors, 0)
    # torch returns the indices, too. NaN is sorted to the end.
    ordered = getattr(ordered, "values", ordered)
    last = ((~xp.isnan(ordered)).sum(0) - 1).clip(0)
    median = ordered[0] * 0.0
    for number, each in enumerate(ordered):
        times = 0.5 * (last // 2 == number) + 0.5 * ((last + 1) // 2 == number)
        median = median + xp.where(times > 0, each, 0.0) * times
    return median


def _neighbors(values: Any, rows: Any, columns: Any, channels: Any) -> Any:
    """Return the eight neighbors, (8, N), of pixels; NaN outside the image."""
    xp = namespace_of(values)
    height, width = values.shape[:2]
    found = []
    for dy, dx in product((-1, 0, 1), repeat=2):
        y, x = rows + dy, columns + dx
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        each = values[y.clip(0, height - 1), x.clip(0, width - 1), channels]
        if (dy, dx) != (0, 0):
            found.append(xp.where(inside, each, math.nan))
    return xp.stack(found)


def _mean_of_known(values: Any, missing: Any) -> Any:
    """Return the mean of the known values within 4 pixels; NaN if there are none."""
    xp = namespace_of(values)
    total = _sum_around(xp.where(missing, 0.0, values))
    count = _sum_around(1.0 - missing * 1.0)
    return total / xp.where(count > 0.5, count, math.nan)


def _sum_around(values: Any) -> Any:
    """Return the sums of squares of 9 x 9 pixels, without those outside the image."""
    xp = namespace_of(values)
    for axis in (0, 1):
        before = (slice(None),) * axis
        zeros = xp.zeros_like(values[(*before, slice(1))])
        border = [zeros] * FILL_RADIUS
        padded = xp.concatenate([*border, values, *border], axis)
        length = values.shape[axis]
        starts = range(2 * FILL_RADIUS + 1)
        values = sum(padded[(*before, slice(n, n + length))] for n in starts)
    return values


def remove_outliers(
    windows: Sequence[NDArray[Any]], no_data: float | None
) -> list[NDArray[np.float64]]:
    """Return windows, (Y, X, channels), with NaN for no data and for hot pixels."""
    if no_data is not None:
        windows = [np.where(each == no_data, np.nan, each) for each in windows]
    floats = [finite_or_nan(each) for each in windows]
    level = rough_level(floats)
    for number, window in enumerate(floats):
        if (hot := find_hot(window, level)) is not None:
            floats[number] = np.where(hot, np.nan, window)
    return floats


def finite_or_nan(window: NDArray[Any]) -> NDArray[np.float64]:
    """Return pixels of any shape and real dtype as float64, NaN for infinity."""
    floats = np.asarray(window, dtype=np.float64)
    return (
        np.where(np.isinf(floats), np.nan, floats) if np.isinf(floats).any() else floats
    )


def rough_level(windows: Sequence[NDArray[np.float64]]) -> float:
    """Return about the level of the noise, from the differences of neighbors.

    It is at least the smallest step between two values: photon counts often have
    equal neighbors.
    """
    steps = [np.abs(np.diff(window, axis=1)).ravel() for window in windows]
    differences = np.concatenate(steps)
    differences = differences[np.isfinite(differences)]
    if not differences.size:
        return 0.0
    level = float(np.median(differences)) / (math.sqrt(2.0) * _MEDIAN_DEVIATION)
    changes = differences[differences > 0.0]
    return max(level, float(changes.min())) if changes.size else level
