"""Find the value of pixels without data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .outliers import finite_or_nan, rough_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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
        known.append(finite_or_nan(np.where(mask, np.nan, window)))
    steps = np.concatenate(borders)
    steps = steps[np.isfinite(steps)]
    if inside < _SOLID_FRACTION * shared or not steps.size:
        return False
    level = rough_level(known)
    # Noise that is clipped at an end of the range fades out toward it.
    return level > 0.0 and (
        not is_end or float(np.quantile(steps, 0.1)) > _BORDER_SIGMAS * level
    )
