"""Scan a file for the intensity range or the noise of each group of planes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..denoising.array import Progress
from ..errors import InvalidInputError
from ..image.checks import require_finite
from ..image.intensity import IntensityRange, IntensityRanges
from ..image.ranges import known_ranges, stack_grouping
from ..image.tiling import grid_of
from .stream import Outline, Stream, block_sides, selected_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..image.intensity import GivenRange
    from ..io.source import Volume


class RangeScan:
    """The lowest and highest values of what is too large to be held in memory.

    Iterate over it to read the image once; `ranges` holds the result.

    Parameters
    ----------
    volume : Volume
        The image.
    selection : mapping
        Which part of it, from `select`.
    given, range_of
        `intensity_range` and `range_of` of `denoise`. If they tell the ranges,
        nothing is read.

    Raises
    ------
    InvalidInputError
        If a setting cannot be used; while it is read, if there are infinite
        values or nothing but NaN.
    """

    def __init__(
        self,
        volume: Volume,
        selection: Mapping[str, tuple[int, int]],
        given: GivenRange | None = None,
        range_of: str = "stack",
    ) -> None:
        self._volume, self._selection = volume, selection
        self._shape = selected_shape(volume.stack_axes + "YX", selection)
        like = Outline((*self._shape, 1), volume.dtype)
        self.ranges = known_ranges(like, volume.axes, given, range_of=range_of)
        self._axes, self._groups = stack_grouping(like, volume.axes, range_of)

    @property
    def result(self) -> IntensityRanges:
        """The ranges, once they are known."""
        if self.ranges is None:
            raise RuntimeError("the scan is not finished")
        return self.ranges

    def __iter__(self) -> Iterator[Progress]:
        if self.ranges is not None:
            return
        n_groups = math.prod(self._groups)
        lows, highs = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
        empty = IntensityRange(0.0, 0.0)
        numbering = IntensityRanges(self._axes, self._groups, (empty,) * n_groups)
        stream = Stream(
            path=self._volume.path,
            axes=self._volume.axes,
            selection=self._selection,
            ranges=numbering,
        )
        sides = block_sides(self._volume, self._selection, stride=1)
        *stack, height, width = self._shape
        parts = list(grid_of((height, width), sides))
        total, done = math.prod(stack) * len(parts), 0
        for plane in np.ndindex(*stack):
            number = numbering.number_of(plane)
            for part in parts:
                block = stream.read_colors(plane, part)
                require_finite(block)
                # Those of NaN and a number are the number.
                lows[number] = np.fmin(lows[number], np.fmin.reduce(block, axis=None))
                highs[number] = np.fmax(highs[number], np.fmax.reduce(block, axis=None))
                done += 1
                yield Progress(done, total)
        if np.isnan(lows).all():
            raise InvalidInputError("The image has nothing but NaN.")
        found = zip(np.nan_to_num(lows), np.nan_to_num(highs), strict=True)
        self.ranges = IntensityRanges(
            self._axes,
            self._groups,
            tuple(IntensityRange(float(low), float(high)) for low, high in found),
        )
