"""Measure how the noise of an image grows with its intensity.

Cameras and photon counters have Poisson-Gaussian noise, whose variance is a linear
function of the intensity. `fit_noise_curve` measures that line in a single image.
`anscombe` uses it to stabilize the noise to variance 1, as a denoiser of white noise
requires, and `inverse_anscombe` transforms the result back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .patches import patches_of_channels
from .spectrum import high_frequency_variances, low_frequency_energy, smoothest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Patches are divided into this many intensity classes of equal population and as many
# of equal width: the former resolve the frequent intensities, the latter the others.
_CLASSES = 12
_SMOOTHEST_FRACTION = 0.1
# Fewer patches than this do not determine the variance of a class.
_FEWEST_PATCHES = 40
# Residual, in log variance, beyond which a point gets less weight in the fit...
_OUTLIER_SCALE = 0.1
# ...and above which it is taken for texture and excluded.
_TEXTURE = 0.1
_ROUNDS = 5
# Intensities that span fewer sigma than this do not determine the gain.
_NARROWEST_SPAN = 0.5
# If they span fewer than this, the gain must be clear.
_NARROW_SPAN = 1.5
#: Noise grows clearly with the intensity if the standard deviation in the brightest
#: regions is this multiple of that in the darkest. Gaussian noise in photographs stays
#: below 1.1, except in nearly clean, textured ones.
LEAST_GROWTH = 1.3
# Noise whose variance grows by less than this fraction over the image is treated as
# constant; a lower gain would cost the transform numerical precision.
_LEAST_GROWTH = 0.01


@dataclass(frozen=True, slots=True)
class NoiseCurve:
    """The variance of Poisson-Gaussian noise as a line over the intensity.

    Attributes
    ----------
    gain : float
        The intensity that one photon (or photoelectron) adds, above 0.
    offset_variance : float
        The variance at intensity 0, in squared units of the image: read
        noise squared, less gain times pedestal. It may be negative, where the
        image has a pedestal and so no intensity of 0.

    Raises
    ------
    InvalidInputError
        If the gain is not above 0, or one of the two is not finite.
    """

    gain: float
    offset_variance: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.gain) and self.gain > 0):
            raise InvalidInputError(
                f"The gain must be a finite number above 0, got {self.gain}."
            )
        if not math.isfinite(self.offset_variance):
            raise InvalidInputError(
                f"The offset variance must be finite, got {self.offset_variance}."
            )

    def variance(self, intensities: NDArray[Any]) -> NDArray[np.float64]:
        """Return the variance of the noise at clean intensities of any shape.

        Negative values of the line become 0.
        """
        line = self.gain * np.asarray(intensities, np.float64) + self.offset_variance
        variances: NDArray[np.float64] = np.maximum(line, 0.0)
        return variances

    def __str__(self) -> str:
        sign = "-" if self.offset_variance < 0 else "+"
        return (
            f"noise variance = {self.gain:.4g} x intensity "
            f"{sign} {abs(self.offset_variance):.4g}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class NoiseFit:
    """A noise curve and the points it was fitted to.

    Attributes
    ----------
    curve : NoiseCurve
        The fitted line.
    intensities : numpy.ndarray
        Mean intensities of smooth patches, (points,), float64, ascending.
    variances : numpy.ndarray
        Variances measured there, (points,), float64, in squared units of the
        image. Points far above the line are texture.
    """

    curve: NoiseCurve
    intensities: NDArray[np.float64]
    variances: NDArray[np.float64]

    @property
    def growth(self) -> float:
        """Standard deviation at the brightest point over that at the darkest."""
        darkest, brightest = self.curve.variance(self.intensities[[0, -1]])
        return math.sqrt(brightest / darkest) if darkest > 0 else math.inf


def fit_noise_curve(windows: Sequence[NDArray[Any]]) -> NoiseFit:
    """Fit the noise curve of an image.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Regions of one image, (Y, X, channels), any numeric dtype, see
        `noise_windows`. All channels share one curve. Patches that contain NaN or
        infinity are skipped.

    Returns
    -------
    NoiseFit
        The curve and the points it was fitted to. Noise that does not grow with the
        intensity gets a tiny gain, at which the variance grows by 1 % over the
        image, so that `anscombe` can use every curve.

    Raises
    ------
    InvalidInputError
        If fewer than 40 patches of 8 pixels are finite and not constant.

    Notes
    -----
    Patches of 8 x 8 pixels are grouped by mean intensity. In each group the
    smoothest tenth is selected by the energy of the low frequencies of the cosine
    transform, and the variance is the mean square of the high frequencies: a mean,
    not a median, because the median of few photons is 0. A line is fitted robustly
    to the logarithms of the variances, repeatedly, each time without the points
    above it, which are texture. The model is that of Foi et al. [1]_; the
    measurement follows Ponomarenko et al. as described in [2]_.

    If the whole image has fine texture, or the noise is much weaker than the
    texture, the variances are overestimated.

    References
    ----------
    .. [1] Foi, Trimeche, Katkovnik and Egiazarian, Practical
       Poissonian-Gaussian noise modeling and fitting for single-image
       raw-data, 2008, :doi:`10.1109/TIP.2008.2001399`.
    .. [2] Colom and Buades, Analysis and extension of the Ponomarenko et al.
       method, estimating a noise curve from a single image, 2013,
       :doi:`10.5201/ipol.2013.45`.
    """
    patches = np.concatenate([np.empty((0, 64)), *patches_of_channels(windows)])
    if len(patches) < _FEWEST_PATCHES:
        raise InvalidInputError(
            "Measuring the noise requires an image that is not constant, has finite "
            f"values and at least 16 x 16 pixels: {_FEWEST_PATCHES} usable patches are "
            f"needed, got {len(patches)}."
        )
    intensities, variances = _measure(patches)
    if not (np.isfinite(variances).all() and variances.min() > 0):
        raise InvalidInputError(
            "The noise cannot be measured: part of the image has none, or its values "
            "are so small or so large that their squares underflow or overflow. Choose "
            "Gaussian noise and give sigma, or rescale the image."
        )
    return NoiseFit(_line(intensities, variances), intensities, variances)


def _measure(
    patches: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean intensities and noise variances of smooth patches, (points,)."""
    means, energies = patches.mean(axis=1), low_frequency_energy(patches)
    points = []
    for members in _classes(means):
        smooth = members[
            smoothest(energies[members], _SMOOTHEST_FRACTION, _FEWEST_PATCHES)
        ]
        points.append(
            (means[smooth].mean(), high_frequency_variances(patches[smooth]).mean())
        )
    intensities, variances = np.array(points).T
    return intensities, variances


def _classes(means: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return the indices of the patches in each intensity class, ascending.

    Classes with too few patches are dropped.
    """
    edges = np.union1d(
        np.quantile(means, np.linspace(0, 1, _CLASSES + 1)[1:-1]),
        np.linspace(means.min(), means.max(), _CLASSES + 1)[1:-1],
    )
    class_of = np.searchsorted(edges, means, side="right")
    classes = [np.flatnonzero(class_of == number) for number in range(len(edges) + 1)]
    large = [members for members in classes if len(members) >= _FEWEST_PATCHES]
    return large or [np.arange(len(means))]


def _line(
    intensities: NDArray[np.float64], variances: NDArray[np.float64]
) -> NoiseCurve:
    middle = float(np.median(variances))
    sigma = math.sqrt(middle)
    lowest, highest = float(intensities[0]), float(intensities[-1])
    span = highest - lowest
    gain = 0.0
    if span > _NARROWEST_SPAN * sigma:
        at_lowest, at_highest = _ends((intensities - lowest) / span, variances)
        is_clear = at_highest > LEAST_GROWTH**2 * at_lowest
        if is_clear or span > _NARROW_SPAN * sigma:
            gain = (at_highest - at_lowest) / span
    least = _LEAST_GROWTH * middle / max(span, sigma)
    if gain > least:
        return NoiseCurve(gain, at_lowest - gain * lowest)
    return NoiseCurve(least, middle - least * (lowest + highest) / 2)


def _ends(
    positions: NDArray[np.float64], variances: NDArray[np.float64]
) -> tuple[float, float]:
    """Fit a line through the points; return its variances at positions 0 and 1.

    The logarithms are fitted, so that the line is positive in between and the small
    variances of dark regions weigh as much as the others.
    """
    from scipy.optimize import least_squares

    unit = float(np.median(variances))
    measured = np.log(variances / unit)

    def residuals(
        ends: NDArray[np.float64], kept: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        start, end = np.exp(ends)
        line = (1 - positions) * start + positions * end
        difference: NDArray[np.float64] = (measured - np.log(line))[kept]
        return difference

    ends = measured[[0, -1]]
    every = kept = np.ones(len(positions), dtype=bool)
    for _ in range(_ROUNDS):
        fit = least_squares(
            residuals, ends, loss="soft_l1", f_scale=_OUTLIER_SCALE, args=(kept,)
        )
        ends = fit.x
        kept = residuals(ends, every) < _TEXTURE
        if np.count_nonzero(kept) <= 2:
            break
    start, end = unit * np.exp(ends)
    return float(start), float(end)
