"""Scan a file for the intensity range of each group of planes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..denoising.array import Progress
from ..image.planes import plane_indices
from ..image.ranges import RangeSearch
from ..image.tiling import grid_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..image.intensity import IntensityRanges
    from .planes import FilePlanes


class RangeScan:
    """A search for the lowest and highest values of a file.

    Iterate over it to read the file part by part; `result` then holds the ranges.

    Parameters
    ----------
    planes : FilePlanes
        The planes to scan.
    range_of : str
        See `denoise`.

    Raises
    ------
    InvalidInputError
        While iterating, if the file contains infinite values or nothing but NaN.
    """

    def __init__(self, planes: FilePlanes, *, range_of: str = "stack") -> None:
        self._planes, self._range_of = planes, range_of
        self._result: IntensityRanges | None = None

    @property
    def result(self) -> IntensityRanges:
        """The intensity ranges, once the scan is finished."""
        if self._result is None:
            raise RuntimeError("the scan is not finished")
        return self._result

    def __iter__(self) -> Iterator[Progress]:
        planes, search = self._planes, RangeSearch(self._planes, self._range_of)
        *stack, height, width, _ = planes.shape
        parts = list(grid_of((height, width), planes.choose_sides(stride=1)))
        total, done = math.prod(stack) * len(parts), 0
        for plane in plane_indices(planes):
            for part in parts:
                search.add(plane, planes.read(plane, part))
                done += 1
                yield Progress(done, total)
        self._result = search.result()
