"""Prepare a part of a plane for the network, and restore what it was not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.casting import cast_saturating

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange
    from .halo import Tile


@dataclass(frozen=True, slots=True, eq=False)
class NetworkInput:
    """A part of a plane as the network sees it.

    Parameters
    ----------
    unit : numpy.ndarray
        Normalized intensities, (Y, X, channels). Unknown and hot pixels are filled
        from their surroundings, and values are clipped to the limits of the scaling.
    excess : numpy.ndarray
        What was clipped, same shape.
    unknown, hot : numpy.ndarray
        Same shape, True for pixels that hold no data, and for hot and dead ones.
    """

    unit: NDArray[np.float64]
    excess: NDArray[np.float64]
    unknown: NDArray[np.bool_]
    hot: NDArray[np.bool_]

    @property
    def filled(self) -> NDArray[np.bool_]:
        """True for pixels whose own value the network does not see."""
        return self.unknown | self.hot

    def restore(
        self, denoised: NDArray[np.float64], scale: IntensityRange
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the result in the image's units, and which pixels to keep.

        Parameters
        ----------
        denoised : numpy.ndarray
            The network's output for `unit`, same shape.
        scale : IntensityRange
            The scaling of the plane.
        """
        # Values outside the limits are not shown to the network, but not lost either.
        values = scale.denormalize(denoised + self.excess)
        return values, self.filled if scale.keeps_hot_pixels else self.unknown


def prepare_input(block: NDArray[Any], scale: IntensityRange) -> NetworkInput:
    """Normalize a part of a plane, (Y, X, channels), for the network."""
    unknown = scale.find_unknown(block)
    unit = scale.normalize(block)
    hot = scale.find_hot(np.where(unknown, np.nan, unit) if unknown.any() else unit)
    unit = scale.fill(unit, unknown | hot)
    within = np.clip(unit, *scale.limits)
    return NetworkInput(within, unit - within, unknown, hot)


def merge_kept(
    block: NDArray[Any],
    values: NDArray[np.float64],
    kept: NDArray[np.bool_],
    tile: Tile,
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    """Return a denoised tile without its halo, in the dtype of the result.

    Parameters
    ----------
    block : numpy.ndarray
        The pixels read, (Y, X, channels).
    values : numpy.ndarray
        The denoised intensities, same shape.
    kept : numpy.ndarray
        Same shape, True for pixels that keep their value in `block`.
    tile : Tile
        Which part was read.
    dtype : numpy.dtype
        Data type of the result.
    """
    result = cast_saturating(values[tile.keep], dtype)
    unchanged = block[tile.keep].astype(dtype, copy=False)
    np.copyto(result, unchanged, where=kept[tile.keep])
    return result
