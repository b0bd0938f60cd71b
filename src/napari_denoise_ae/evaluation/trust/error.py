"""Estimate the error of a denoised image from its residual and the model's response."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .rings import N_RINGS, ring_sizes, ring_sums, spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Number of probes, see `Rerun.probe`.
N_PROBES = 3
# Relative standard error of the measured noise variance; that of a given one. These and
# the next were chosen on Set12 and the first six images of McMaster18, see
# benchmarks/trust.py.
_MEASURED, _GIVEN = 0.04, 0.005
#: The squared error of a network is this multiple of that of the best denoiser.
EXCESS = 1.12
# Its relative standard error in a ring, for a measured and for a given level.
_EXCESS_ERROR, _EXCESS_ERROR_GIVEN = 0.25, 1.0
# Standard errors of the range.
_DEVIATIONS = 1.6
# An error whose range in dB is wider is uncertain.
_WIDEST = 5.0


@dataclass(slots=True, eq=False)
class ErrorSums:
    """Sums over the windows of an image, by ring of spatial frequency.

    Attributes
    ----------
    n : int
        Number of values.
    variance : float
        Sum of the noise variance.
    waves : numpy.ndarray
        Number of waves, (N_RINGS,).
    residual : numpy.ndarray
        Sum of squares of noisy - denoised, (N_RINGS,).
    response : numpy.ndarray
        Sum of the covariance of noise and result for each probe, (N_PROBES, N_RINGS).
    """

    n: int = 0
    variance: float = 0.0
    waves: NDArray[np.float64] = field(default_factory=lambda: np.zeros(N_RINGS))
    residual: NDArray[np.float64] = field(default_factory=lambda: np.zeros(N_RINGS))
    response: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros((N_PROBES, N_RINGS))
    )

    def add_residual(
        self, residual: NDArray[Any], counted: NDArray[np.bool_], variance: float
    ) -> None:
        """Add a window: its residual, 0 where not counted, and its mean variance."""
        n = int(counted.sum())
        self.n += n
        self.variance += n * variance
        self.waves += ring_sizes(residual.shape) * n / counted.size
        transformed = spectrum(residual)
        self.residual += ring_sums(transformed, transformed, residual.shape)

    def add_probe(
        self, number: int, noise: NDArray[Any], response: NDArray[Any]
    ) -> None:
        """Add a probe of a window, see `Rerun.probe`."""
        self.response[number] += ring_sums(
            spectrum(noise), spectrum(response), noise.shape
        )

    @property
    def expected(self) -> NDArray[np.float64]:
        """Sum of squares of the residual if the model were the best denoiser."""
        noise = self.noise
        expected: NDArray[np.float64] = np.maximum(
            noise - self.response.mean(axis=0), 0.02 * noise
        )
        return expected

    @property
    def excess(self) -> float:
        """Mean square of the residual, over that of the best denoiser."""
        return float(self.residual.sum() / self.expected.sum())

    @property
    def kept_noise(self) -> NDArray[np.float64]:
        """Fraction of the noise in each ring that the result follows."""
        fraction: NDArray[np.float64] = 1.0 - self.expected / self.noise
        return fraction

    @property
    def noise(self) -> NDArray[np.float64]:
        """Sum of the variance of the noise in each ring."""
        noise: NDArray[np.float64] = self.variance * self.waves / self.waves.sum()
        return noise


@dataclass(frozen=True, slots=True)
class ErrorEstimate:
    """The mean squared error of a result.

    Parameters
    ----------
    mse : float
        The estimate, in squared units of the image.
    low, high : float
        Its range.
    """

    mse: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """Whether the range is narrow enough to be of use."""
        return self.low > 0 and 10 * math.log10(self.high / self.low) <= _WIDEST


def estimate_error(
    sums: ErrorSums, *, is_given: bool, is_best: bool, rounding: float = 0.0
) -> ErrorEstimate:
    """Estimate the mean squared error of a result.

    Parameters
    ----------
    sums : ErrorSums
        The sums.
    is_given : bool
        Whether the noise level is known rather than measured.
    is_best : bool
        Whether the model may be taken for a nearly optimal denoiser of this noise.
    rounding : float
        Variance that rounding the result adds.

    Notes
    -----
    Two estimates are combined for each ring of frequencies. Stein's unbiased risk
    estimate, residual - noise + 2 covariance [1]_, needs no assumption on the model,
    but an error of 1 % in the variance of the noise is an error of 1 dB where little
    noise is left. The error of the best denoiser is the covariance alone [2]_, and
    hardly depends on that variance. Each is weighted by its certainty; the second one
    is only used for a model that is nearly the best.

    References
    ----------
    .. [1] Ramani, Blu and Unser, Monte-Carlo SURE: a black-box optimization of
       regularization parameters for general denoising algorithms, 2008,
       :doi:`10.1109/TIP.2008.2001404`.
    .. [2] Manor and Michaeli, On the posterior distribution in denoising: application
       to uncertainty quantification, 2023, arXiv:2309.13598.
    """
    level_error = _GIVEN if is_given else _MEASURED
    excess_error = _EXCESS_ERROR_GIVEN if is_given else _EXCESS_ERROR
    noise = sums.noise
    covariance = sums.response.mean(axis=0)
    scatter = sums.residual * np.sqrt(2.0 / np.maximum(sums.waves, 1.0))
    scatter = scatter + 2.0 * sums.response.std(axis=0) / math.sqrt(N_PROBES - 1)
    unbiased = sums.residual - noise + 2.0 * covariance
    best = EXCESS * np.maximum(covariance, 0.0)
    weight = np.ones(N_RINGS)
    if is_best:
        of_unbiased = np.square(level_error * noise) + np.square(scatter)
        of_best = np.square(excess_error * best)
        weight = of_best / np.maximum(of_unbiased + of_best, np.finfo(float).tiny)
    mse = float((weight * unbiased + (1 - weight) * best).sum()) / sums.n + rounding
    error = (
        _DEVIATIONS
        / sums.n
        * math.sqrt(
            (level_error * (weight * noise).sum()) ** 2
            + (excess_error * ((1 - weight) * best).sum()) ** 2
            + np.square(weight * scatter).sum()
        )
    )
    return ErrorEstimate(mse, mse - error, mse + error)
