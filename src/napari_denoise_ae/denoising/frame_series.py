"""Denoise frames with the help of their neighbors, reading from an array or a file.

The results of the first two passes are computed tile by tile when they are needed, and
kept while they are: over a whole series, the network sees each frame three times.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.checks import require_finite
from ..image.planes import whole_plane
from ..image.tiling import region_shape, relative_region, round_up, shared_region
from .frames import (
    Neighborhood,
    find_frames_halo,
    first_pass,
    frame_axis,
    neighbors,
    second_pass,
    third_pass,
)
from .halo import read_around
from .pixels import merge_kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRanges
    from ..image.planes import Planes
    from ..image.tiling import Region
    from .denoiser import Denoiser
    from .frames import Guide
    from .halo import Tile

    Plane = tuple[int, ...]

# First passes are kept up to this size, in bytes. If it is too small for a frame and
# its neighbors, they are computed again.
_MOST_KEPT = 2**30


class FrameSeries:
    """The planes of a stack, each denoised with the help of its neighbors.

    Parameters
    ----------
    planes : Planes
        The stack, not lazy, with an axis T or Z.
    ranges : IntensityRanges
        The noise scaling of each plane.
    denoiser : Denoiser
        The model on its device.
    radius : int
        Number of neighbors on each side.
    tile_size : int, optional
        See `denoise`.
    region : tuple of slice, optional
        Rows and columns to which tiles are limited; saves time. None means all.

    Raises
    ------
    InvalidInputError
        If there is neither an axis T nor Z.
    """

    def __init__(
        self,
        planes: Planes,
        ranges: IntensityRanges,
        denoiser: Denoiser,
        *,
        radius: int,
        tile_size: int | None = None,
        region: Region | None = None,
    ) -> None:
        self._planes, self._ranges, self._denoiser = planes, ranges, denoiser
        self._axis = planes.axes.index(frame_axis(planes.axes))
        self._radius = radius
        self._size = size = round_up(
            tile_size or denoiser.tile_size, denoiser.network.stride
        )
        area = self._with_halo(region or whole_plane(planes))
        self._second = _Pass(denoiser, planes, area, size, self._compute_second)
        area = self._with_halo(area)
        self._first = _Pass(denoiser, planes, area, size, self._compute_first)

    def denoise(
        self, plane: Plane, region: Region, dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        """Denoise a part of a plane.

        Parameters
        ----------
        plane : tuple of int
            Index of the plane in the stack.
        region : tuple of slice
            Rows and columns of the part.
        dtype : numpy.dtype
            Data type of the result.

        Returns
        -------
        numpy.ndarray
            The denoised part, (Y, X, channels).

        Raises
        ------
        InvalidInputError
            If the pixels contain infinite values.
        DeviceError
            If even the CPU runs out of memory on the smallest tile.
        """
        self._forget_distant(plane)

        def compute(part: Tile) -> NDArray[Any]:
            near = self._neighborhood(plane, part.read)
            guide = self._second.read(plane, part.read)
            values, kept = third_pass(near, guide, self._denoiser, part.keep)
            return merge_kept(near.block[part.keep], values, kept, dtype)

        return self._denoiser.compute_region(
            self._planes.shape[-3:],
            region,
            compute,
            dtype=dtype,
            halo=find_frames_halo(self._denoiser.network),
            tile_size=self._size,
        )

    def _compute_first(self, plane: Plane, part: Tile) -> Guide:
        block = self._planes.read(plane, part.read)
        require_finite(block)
        guide = first_pass(block, self._ranges.of(plane), self._denoiser)
        return guide[part.keep]

    def _compute_second(self, plane: Plane, part: Tile) -> Guide:
        near = self._neighborhood(plane, part.read)
        return second_pass(near, self._denoiser)[part.keep]

    def _neighborhood(self, plane: Plane, region: Region) -> Neighborhood:
        """Return a part of a plane and of its neighbors, after the first pass."""
        planes = [self._moved(plane, index) for index in self._near(plane)]
        return Neighborhood(
            blocks=[self._planes.read(each, region) for each in planes],
            guides=[self._first.read(each, region) for each in planes],
            scales=[self._ranges.of(each) for each in planes],
            center=planes.index(plane),
        )

    def _near(self, plane: Plane) -> range:
        length = self._planes.shape[self._axis]
        return neighbors(plane[self._axis], length, self._radius)

    def _moved(self, plane: Plane, index: int) -> Plane:
        return (*plane[: self._axis], index, *plane[self._axis + 1 :])

    def _forget_distant(self, plane: Plane) -> None:
        """Drop results that no later plane needs, if planes come in their order."""
        first = self._near(plane).start
        self._first.keep(
            lambda each: (
                each[self._axis] >= first
                or self._moved(each, 0) != self._moved(plane, 0)
            )
        )
        self._second.keep(lambda each: each == plane)

    def _with_halo(self, region: Region) -> Region:
        network = self._denoiser.network
        rows, columns = (
            read_around(
                (part.start, part.stop),
                length,
                halo=find_frames_halo(network),
                stride=network.stride,
            )[0]
            for part, length in zip(region, self._planes.shape[-3:-1], strict=True)
        )
        return rows, columns


class _Pass:
    """The results of a pass, computed in tiles of a fixed grid when they are read.

    Parameters
    ----------
    denoiser : Denoiser
        The model on its device.
    planes : Planes
        The stack.
    area : tuple of slice
        Rows and columns to which the tiles are limited.
    size : int
        Rows and columns of a tile, a multiple of the network's stride.
    compute : callable
        Returns the result of the pass for a part of a plane, without its halo.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        planes: Planes,
        area: Region,
        size: int,
        compute: Callable[[Plane, Tile], Guide],
    ) -> None:
        self._denoiser, self._compute = denoiser, compute
        self._shape = planes.shape[-3:]
        self._area, self._size = area, size
        # By plane, first row and first column; the latest last.
        self._done: OrderedDict[tuple[Plane, int, int], Guide] = OrderedDict()
        self._n_bytes = 0

    def read(self, plane: Plane, region: Region) -> Guide:
        """Return the result for a part of a plane, which lies within the area."""
        result = np.empty((*region_shape(region), self._shape[-1]), np.float32)
        rows, columns = (
            range(part.start // self._size * self._size, part.stop, self._size)
            for part in region
        )
        for y, x in product(rows, columns):
            cell = slice(y, y + self._size), slice(x, x + self._size)
            tile = shared_region(cell, self._area)
            shared = shared_region(tile, region)
            pixels = self._tile(plane, tile)[relative_region(shared, tile)]
            result[relative_region(shared, region)] = pixels
        return result

    def keep(self, is_needed: Callable[[Plane], bool]) -> None:
        """Drop the results of all planes but those that are needed."""
        for key in [key for key in self._done if not is_needed(key[0])]:
            self._n_bytes -= self._done.pop(key).nbytes

    def _tile(self, plane: Plane, region: Region) -> Guide:
        key = plane, region[0].start, region[1].start
        if key not in self._done:
            self._done[key] = self._denoiser.compute_region(
                self._shape,
                region,
                partial(self._compute, plane),
                dtype=np.float32,
                halo=find_frames_halo(self._denoiser.network),
                tile_size=self._size,
            )
            self._n_bytes += self._done[key].nbytes
        self._done.move_to_end(key)
        found = self._done[key]
        while self._n_bytes > _MOST_KEPT:
            self._n_bytes -= self._done.popitem(last=False)[1].nbytes
        return found
