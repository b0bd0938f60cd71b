"""Denoise an array in memory, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DeviceError, one_line
from ..image.axes import color_planes, resolve_axes, stack_axes
from ..image.casting import copy_as
from ..image.checks import require_image
from ..image.planes import ArrayPlanes
from ..noise.windows import read_noise_windows
from .compatibility import find_incompatibilities, require_compatible
from .frame_series import FrameSeries
from .model_ranges import find_model_ranges
from .noise_checks import check_result
from .options import DenoiseOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange, IntensityRanges
    from ..image.tiling import Region
    from .denoiser import Denoiser
    from .halo import Tile

    Plane = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run.

    Parameters
    ----------
    done : int
        Number of finished tiles.
    total : int
        Number of tiles.
    """

    done: int
    total: int


class Denoising:
    """A denoising run on an array in memory.

    Each step of an iteration denoises one tile into `result`; on a GPU, that of many
    small planes at once. So a run that is
    stopped early keeps its finished tiles.

    Parameters
    ----------
    image : numpy.ndarray
        See `denoise`. Never modified.
    denoiser : Denoiser
        The model on its device.
    options : DenoiseOptions, optional
        See `denoise`. `device` and `precision` are ignored: the denoiser has them.
    region : tuple of slice, optional
        Rows and columns to denoise; the result there equals that of the whole
        plane. None means all.
    planes : tuple of slice, optional
        The planes to denoise, by their indices along each axis of the stack; the others
        only serve as neighboring frames. None means all.
    ranges : IntensityRanges, optional
        The scaling of each plane for the network. None determines it from the image
        and the options, see `find_model_ranges`.

    Attributes
    ----------
    result : numpy.ndarray
        Shape of `image`, or of its chosen planes, in its dtype or that of the options.
        Pixels of unfinished tiles are those of `image`.
    axes : str
        Axes of the image, given or inferred.
    intensity_ranges : IntensityRanges
        The scaling of each plane for the network, see `find_model_ranges`.
    planes_done : int
        Number of finished planes.

    Raises
    ------
    InvalidInputError
        If the image, its axes or the options cannot be used.
    DeviceError
        If there is too little memory for the result.
    """

    def __init__(
        self,
        image: NDArray[Any],
        denoiser: Denoiser,
        options: DenoiseOptions | None = None,
        *,
        region: Region | None = None,
        planes: tuple[slice, ...] | None = None,
        ranges: IntensityRanges | None = None,
    ) -> None:
        options = options or DenoiseOptions()
        require_image(image)
        self.axes = resolve_axes(image.shape, options.axes)
        self._source = ArrayPlanes.of(image, self.axes)
        stack = stack_axes(self.axes)
        self._chosen = planes or (slice(None),) * len(stack)
        cuts = dict(zip(stack, self._chosen, strict=True))
        kept = image[tuple(cuts.get(letter, slice(None)) for letter in self.axes)]
        self.result = _copied(kept, options.result_dtype(image.dtype))
        self._target = color_planes(self.result, self.axes)
        self._denoiser, self._noise = denoiser, options.noise
        checkpoint = denoiser.checkpoint
        require_compatible(checkpoint, self._source.shape[-1], options)
        self.intensity_ranges = ranges or find_model_ranges(
            self._source, checkpoint, options
        )
        self._tiles = denoiser.plan_tiles(
            self._source.shape[-3:-1], tile_size=options.tile_size, region=region
        )
        self._series: FrameSeries | None = None
        if options.frames:
            self._series = FrameSeries(
                self._source,
                self.intensity_ranges,
                denoiser,
                radius=options.frames,
                tile_size=options.tile_size,
                region=region,
            )
        self.planes_done = 0

    def __iter__(self) -> Iterator[Progress]:
        planes = list(np.ndindex(*self._target.shape[:-3]))
        total = len(planes) * len(self._tiles)
        done = 0
        for batch in self._batches(planes):
            for tile in self._tiles:
                self._denoise_tile(batch, tile)
                done += len(batch)
                self.planes_done = done // len(self._tiles)
                yield Progress(done, total)

    def _batches(self, planes: list[Plane]) -> Iterator[list[Plane]]:
        """Group small planes that share a range, if the device takes many at once."""
        size = 1
        if len(self._tiles) == 1 and self._series is None:
            size = self._denoiser.n_at_once(self._target.shape[-3:-1])
        scales = self.intensity_ranges
        for _, same in groupby(planes, lambda each: scales.of(self._in_source(each))):
            members = list(same)
            for start in range(0, len(members), size):
                yield members[start : start + size]

    def _in_source(self, plane: Plane) -> Plane:
        """Return the index in the image of a plane of the result."""
        return tuple(
            (cut.start or 0) + index
            for cut, index in zip(self._chosen, plane, strict=True)
        )

    def _denoise_tile(self, batch: list[Plane], tile: Tile) -> None:
        planes = [self._in_source(plane) for plane in batch]
        targets = [self._target[plane] for plane in batch]
        if self._series is not None:
            dtype = self._target.dtype
            targets[0][tile.write] = self._series.denoise(planes[0], tile.write, dtype)
            return
        self._denoiser.denoise_tile(
            [self._source.pixels[plane] for plane in planes],
            targets,
            tile,
            self.intensity_ranges.of(planes[0]),
        )

    @property
    def intensity_range(self) -> IntensityRange:
        """The smallest range that contains the intensity ranges of all planes."""
        return self.intensity_ranges.hull

    def find_remaining_noise(self) -> list[str]:
        """Return a text if there is about as much noise as before."""
        axes = self._source.axes
        source = ArrayPlanes(self._source.pixels[self._chosen], axes)
        result = ArrayPlanes(self._target, axes)
        return check_result(self._noise, self.intensity_ranges, source, result)

    def find_incompatibilities(self) -> list[str]:
        """Return messages for the user on why the model or options may not fit."""
        return find_incompatibilities(
            self._denoiser.checkpoint,
            self._noise,
            self._source.shape[-1],
            self.intensity_ranges,
            read_noise_windows(self._source, self.intensity_ranges),
        )


def _copied(image: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a copy of an image, see `copy_as`; raise if it does not fit in memory."""
    try:
        return copy_as(image, dtype)
    except MemoryError as error:
        raise DeviceError(
            f"The result does not fit into the main memory: {one_line(error)}. Denoise "
            "a dask or Zarr array instead, or the file from the command line."
        ) from error
