"""Prepare a part of a plane for the network, and restore what it was not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.namespace import extremes_of, namespace_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange
    from ..image.tiling import Region


@dataclass(frozen=True, slots=True, eq=False)
class NetworkInput:
    """A part of a plane as the network sees it, as arrays or as tensors.

    Parameters
    ----------
    unit : numpy.ndarray or torch.Tensor
        Normalized intensities, (Y, X, channels). Unknown and hot pixels are filled
        from their surroundings, and values are clipped to the limits of the scaling.
    excess : numpy.ndarray, torch.Tensor or None
        What was clipped, same shape; None if nothing was.
    unknown, hot : numpy.ndarray, torch.Tensor or None
        Same shape, True for pixels that hold no data, and for hot and dead ones; None
        if there are none.
    """

    unit: Any
    excess: Any | None
    unknown: Any | None
    hot: Any | None

    @property
    def hidden(self) -> Any | None:
        """True for pixels whose own value the network does not see; None if none."""
        if self.unknown is None or self.hot is None:
            return self.hot if self.unknown is None else self.unknown
        return self.unknown | self.hot

    @property
    def filled(self) -> NDArray[np.bool_]:
        """As `hidden`, but always an array; for arrays only."""
        hidden = self.hidden
        return np.zeros(self.unit.shape, dtype=bool) if hidden is None else hidden

    @property
    def counted(self) -> NDArray[np.bool_]:
        """True for pixels that the network sees unchanged; for arrays only."""
        seen = ~self.filled
        return seen if self.excess is None else seen & (self.excess == 0)

    def part(self, region: Region) -> NetworkInput:
        """Return some of the rows and columns."""
        parts = (self.unit, self.excess, self.unknown, self.hot)
        return NetworkInput(*(None if x is None else x[region] for x in parts))

    def restore(self, denoised: Any, scale: IntensityRange) -> tuple[Any, Any | None]:
        """Return the result in the image's units, and which pixels to keep.

        Parameters
        ----------
        denoised : numpy.ndarray or torch.Tensor
            The network's output for `unit`, same shape.
        scale : IntensityRange
            The scaling of the plane.

        Returns
        -------
        values : numpy.ndarray or torch.Tensor
            Intensities, same shape.
        kept : numpy.ndarray, torch.Tensor or None
            Same shape, True for pixels that keep their value; None if none do.
        """
        # Values outside the limits are not shown to the network, but not lost either.
        if self.excess is not None:
            denoised = denoised + self.excess
        kept = self.hidden if scale.keeps_hot_pixels else self.unknown
        return scale.denormalize(denoised), kept


def prepare_input(block: Any, scale: IntensityRange) -> NetworkInput:
    """Normalize a part of a plane for the network.

    Parameters
    ----------
    block : numpy.ndarray or torch.Tensor
        (Y, X, channels), of any real dtype; tensors must be floating-point.
    scale : IntensityRange
        The scaling of the plane.
    """
    xp = namespace_of(block)
    unknown = scale.find_unknown(block)
    unit = scale.normalize(block)
    if unknown is not None:
        unit = xp.where(unknown, np.nan, unit)
    hot = scale.find_hot(unit)
    shown = NetworkInput(unit, None, unknown, hot)
    if (hidden := shown.hidden) is not None:
        unit = scale.fill(unit, hidden)
    low, high = scale.limits
    lowest, highest = extremes_of(unit)
    if low <= lowest and highest <= high:
        return NetworkInput(unit, None, unknown, hot)
    within = unit.clip(low, high)
    return NetworkInput(within, unit - within, unknown, hot)
