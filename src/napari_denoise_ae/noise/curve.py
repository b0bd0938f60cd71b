"""How the noise of an image grows with its intensity, and how to even it out.

Cameras and photon counters have Poisson-Gaussian noise: its variance is a line
over the intensity. `fit_noise_curve` measures the line on one image,
`anscombe` turns the image into one whose noise has variance 1 everywhere, as
a denoiser of white noise needs it, and `inverse_anscombe` takes its result back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from .sigma import fast_variances, patches_of_channels, slow_energy, smoothest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Intensities are told apart in so many classes of equal population and so many
# of equal width: the ones see the crowded background, the others the rest.
_CLASSES = 12
_SMOOTHEST_FRACTION = 0.1
# Fewer patches than this tell too little of the variance of a class.
_FEWEST_PATCHES = 40
# Logarithms of variances: what lies further off is given less weight...
_FAR_OFF = 0.1
# ...and what lies so far above the line is texture; it is left out.
_TEXTURE = 0.1
_ROUNDS = 5
# Where intensities differ by less than this many sigma, nothing can be said of
# how the noise grows with them.
_NARROWEST_SPAN = 1.5
# Noise that grows by less than this fraction of itself is as good as constant,
# and a lower gain would only cost the transform its digits.
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
        """Return the variance of the noise at clean intensities, any shape.

        It is 0 where the line is below.
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
    """A noise curve and what it was fitted to.

    Attributes
    ----------
    curve : NoiseCurve
        The line.
    intensities : numpy.ndarray
        (points,), float64, ascending: mean intensities of smooth patches.
    variances : numpy.ndarray
        (points,), float64: the variances measured there, in squared units of
        the image. Points far above the line are texture.
    """

    curve: NoiseCurve
    intensities: NDArray[np.float64]
    variances: NDArray[np.float64]


def fit_noise_curve(windows: Sequence[NDArray[Any]]) -> NoiseFit:
    """Measure how the noise of an image grows with its intensity.

    Parameters
    ----------
    windows : sequence of numpy.ndarray
        Parts of one image, (Y, X, channels), any numeric dtype; those that
        `metrics.noise_windows` names. All channels share one curve. NaN and
        infinite pixels are left out with the patches around them.

    Returns
    -------
    NoiseFit
        The curve and the points that it was fitted to. Noise that does not
        grow with the intensity gets a tiny gain, at which the variance grows
        by a hundredth over the image, so that every curve can be used alike.

    Raises
    ------
    InvalidInputError
        If fewer than 40 patches of 8 pixels are finite and not constant.

    Notes
    -----
    Patches of 8 x 8 pixels are sorted into classes by their mean. In each the
    smoothest tenth is chosen by the slow waves of the cosine transform, and
    the variance measured as the mean square of the fast ones: a mean, not a
    median, because the median of few photons is 0. A line is fitted to the
    logarithms of the variances, robustly, and once more without what lies
    above it, which is texture. The model is that of Foi et al. [1]_, the way to
    measure it that of Ponomarenko et al. as in [2]_.

    A lone fine texture, or noise much weaker than the texture, cannot be told
    from noise: then the variances come out too high.

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
            "The noise can only be measured in an image that is not constant, has "
            f"finite values and at least 16 x 16 pixels, got {len(patches)} usable "
            f"patches where {_FEWEST_PATCHES} are needed."
        )
    intensities, variances = _measure(patches)
    if not (np.isfinite(variances).all() and variances.min() > 0):
        raise InvalidInputError(
            "The noise cannot be measured: a part of the image has none, or its "
            "values are so small or so large that their squares are no numbers. Take "
            "Gaussian noise with a sigma, or scale the image."
        )
    return NoiseFit(_line(intensities, variances), intensities, variances)


def _measure(
    patches: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the intensities and the variances of smooth patches, (points,)."""
    means, energies = patches.mean(axis=1), slow_energy(patches)
    points = []
    for members in _classes(means):
        smooth = members[
            smoothest(energies[members], _SMOOTHEST_FRACTION, _FEWEST_PATCHES)
        ]
        points.append((means[smooth].mean(), fast_variances(patches[smooth]).mean()))
    intensities, variances = np.array(points).T
    return intensities, variances


def _classes(means: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return the indices of each class of means, ascending, none too small."""
    edges = np.union1d(
        np.quantile(means, np.linspace(0, 1, _CLASSES + 1)[1:-1]),
        np.linspace(means.min(), means.max(), _CLASSES + 1)[1:-1],
    )
    of_each = np.searchsorted(edges, means, side="right")
    classes = [np.flatnonzero(of_each == number) for number in range(len(edges) + 1)]
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
        gain = (at_highest - at_lowest) / span
    least = _LEAST_GROWTH * middle / max(span, sigma)
    if gain > least:
        return NoiseCurve(gain, at_lowest - gain * lowest)
    return NoiseCurve(least, middle - least * (lowest + highest) / 2)


def _ends(
    places: NDArray[np.float64], variances: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the variances at places 0 and 1 of a line through the points.

    Their logarithms are what is fitted: so the line is above 0 between them,
    and the variances of dark places, which are small, weigh as much as others.
    """
    from scipy.optimize import least_squares

    unit = float(np.median(variances))
    measured = np.log(variances / unit)

    def above(
        ends: NDArray[np.float64], kept: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        start, end = np.exp(ends)
        line = (1 - places) * start + places * end
        residuals: NDArray[np.float64] = (measured - np.log(line))[kept]
        return residuals

    ends = measured[[0, -1]]
    every = kept = np.ones(len(places), dtype=bool)
    for _ in range(_ROUNDS):
        fit = least_squares(above, ends, loss="soft_l1", f_scale=_FAR_OFF, args=(kept,))
        ends = fit.x
        kept = above(ends, every) < _TEXTURE
        if np.count_nonzero(kept) <= 2:
            break
    start, end = unit * np.exp(ends)
    return float(start), float(end)
