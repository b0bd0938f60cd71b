"""Check that repeats show the same scene, with independent noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..noise.noise_estimate import NoiseEstimate

# Frames are compared in regions of this side, as means of blocks of this side: what
# moves is larger than a pixel, and means of noise are small.
_REGION, _BLOCK = 16, 4
# Static regions of photon counts reach 1.9. A shift by half a pixel gives 3 to 5 in
# photographs with noise of sigma 10, and 2 with sigma 25.
_MOVING = 2.2
# Frames with independent noise differ by about 1 times the noise.
_SAME = 0.5
# A region with fewer known blocks is skipped, as is a frame with fewer regions.
_FEWEST_BLOCKS, _FEWEST_REGIONS = 8, 4


@dataclass(frozen=True, slots=True)
class FrameDifference:
    """How two frames differ, relative to what their noise explains.

    Parameters
    ----------
    typical : float
        Root mean square over the frame; about 1 for static frames with independent
        noise, 0 for the same frame.
    largest : float
        That in the region where it is largest.
    row, column : int
        First row and column of that region of 16 x 16 pixels.
    """

    typical: float
    largest: float
    row: int
    column: int


def compare_frames(
    first: NDArray[Any], second: NDArray[Any], noise: NoiseEstimate
) -> FrameDifference | None:
    """Compare two frames with the noise of their difference.

    Parameters
    ----------
    first, second : numpy.ndarray
        (Y, X), the same shape, in the image's units; NaN where nothing is known.
    noise : NoiseEstimate
        The noise of both.

    Returns
    -------
    FrameDifference or None
        None if the frames are too small, or noise was not found.
    """
    means = [
        _blocks(np.asarray(frame, np.float64), _BLOCK) for frame in (first, second)
    ]
    difference = means[0].mean(axis=(1, 3)) - means[1].mean(axis=(1, 3))
    clean = (means[0].mean(axis=(1, 3)) + means[1].mean(axis=(1, 3))) / 2.0
    expected = 2.0 * noise.variance(clean) * _variance_of_mean(noise)
    known = np.isfinite(difference) & (expected > 0)
    squares, variances = (
        _blocks(np.where(known, each, 0.0), _REGION // _BLOCK).sum(axis=(1, 3))
        for each in (np.square(difference), expected)
    )
    count = _blocks(known, _REGION // _BLOCK).sum(axis=(1, 3))
    usable = count >= _FEWEST_BLOCKS
    if np.count_nonzero(usable) < _FEWEST_REGIONS:
        return None
    ratios = np.sqrt(squares / np.where(usable, variances, np.inf))
    row, column = np.unravel_index(int(ratios.argmax()), ratios.shape)
    typical = math.sqrt(squares[usable].sum() / variances[usable].sum())
    largest = float(ratios[row, column])
    return FrameDifference(typical, largest, int(row) * _REGION, int(column) * _REGION)


def require_static(
    first: NDArray[Any],
    second: NDArray[Any],
    noise: NoiseEstimate,
    names: Sequence[str],
) -> None:
    """Raise unless two frames show the same scene with independent noise.

    Parameters
    ----------
    first, second, noise
        See `compare_frames`.
    names : sequence of str
        What an error calls the two frames.

    Raises
    ------
    DatasetError
        If they are the same frame, or something moves or changes its brightness.
    """
    one, other = names
    if np.array_equal(first, second, equal_nan=first.dtype.kind == "f"):
        raise DatasetError(same_image_message(one, other))
    found = compare_frames(first, second, noise)
    if found is None:
        return
    if found.typical < _SAME:
        raise DatasetError(
            f"{one} and {other} differ by only {found.typical:.2f} times their noise: "
            "they share it. Repeats must be separate exposures that were not averaged "
            "or filtered together."
        )
    if found.largest > _MOVING:
        raise DatasetError(
            f"{one} and {other} differ by {found.largest:.1f} times the noise at rows "
            f"{found.row} to {found.row + _REGION}, columns {found.column} to "
            f"{found.column + _REGION}: something moves or changes its brightness. "
            "Repeats must show the same scene. Adapt a model to the images instead."
        )


def same_image_message(one: str, other: str) -> str:
    """Return the message for two repeats that are the same image."""
    return (
        f"{one} and {other} are the same image. Repeats must be separate exposures, so "
        "that their noise differs."
    )


def _variance_of_mean(noise: NoiseEstimate) -> float:
    """Return the variance of the mean of a block, relative to that of a pixel."""
    factor = 1.0
    for correlation in noise.correlation:
        # The correlation at a distance of k pixels is the k²-th power of that of
        # neighbors.
        distances = np.abs(np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK)))
        factor *= float(np.power(correlation, np.square(distances)).mean())
    return factor


def _blocks(image: NDArray[Any], side: int) -> NDArray[Any]:
    """View an image, without what is left over, as (rows, side, columns, side)."""
    rows, columns = (length // side for length in image.shape)
    whole = image[: rows * side, : columns * side]
    return whole.reshape(rows, side, columns, side)
