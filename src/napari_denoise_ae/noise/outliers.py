"""Find pixels that say nothing about their neighbors: hot, dead and without data.

They are left out of every measurement and of the network's input.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# A hot pixel exceeds all its neighbors but one by this multiple of sigma...
_HOT_SIGMAS = 6.0
# ...and by this multiple of the range of these neighbors.
_HOT_RANGES = 3.0
# Half of a normal distribution lies closer to its mean than this multiple of sigma.
_MEDIAN_DEVIATION = 0.6744897501960817
# Unknown pixels are replaced by the mean of the known ones this close.
FILL_RADIUS = 4
#: Distance from which a pixel affects whether another is hot, and what replaces it.
REACH = 1 + FILL_RADIUS
# A value can mean no data if at least this fraction of the pixels have it.
_LEAST_NO_DATA = 0.002
# It stands apart if it is further from all others than their spread...
_APART_SPREADS = 1.0
# ...and than this many of the smallest steps between them.
_APART_STEPS = 8.0
# Otherwise, this fraction of its pixels must lie in solid regions...
_SOLID_FRACTION = 0.98
# ...whose borders are this many sigma high.
_BORDER_SIGMAS = 8.0


def find_hot(values: NDArray[np.float64], sigma: float) -> NDArray[np.bool_]:
    """Find hot and dead pixels.

    Parameters
    ----------
    values : numpy.ndarray
        Region of an image, (Y, X, channels), NaN where nothing is known.
    sigma : float
        Standard deviation of its noise, in the same units.

    Returns
    -------
    numpy.ndarray
        Same shape, True for pixels far above, or far below, all of their eight
        neighbors but at most one. In white noise fewer than 1 in a million are.
    """
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    threshold = _HOT_SIGMAS * sigma
    return _far_above(padded, threshold) | _far_above(-padded, threshold)


def _far_above(padded: NDArray[np.float64], threshold: float) -> NDArray[np.bool_]:
    """Return the pixels inside a border of 1 that are far above their neighbors."""
    inner = padded[1:-1, 1:-1]
    up, down = padded[:-2, 1:-1], padded[2:, 1:-1]
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    # Cheap and necessary: fmin and fmax ignore NaN next to a number.
    second = np.fmax(np.fmin(up, down), np.fmin(left, right))
    hot: NDArray[np.bool_] = inner - second > threshold
    rows, columns, channels = np.nonzero(hot)
    neighbors = _neighbors(padded, rows, columns, channels)
    # All neighbors but the highest.
    ordered = np.sort(np.where(np.isnan(neighbors), -np.inf, neighbors), axis=0)[:-1]
    highest = ordered[-1]
    lowest = np.where(np.isinf(ordered), np.inf, ordered).min(axis=0)
    excess = padded[rows + 1, columns + 1, channels] - highest
    far = (excess > threshold) & (excess > _HOT_RANGES * (highest - lowest))
    hot[rows, columns, channels] = far & np.isfinite(highest)
    return hot


def fill_unknown(
    values: NDArray[np.float64], unknown: NDArray[np.bool_], otherwise: float
) -> NDArray[np.float64]:
    """Replace unknown pixels by the known ones around them.

    Parameters
    ----------
    values : numpy.ndarray
        (Y, X, channels).
    unknown : numpy.ndarray
        Same shape, True where a value is to be replaced.
    otherwise : float
        Value of pixels that have no known neighbor within 4 pixels.

    Returns
    -------
    numpy.ndarray
        A copy, if anything is replaced: by the median of the eight neighbors, which
        keeps edges, or else by the mean of the pixels within 4 pixels.
    """
    if not unknown.any():
        return values
    filled = _with_median_of_neighbors(np.where(unknown, np.nan, values))
    missing = np.isnan(filled)
    if missing.any():
        filled = np.where(missing, _mean_of_known(filled, FILL_RADIUS), filled)
    return np.where(np.isnan(filled), otherwise, filled)


def _with_median_of_neighbors(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace NaN by the median of the known neighbors, if there are any."""
    rows, columns, channels = np.nonzero(np.isnan(values))
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    # NaN is sorted to the end.
    ordered = np.sort(_neighbors(padded, rows, columns, channels), axis=0)
    count = np.count_nonzero(~np.isnan(ordered), axis=0)
    last, number = np.maximum(count - 1, 0), np.arange(len(rows))
    median = (ordered[last // 2, number] + ordered[(last + 1) // 2, number]) / 2
    values[rows, columns, channels] = median
    return values


def _neighbors(
    padded: NDArray[np.float64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    channels: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return the eight neighbors, (8, N), of pixels of an image with a border of 1."""
    around = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    return np.stack([padded[rows + y, columns + x, channels] for y, x in around])


def _mean_of_known(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Return the mean of the known values in squares; NaN where there are none."""
    from scipy.ndimage import correlate1d

    known = ~np.isnan(values)
    sums = []
    for each in (np.where(known, values, 0.0), known.astype(np.float64)):
        total = each
        for axis in (0, 1):
            total = correlate1d(
                total, np.ones(2 * radius + 1), axis=axis, mode="constant"
            )
        sums.append(total)
    total, count = sums
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float64] = total / np.where(count > 0.5, count, np.nan)
    return mean


def remove_outliers(
    windows: Sequence[NDArray[Any]], no_data: float | None
) -> list[NDArray[np.float64]]:
    """Return windows, (Y, X, channels), with NaN for no data and for hot pixels."""
    if no_data is not None:
        windows = [np.where(each == no_data, np.nan, each) for each in windows]
    floats = [_finite_or_nan(each) for each in windows]
    level = _rough_level(floats)
    for number, window in enumerate(floats):
        if (hot := find_hot(window, level)).any():
            floats[number] = np.where(hot, np.nan, window)
    return floats


def _finite_or_nan(window: NDArray[Any]) -> NDArray[np.float64]:
    floats = np.asarray(window, dtype=np.float64)
    return (
        np.where(np.isinf(floats), np.nan, floats) if np.isinf(floats).any() else floats
    )


def find_no_data(windows: Sequence[NDArray[Any]]) -> float | None:
    """Find a value that means no data, such as -9999, 65535 or that of padding.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Regions of one image, (Y, X, channels), any real dtype.

    Returns
    -------
    float or None
        A value that at least 0.2 % of the pixels share, and that is far from all
        other values or fills solid regions with abrupt borders. Not the zeros of
        photon counts, and not the ends of a clipped range.
    """
    pixels = np.concatenate([each[np.isfinite(each)].ravel() for each in windows])
    if not pixels.size:
        return None
    for value in _candidates(windows, pixels):
        others = pixels[pixels != value]
        shared = pixels.size - others.size
        if shared < max(_LEAST_NO_DATA * pixels.size, 2.0) or not others.size:
            continue
        is_end = not others.min() < value < others.max()
        if _stands_apart(value, others) or _is_solid(value, windows, is_end=is_end):
            return float(value)
    return None


def _candidates(windows: Sequence[NDArray[Any]], pixels: NDArray[Any]) -> list[Any]:
    """Return the lowest and the highest value, and the most frequent flat one."""
    flat = [
        window[1:-1, 1:-1][
            (window[1:-1, 1:-1] == window[:-2, 1:-1])
            & (window[1:-1, 1:-1] == window[2:, 1:-1])
            & (window[1:-1, 1:-1] == window[1:-1, :-2])
            & (window[1:-1, 1:-1] == window[1:-1, 2:])
        ]
        for window in windows
    ]
    found, counts = np.unique(np.concatenate(flat), return_counts=True)
    return [pixels.min(), pixels.max(), *found[counts.argsort()[-1:]]]


def _stands_apart(value: Any, others: NDArray[Any]) -> bool:
    """Return whether a value is far from all others, relative to their spread."""
    distances = np.abs(others.astype(np.float64) - float(value))
    low, high = np.percentile(others, (1, 99))
    gap = float(np.quantile(distances, 0.001))
    if gap <= _APART_SPREADS * (high - low):
        return False
    steps = np.diff(np.unique(others).astype(np.float64))
    return bool(len(steps)) and gap > _APART_STEPS * float(steps.min())


def _is_solid(value: Any, windows: Sequence[NDArray[Any]], *, is_end: bool) -> bool:
    """Return whether a value fills regions with abrupt borders and no noise."""
    from scipy.ndimage import binary_dilation, binary_erosion

    square = np.ones((3, 3, 1), dtype=bool)
    shared = inside = 0
    borders, known = [], []
    for window in windows:
        mask = window == value
        core = binary_erosion(mask, square, border_value=1)
        around = binary_dilation(core, square, iterations=2)
        shared, inside = shared + mask.sum(), inside + (mask & around).sum()
        border = binary_dilation(mask, square) & ~mask
        borders.append(np.abs(window[border].astype(np.float64) - float(value)))
        known.append(_finite_or_nan(np.where(mask, np.nan, window)))
    steps = np.concatenate(borders)
    steps = steps[np.isfinite(steps)]
    if inside < _SOLID_FRACTION * shared or not steps.size:
        return False
    level = _rough_level(known)
    # Noise that is clipped at an end of the range fades out toward it.
    return level > 0.0 and (
        not is_end or float(np.quantile(steps, 0.1)) > _BORDER_SIGMAS * level
    )


def _rough_level(windows: Sequence[NDArray[np.float64]]) -> float:
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
