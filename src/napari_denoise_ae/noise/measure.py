"""Measure the noise of an image: its kind, its level and what neighbors share of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import resolve_axes, with_channel_axis
from ..image.checks import require_finite, require_image
from ..image.masks import fill_masked
from ..image.planes import ArrayPlanes
from ..image.ranges import group_planes
from .clipping import find_bounds
from .correlated import LEAST_STRIDE, measure_correlated
from .correlation import find_white_lattice
from .curve import fit_noise_curve
from .no_data import find_no_data
from .noise_estimate import NoiseEstimate
from .outliers import remove_outliers
from .setting import NoiseSetting
from .white import measure_white
from .windows import HIGH, read_noise_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Windows = Sequence[NDArray[Any]]

# The squares of smaller differences underflow.
_LEAST_SPREAD = 1e-150


@dataclass(frozen=True, slots=True, eq=False)
class NoisePoints:
    """The noise that was found and the variances measured at several intensities.

    Parameters
    ----------
    noise : NoiseEstimate
        The noise.
    intensities, variances : numpy.ndarray
        See `NoiseFit`.
    brightest : float
        The 99th percentile of all pixels. If it is far above the intensities, the
        brightest parts have no smooth patches to measure.
    """

    noise: NoiseEstimate
    intensities: NDArray[np.float64]
    variances: NDArray[np.float64]
    brightest: float


def measure_noise(
    image: ArrayLike, *, axes: str | None = None, channel_axis: int | None = None
) -> NoiseEstimate | tuple[NoiseEstimate, ...]:
    """Measure the noise of an image or a stack, as `denoise` does.

    Parameters
    ----------
    image : array_like
        Integers or floating-point numbers.
    axes : str, optional
        See `denoise`.
    channel_axis : int, optional
        Instead of `axes`, see `denoise`.

    Returns
    -------
    NoiseEstimate or tuple of NoiseEstimate
        The noise, or that of each channel if there is an axis C. Pass it to
        ``denoise(..., noise_type=...)`` to use the same noise again.

    Raises
    ------
    InvalidInputError
        If the image or its axes cannot be used.

    Notes
    -----
    The noise is measured in the smoothest patches of 8 x 8 pixels, where high
    frequencies of the cosine transform are almost pure noise [1]_, and as a line over
    the intensity [2]_. If middle frequencies have more energy than white noise, the
    noise is correlated: its level is then measured on a sub-lattice on which it is
    white, and its correlation from the differences of neighbors in flat regions. Hot
    pixels and pixels without data are excluded.

    In a stack the first, the middle and the last plane are measured, and in planes
    with a side longer than 512 pixels, five windows of 256 x 256 pixels.

    References
    ----------
    .. [1] Colom and Buades, Analysis and extension of the Ponomarenko et al.
       method, estimating a noise curve from a single image, 2013,
       :doi:`10.5201/ipol.2013.45`.
    .. [2] Foi et al., Practical Poissonian-Gaussian noise modeling and fitting for
       single-image raw-data, 2008, :doi:`10.1109/TIP.2008.2001399`.

    Examples
    --------
    >>> import numpy as np
    >>> photons = np.random.default_rng(0).poisson(np.arange(1, 257) / 8, (256, 256))
    >>> measure_noise(photons).kind
    'poisson-gaussian'
    """
    array = fill_masked(image)
    require_image(array)
    axes = with_channel_axis(array.shape, axes, channel_axis)
    planes = ArrayPlanes.of(array, resolve_axes(array.shape, axes))
    groups = group_planes(planes, "stack")
    found = tuple(
        measure_windows(windows, NoiseSetting())
        for windows in read_noise_windows(planes, groups)
    )
    return found if "C" in planes.axes else found[0]


def measure_windows(planes: Sequence[Windows], setting: NoiseSetting) -> NoiseEstimate:
    """Measure the noise in the windows of some planes of a stack.

    Parameters
    ----------
    planes : sequence
        For each plane, its windows, (Y, X, channels), see `read_noise_windows`.
    setting : NoiseSetting
        Which kind of noise, if known, and its correlation, if known.

    Returns
    -------
    NoiseEstimate
        The noise; a sigma of 0 if it cannot be measured.

    Raises
    ------
    InvalidInputError
        If Poisson-Gaussian noise is asked for and cannot be measured.
    """
    known, no_data = clean_windows(planes)
    return measure_clean(known, no_data, setting)


def clean_windows(
    planes: Sequence[Windows],
) -> tuple[list[list[NDArray[np.float64]]], float | None]:
    """Return the windows of some planes without outliers.

    Parameters
    ----------
    planes : sequence
        See `measure_windows`.

    Returns
    -------
    known : list
        The windows with NaN for hot pixels and for pixels without data.
    no_data : float or None
        The value of pixels without data.

    Raises
    ------
    InvalidInputError
        If values are so large or so close that squares overflow or vanish.
    """
    windows = list(chain.from_iterable(planes))
    _require_squares(windows)
    no_data = find_no_data(windows)
    return [remove_outliers(windows, no_data) for windows in planes], no_data


def _require_squares(windows: Windows) -> None:
    """Raise if squares of values overflow, or those of their differences vanish."""
    filled = [window for window in windows if window.size and window.dtype.kind == "f"]
    if not filled:
        return
    for window in filled:
        require_finite(window)
    lows = [float(np.fmin.reduce(window, axis=None)) for window in filled]
    highs = [float(np.fmax.reduce(window, axis=None)) for window in filled]
    if 0.0 < np.fmax.reduce(highs) - np.fmin.reduce(lows) < _LEAST_SPREAD:
        raise InvalidInputError(
            f"The values of the image differ by less than {_LEAST_SPREAD:g}, so that "
            "the squares of their differences vanish. Multiply it by a constant."
        )


def measure_clean(
    known: list[list[NDArray[np.float64]]], no_data: float | None, setting: NoiseSetting
) -> NoiseEstimate:
    """Measure the noise in what `clean_windows` returns; see `measure_windows`."""
    windows = list(chain.from_iterable(known))
    if all(_is_constant(window) for window in windows):
        return NoiseEstimate(no_data=no_data)
    bounds = find_bounds(windows)
    found = None
    leaves_coarse = False
    if setting.correlation is None:
        lattice = find_white_lattice(windows)
        found = measure_correlated(known, lattice.stride, bounds, setting)
        leaves_coarse = found is None and lattice.stride > 1
    elif max(setting.correlation) > 0.0:
        stride = max(find_white_lattice(windows).stride, LEAST_STRIDE)
        found = measure_correlated(known, stride, bounds, setting)
    if found is None:
        found = replace(measure_white(known, setting), leaves_coarse=leaves_coarse)
    return replace(found, bounds=bounds, no_data=no_data)


def measure_points(
    planes: Sequence[Windows], noise: NoiseEstimate
) -> NoisePoints | None:
    """Measure how the variance depends on the intensity, to draw it.

    Parameters
    ----------
    planes : sequence
        See `measure_windows`.
    noise : NoiseEstimate
        What `measure_windows` returns for them. Correlated noise is measured on a
        sub-lattice on which it is white.

    Returns
    -------
    NoisePoints or None
        None if nothing can be measured.
    """
    known, _ = clean_windows(planes)
    windows = list(chain.from_iterable(known))
    if noise.is_correlated:
        windows = find_white_lattice(windows).windows
    try:
        fit = fit_noise_curve(windows)
    except InvalidInputError:
        return None
    brightest = np.nanpercentile(
        np.concatenate([each.ravel() for each in windows]), HIGH
    )
    return NoisePoints(noise, fit.intensities, fit.variances, float(brightest))


def _is_constant(window: NDArray[np.float64]) -> bool:
    """Return whether the finite values of a window, if any, are all equal."""
    known = window[np.isfinite(window)]
    return known.size == 0 or bool(known.min() == known.max())
