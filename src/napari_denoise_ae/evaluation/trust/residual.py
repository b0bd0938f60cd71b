"""Look for structure and for missing noise in the residual, noisy - denoised."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from .rings import N_RINGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Width of the blur in pixels, and what it multiplies white noise by.
_BLUR = 2.0
_OF_WHITE = 1.0 / (2.0 * math.sqrt(math.pi) * _BLUR)
#: Blurred noise hardly ever exceeds this many standard deviations.
FARTHEST = 4.0
# Waves around each wave over which the power of the residual is averaged, and the
# lowest frequency in cycles per pixel; below it, the blur finds structure.
_AROUND, _LOWEST = 7, 0.06
# Smaller windows have too few waves.
_SMALLEST = 64


@dataclass(slots=True, eq=False)
class ResidualSums:
    """Sums over the windows of an image of residuals in units of the noise."""

    n: int = 0
    squares: float = 0.0
    neighbors: float = 0.0
    blurred: float = 0.0
    far: int = 0
    powers: list[NDArray[np.float64]] = field(default_factory=list)

    def add(
        self, residual: NDArray[Any], counted: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Add a window and return its blurred residual.

        Parameters
        ----------
        residual : numpy.ndarray
            Noisy - denoised over the level of the noise, (Y, X, channels), 0 where not
            counted.
        counted : numpy.ndarray
            Which values count, same shape.

        Returns
        -------
        numpy.ndarray
            The residual after a blur of 2 pixels, in standard deviations of blurred
            white noise; same shape.
        """
        self.n += int(counted.sum())
        self.squares += float(np.square(residual).sum())
        along = [residual[1:] * residual[:-1], residual[:, 1:] * residual[:, :-1]]
        self.neighbors += sum(float(each.sum()) for each in along) / 2
        blurred: NDArray[np.float64] = (
            gaussian_filter(residual, (_BLUR, _BLUR, 0)) / _OF_WHITE
        )
        self.blurred += float(np.square(blurred[counted]).sum())
        self.far += int((np.abs(blurred[counted]) > FARTHEST).sum())
        if min(residual.shape[:2]) >= _SMALLEST:
            self.powers.append(_power(residual))
        return blurred

    @property
    def correlation(self) -> float:
        """Correlation of neighboring pixels."""
        return self.neighbors / self.squares if self.squares else math.nan

    @property
    def spread(self) -> float:
        """Standard deviation of the blurred residual; 1 for white noise."""
        return math.sqrt(self.blurred / self.n) if self.n else math.nan

    @property
    def share_far(self) -> float:
        """Fraction of the blurred residual beyond 4 standard deviations."""
        return self.far / self.n if self.n else math.nan

    def pattern(self, kept_noise: NDArray[np.float64]) -> float:
        """Return the power of the strongest wave, relative to that of removed noise.

        Parameters
        ----------
        kept_noise : numpy.ndarray
            Fraction of the noise in each ring that the result follows, (N_RINGS,).

        Returns
        -------
        float
            About 2 to 3 without a pattern; NaN if all windows are small.
        """
        found = [_strongest(power, 1.0 - kept_noise) for power in self.powers]
        return max(found, default=math.nan)


def _power(residual: NDArray[Any]) -> NDArray[np.float64]:
    """Return the power of each wave, averaged over its neighbors, (Y, X)."""
    window = np.outer(*(np.hanning(length) for length in residual.shape[:2]))
    transformed = np.fft.fft2(residual * window[..., np.newaxis], axes=(0, 1))
    power = np.square(np.abs(transformed)).mean(axis=-1) / np.square(window).sum()
    averaged: NDArray[np.float64] = uniform_filter(power, _AROUND, mode="wrap")
    return averaged


def _strongest(power: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    height, width = power.shape
    frequencies = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.fftfreq(width))
    rings = np.minimum((frequencies * 2 * N_RINGS).astype(int), N_RINGS - 1)
    relative = power / np.maximum(expected, 0.05)[rings]
    return float(relative[frequencies >= _LOWEST].max())
