"""Sums of spectra over rings of equal spatial frequency."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Number of rings between frequency 0 and 0.5 cycles per pixel. The last one also holds
#: the corners of the spectrum.
N_RINGS = 16
#: Frequencies at the middle of the rings, in cycles per pixel.
FREQUENCIES = (np.arange(N_RINGS) + 0.5) / N_RINGS * 0.5


def spectrum(image: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the Fourier transform of the real channels of an image, (Y, X, C)."""
    transformed: NDArray[np.complex128] = np.fft.rfft2(image, axes=(0, 1))
    return transformed


def ring_sums(
    one: NDArray[Any], other: NDArray[Any], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return how much each ring adds to the sum of the product of two images.

    Parameters
    ----------
    one, other : numpy.ndarray
        The `spectrum` of each image.
    shape : tuple of int
        Their shape, (Y, X, C).

    Returns
    -------
    numpy.ndarray
        (N_RINGS,); the total is the sum over all pixels and channels.
    """
    rings, weights = _rings(shape[0], shape[1])
    products = (one.conj() * other).real.sum(axis=-1) * weights
    sums = np.bincount(rings, weights=products.ravel(), minlength=N_RINGS)
    scaled: NDArray[np.float64] = sums / (shape[0] * shape[1])
    return scaled


def ring_sizes(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the number of waves in each ring, over all channels, (N_RINGS,)."""
    rings, weights = _rings(shape[0], shape[1])
    sizes = np.bincount(rings, weights=weights.ravel(), minlength=N_RINGS)
    scaled: NDArray[np.float64] = sizes.astype(np.float64) * shape[2]
    return scaled


@lru_cache(maxsize=8)
def _rings(height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the ring of each wave, flat, and how often it counts, (Y, X // 2 + 1)."""
    columns = np.fft.rfftfreq(width)
    frequencies = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], columns)
    rings = np.minimum((frequencies * 2 * N_RINGS).astype(np.intp), N_RINGS - 1)
    # Half of the spectrum is stored, except for the waves that are their own mirror.
    weights = np.full(frequencies.shape, 2.0)
    weights[:, 0] = 1.0
    if width % 2 == 0:
        weights[:, -1] = 1.0
    return rings.ravel(), weights
