"""How a network from another program normalizes the intensities of an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from .intensity import OpenRange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .intensity import IntensityRanges

#: Intensities go in as they are; their mean is mapped to 0 and their standard
#: deviation to 1; two percentiles are mapped to 0 and 1.
UNCHANGED, MEAN, PERCENTILES = "unchanged", "mean", "percentiles"


@dataclass(frozen=True, slots=True)
class IntensityRule:
    """A normalization that does not clip.

    Parameters
    ----------
    kind : str
        `UNCHANGED`, `MEAN` or `PERCENTILES`.
    low, high : float
        The percentiles, 0 to 100.
    eps : float
        Added to the standard deviation or to the difference of the percentiles.
    """

    kind: str
    low: float = 0.0
    high: float = 100.0
    eps: float = 0.0

    def __str__(self) -> str:
        if self.kind == UNCHANGED:
            return "taken as they are"
        if self.kind == MEAN:
            return "mean mapped to 0, standard deviation to 1"
        return f"percentiles {self.low:g} and {self.high:g} mapped to 0 and 1"

    @property
    def for_measuring(self) -> IntensityRule:
        """The rule, see `NoiseSetting.for_measuring`."""
        return self

    def measure(
        self, windows: Iterable[list[list[NDArray[Any]]]], groups: IntensityRanges
    ) -> IntensityRanges:
        """Return the range of each group of planes.

        Parameters
        ----------
        windows : iterable
            The computed result of `read_noise_windows`.
        groups : IntensityRanges
            The groups of planes that they are from, see `group_planes`.
        """
        found = tuple(self._range_of(list(chain(*planes))) for planes in windows)
        return replace(groups, ranges=found)

    def _range_of(self, windows: list[NDArray[Any]]) -> OpenRange:
        values = np.concatenate([each.ravel() for each in windows]).astype(np.float64)
        values = values[np.isfinite(values)]
        if self.kind == UNCHANGED or not values.size:
            return OpenRange(0.0, 1.0)
        if self.kind == MEAN:
            low, width = values.mean(), values.std()
        else:
            low, high = np.percentile(values, (self.low, self.high))
            width = high - low
        # The range of a constant image stays empty: it is mapped to 0.
        return OpenRange(float(low), float(low + width + self.eps * (width > 0)))
