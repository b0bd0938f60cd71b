"""The intensities of users' clean images that training sees as 0 and 1."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from ...image.intensity import IntensityRange
from ...image.planes import plane_indices
from ...image.ranges import RangeSearch, group_planes, known_ranges
from ...image.tiling import grid_of
from ...noise.scaling import known_values
from ...noise.windows import HIGH, LOW, read_noise_windows

if TYPE_CHECKING:
    from ...image.intensity import IntensityRanges
    from ...image.planes import Planes

# Rows and columns that are read at once to find the lowest and highest value.
_PART = 1024


def unit_ranges(planes: Planes, *, takes_noise_level: bool) -> IntensityRanges:
    """Return the intensities of clean images that become 0 and 1.

    Parameters
    ----------
    planes : Planes
        The image.
    takes_noise_level : bool
        Whether the network takes a noise level, and so suits any intensities.

    Returns
    -------
    IntensityRanges
        For each channel, 0 to 255 for uint8. Otherwise, for a network that takes a
        noise level, two percentiles of a few windows, as `denoise` uses them; for
        others the lowest and highest value, for which all pixels are read.
    """
    known = known_ranges(planes)
    if known is not None:
        return known
    return _range_of_windows(planes) if takes_noise_level else _whole_range(planes)


def _range_of_windows(planes: Planes) -> IntensityRanges:
    groups = group_planes(planes, "stack")
    found = []
    for windows in read_noise_windows(planes, groups):
        arrays = [np.asarray(window) for window in chain.from_iterable(windows)]
        values = known_values(arrays)
        low, high = np.percentile(values, (LOW, HIGH)) if values.size else (0.0, 1.0)
        found.append(IntensityRange(float(low), float(high)))
    return replace(groups, ranges=tuple(found))


def _whole_range(planes: Planes) -> IntensityRanges:
    search = RangeSearch(planes, "stack")
    height, width, _ = planes.shape[-3:]
    for plane in plane_indices(planes):
        for region in grid_of((height, width), (_PART, _PART)):
            search.add(plane, np.asarray(planes.read(plane, region)))
    return search.result()
