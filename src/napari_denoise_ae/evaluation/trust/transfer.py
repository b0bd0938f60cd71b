"""Measure which spatial frequencies of the signal a result keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...noise.draw import SHARE
from .report import TransferCurve
from .rings import FREQUENCIES, N_RINGS, ring_sizes, ring_sums, spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Number of draws, see `Transfer.add`.
N_DRAWS = 3
# The signal of a ring must be this many standard errors above 0, and exceed this
# fraction of the noise, which is not known better.
_SIGNIFICANT, _LEAST_SIGNAL = 1.0, 0.01
# Transfer at the cut-off.
_HALF = 0.5


@dataclass(slots=True, eq=False)
class Transfer:
    """Sums over the windows and draws, by ring of spatial frequency.

    Notes
    -----
    A noisy image y is split into y + z and y - z / a, where z is random with a times
    the variance of the noise, so that the noise of both parts is independent [1]_. The
    first part is denoised. The product of its spectrum and that of the second part then
    gives the signal that is kept, without noise; the product of both parts the signal.

    References
    ----------
    .. [1] Oliveira, Lei and Tibshirani, Unbiased risk estimation in the normal means
       problem via coupled bootstrap techniques, 2021, arXiv:2111.09447.
    """

    kept: NDArray[np.float64] = field(default_factory=lambda: np.zeros(N_RINGS))
    signal: NDArray[np.float64] = field(default_factory=lambda: np.zeros(N_RINGS))
    scatter: NDArray[np.float64] = field(default_factory=lambda: np.zeros(N_RINGS))
    noise: NDArray[np.float64] = field(default_factory=lambda: np.zeros(N_RINGS))

    def add(
        self,
        noisy: NDArray[Any],
        added: NDArray[Any],
        denoised: NDArray[Any],
        variance: float,
    ) -> None:
        """Add a draw of a window.

        Parameters
        ----------
        noisy : numpy.ndarray
            The window, (Y, X, channels).
        added : numpy.ndarray
            What splits it, see `draw_split`.
        denoised : numpy.ndarray
            The result for ``noisy + added``.
        variance : float
            Mean variance of the noise of the window.
        """
        shape, window = noisy.shape, taper(noisy.shape)
        middle = denoised.mean(axis=(0, 1))
        first, second, result = (
            spectrum((image - middle) * window)
            for image in (noisy + added, noisy - added / SHARE, denoised)
        )
        self.kept += ring_sums(result, second, shape)
        self.signal += ring_sums(first, second, shape)
        powers = [ring_sums(each, each, shape) for each in (first, second)]
        sizes = ring_sizes(shape)
        self.scatter += powers[0] * powers[1] / np.maximum(sizes, 1.0)
        self.noise += variance * sizes * float(np.square(window).mean())

    def curve(self) -> TransferCurve:
        """Return the transfer, up to the frequency where no signal is found."""
        # The draws of a window share its noise.
        error = np.sqrt(self.scatter * N_DRAWS)
        is_found = self.signal > _SIGNIFICANT * error + _LEAST_SIGNAL * self.noise
        end = N_RINGS if is_found.all() else int(np.argmin(is_found))
        transfer = self.kept[:end] / self.signal[:end]
        return TransferCurve(FREQUENCIES[:end], transfer)


def cutoff(curve: TransferCurve) -> float:
    """Return the frequency at which half of the signal is kept, in cycles per pixel.

    NaN if more is kept as far as the curve reaches.
    """
    below = np.flatnonzero(curve.transfer < _HALF)
    if not below.size:
        return math.nan
    after = int(below[0])
    if after == 0:
        return float(curve.frequencies[0])
    pair = slice(after - 1, after + 1)
    falling = curve.transfer[pair][::-1], curve.frequencies[pair][::-1]
    return float(np.interp(_HALF, *falling))


def taper(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return a Hann window without zeros, (Y, X, 1)."""
    rows, columns = (np.hanning(length + 2)[1:-1] for length in shape[:2])
    return np.outer(rows, columns)[..., np.newaxis]
