"""The cosine transform of small patches, which separates noise from structure.

Low frequencies show which patches have little structure; in those, high frequencies are
almost pure noise.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Side of the square patches in which noise is measured, in pixels.
PATCH_SIDE = 8
# Highest sum of the two frequencies (at most 14) that counts as low.
_HIGHEST_LOW = 6


def low_frequency_energy(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the energy of structure in each patch.

    Parameters
    ----------
    patches : numpy.ndarray
        (N, 64).

    Returns
    -------
    numpy.ndarray
        (N,), energy of the low frequencies without the mean, in squared units of the
        image.
    """
    low, _ = low_and_high()
    energy: NDArray[np.float64] = np.square(patches @ low.T).sum(axis=1)
    return energy


def high_frequency_variances(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean square of each high frequency over the patches.

    Parameters
    ----------
    patches : numpy.ndarray
        (N, 64).

    Returns
    -------
    numpy.ndarray
        (frequencies,); each estimates the variance of white noise if the patches
        have no structure.
    """
    _, high = low_and_high()
    squares = np.square(patches @ high.T)
    variances: NDArray[np.float64] = squares.mean(axis=0)
    return variances


def smoothest(
    energies: NDArray[np.float64], fraction: float, fewest: int
) -> NDArray[np.intp]:
    """Return the indices of the lowest `fraction` of the energies, (N,).

    At least `fewest` are returned, or all if there are fewer.
    """
    count = min(len(energies), max(fewest, math.ceil(fraction * len(energies))))
    indices: NDArray[np.intp] = np.argsort(energies, kind="stable")[:count]
    return indices


@cache
def cosine_basis() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the cosine transform of patches and the frequency of each row.

    Returns
    -------
    basis : numpy.ndarray
        (64, 64), orthonormal.
    frequency : numpy.ndarray
        (64,), the sum of the two frequencies, 0 to 14.
    """
    from scipy.fft import dct

    along = dct(np.eye(PATCH_SIDE), axis=0, norm="ortho")
    basis = np.kron(along, along).astype(np.float64, copy=False)
    frequency = np.add.outer(np.arange(PATCH_SIDE), np.arange(PATCH_SIDE)).ravel()
    return basis, frequency


@cache
def low_and_high() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the low frequencies without the mean, and the high ones, (rows, 64)."""
    basis, frequency = cosine_basis()
    low = (frequency > 0) & (frequency <= _HIGHEST_LOW)
    return basis[low], basis[frequency > _HIGHEST_LOW]
