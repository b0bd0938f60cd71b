"""Map where a result is least certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .error import EXCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The error is averaged in blocks of this side, in pixels.
BLOCK = 16
# Relative standard errors, in a block, of the variance of the noise and of the error of
# the best denoiser; chosen on Set12 and the first six images of McMaster18.
_LEVEL_ERROR, _BEST_ERROR = 0.06, 0.3
# Blocks count as having at least this fraction of the mean variance.
_LEAST_NOISE = 0.1


@dataclass(slots=True, eq=False)
class Agreement:
    """How well the two estimates of the error of blocks agree.

    Attributes
    ----------
    squares : float
        Sum of the squares of their differences, in standard errors.
    n : int
        Number of blocks.
    """

    squares: float = 0.0
    n: int = 0

    @property
    def mean_square(self) -> float:
        """Mean square of the differences; above 1 they are not explained by chance."""
        return self.squares / self.n if self.n else 0.0


def map_error(
    residual: NDArray[Any],
    covariance: NDArray[Any],
    variance: NDArray[Any],
    counted: NDArray[np.bool_],
    agreement: Agreement,
) -> NDArray[np.float64]:
    """Return the typical error of each pixel, constant in blocks of 16 x 16 pixels.

    The two estimates of `estimate_error` are combined in each block.

    Parameters
    ----------
    residual : numpy.ndarray
        Noisy - denoised, (Y, X, channels).
    covariance : numpy.ndarray
        Covariance of the noise and the result, see `Rerun.probe`; same shape.
    variance : numpy.ndarray
        Variance of the noise, same shape.
    counted : numpy.ndarray
        Which values count, same shape.
    agreement : Agreement
        The differences of the two estimates are added to it.

    Returns
    -------
    numpy.ndarray
        (Y, X), in the units of the image; NaN in blocks where nothing counts.
    """
    squares, best, noise = (
        block_means(each, counted)
        for each in (np.square(residual), covariance, variance)
    )
    best = EXCESS * np.maximum(best, 0.0)
    unbiased = squares - noise + 2.0 / EXCESS * best
    n = BLOCK**2 * residual.shape[-1]
    least = max(_LEAST_NOISE * np.nanmean(noise), np.sqrt(np.finfo(float).tiny))
    of_unbiased = np.square(np.maximum(noise, least)) * (_LEVEL_ERROR**2 + 2.0 / n)
    of_best = np.square(_BEST_ERROR / EXCESS * best)
    of_both = of_unbiased + of_best
    agreement.squares += float(np.nansum(np.square(unbiased - best) / of_both))
    agreement.n += int(np.isfinite(best).sum())
    weight = of_best / of_both
    mse = weight * unbiased + (1.0 - weight) * best
    return spread_blocks(np.sqrt(np.maximum(mse, 0.0)), residual.shape[:2])


def block_means(
    values: NDArray[Any], counted: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the means of blocks of 16 x 16 pixels, (blocks along Y, along X).

    Parameters
    ----------
    values, counted : numpy.ndarray
        Values, and which of them count, (Y, X, channels). Blocks without any are NaN.
    """
    sums, numbers = (
        _block_sums(each.sum(axis=-1))
        for each in (np.where(counted, values, 0.0), counted.astype(np.float64))
    )
    means: NDArray[np.float64] = np.full(sums.shape, np.nan)
    np.divide(sums, numbers, out=means, where=numbers > 0)
    return means


def spread_blocks(
    blocks: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the value of its block for each pixel, (Y, X)."""
    repeated = blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    pixels: NDArray[np.float64] = repeated[: shape[0], : shape[1]]
    return pixels


def _block_sums(image: NDArray[np.float64]) -> NDArray[np.float64]:
    starts = [np.arange(0, length, BLOCK) for length in image.shape]
    sums = np.add.reduceat(image, starts[0], axis=0)
    summed: NDArray[np.float64] = np.add.reduceat(sums, starts[1], axis=1)
    return summed
