"""Estimators of the noise level, by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .sigma import estimate_sigma_of_windows
from .wavelet import wavelet_sigma_of_windows

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Takes windows of one image, (Y, X, channels), see `noise_windows`. Returns the
#: standard deviation of its white noise in the image's units; NaN if it cannot be
#: estimated.
Estimator = Callable[[Sequence[NDArray[Any]]], float]

#: Estimator of the noise level that is passed to models and shown to users.
PATCHES = "patches"
#: Estimator of the noise level that is compared with the training images of a model.
WAVELET = "wavelet"

#: Estimators by name: a new one is one function and one line.
ESTIMATORS: dict[str, Estimator] = {
    PATCHES: estimate_sigma_of_windows,
    WAVELET: wavelet_sigma_of_windows,
}


def estimate_sigma(
    planes: Iterable[Sequence[NDArray[Any]]], estimator: str = PATCHES
) -> float:
    """Estimate the noise level of a stack from the windows of some of its planes.

    Parameters
    ----------
    planes : iterable of sequence of numpy.ndarray
        The windows of each plane, see `Estimator`.
    estimator : str
        A key of `ESTIMATORS`.

    Returns
    -------
    float
        Median of the estimates of the planes, in the image's units; NaN if there are
        none.
    """
    return median_of_known(ESTIMATORS[estimator](windows) for windows in planes)


def median_of_known(values: Iterable[float]) -> float:
    """Return the median of the values that are not NaN, or NaN if all are."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.median(known)) if known else math.nan
