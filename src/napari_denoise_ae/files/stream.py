"""Denoise a file of any size part by part.

Peak memory depends on the size of the parts and tiles, not on that of the image. Parts
are read with a halo, so the result equals that of denoising whole planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.compatibility import find_incompatibilities
from ..denoising.dask_blocks import denoise_part
from ..denoising.frame_series import FrameSeries
from ..denoising.model_ranges import ranges_without_scan
from ..errors import InvalidInputError
from ..image.axes import color_planes
from ..image.casting import copy_as
from ..image.planes import whole_plane
from ..noise.scaling import measure_ranges
from ..noise.windows import read_noise_windows
from .overlap import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..denoising.options import DenoiseOptions
    from ..image.intensity import IntensityRanges
    from ..image.intensity_rule import IntensityRule
    from ..image.tiling import Region
    from ..models.checkpoint import Checkpoint
    from ..noise.setting import NoiseSetting
    from .planes import FilePlanes

    # Index of a plane in the stack, and rows and columns of it.
    Part = tuple[Sequence[int], Region]


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A file that is denoised part by part; can be pickled.

    Parameters
    ----------
    planes : FilePlanes
        The planes to denoise.
    ranges : IntensityRanges
        The scaling of each plane for the network.
    dtype : numpy.dtype
        Data type of the result.
    tile_size : int, optional
        See `denoise`.
    frames : int
        See `denoise`.
    """

    planes: FilePlanes
    ranges: IntensityRanges
    dtype: np.dtype[Any]
    tile_size: int | None = None
    frames: int = 0

    def start(self, denoiser: Denoiser) -> StreamRun:
        """Return a run on a device, which denoises one part after another."""
        return StreamRun(self, denoiser)

    def find_incompatibilities(
        self, checkpoint: Checkpoint, noise: NoiseSetting
    ) -> list[str]:
        """Return messages for the user on why the model or options may not fit.

        Parameters
        ----------
        checkpoint : Checkpoint
            The model.
        noise : NoiseSetting
            The noise to remove.
        """
        windows = read_noise_windows(self.planes, self.ranges)
        n_colors = self.planes.shape[-1]
        return find_incompatibilities(checkpoint, noise, n_colors, self.ranges, windows)


class StreamRun:
    """A run that denoises parts of the planes of a file, best in their order.

    Parameters
    ----------
    stream : Stream
        The file.
    denoiser : Denoiser
        The model on its device.
    """

    def __init__(self, stream: Stream, denoiser: Denoiser) -> None:
        self.stream = stream
        self._denoiser = denoiser
        self._series: FrameSeries | None = None
        planes = stream.planes
        if stream.frames:
            self._series = FrameSeries(
                planes.with_whole_planes(),
                stream.ranges,
                denoiser,
                radius=stream.frames,
                tile_size=stream.tile_size,
                region=planes.region_in_file(whole_plane(planes)),
            )

    def denoise(self, part: Part) -> NDArray[Any]:
        """Denoise a part of a plane.

        Parameters
        ----------
        part : tuple
            Index of the plane in the stack, and rows and columns.

        Returns
        -------
        numpy.ndarray
            The denoised part with axes `Volume.block_axes`.
        """
        if self._series is not None:
            return self._denoise_with_neighbors(self._series, *part)
        return self._denoise_read(part, *self._read(part))

    def denoise_all(self, parts: Iterable[Part]) -> Iterator[NDArray[Any]]:
        """Denoise parts of planes, see `denoise`; meanwhile, the next one is read."""
        if self._series is not None:
            yield from map(self.denoise, parts)
            return
        for part, (block, keep) in read_ahead(parts, self._read):
            yield self._denoise_read(part, block, keep)

    def _read(self, part: Part) -> tuple[NDArray[Any], Region]:
        """Read a part with its halo; return rows and columns without the halo, too."""
        return self.stream.planes.read_around(*part, self._denoiser.network)

    def _denoise_read(
        self, part: Part, block: NDArray[Any], keep: Region
    ) -> NDArray[Any]:
        stream, (plane, _) = self.stream, part
        return denoise_part(
            block,
            self._denoiser,
            axes=stream.planes.volume.block_axes,
            scale=stream.ranges.of(plane),
            region=keep,
            dtype=stream.dtype,
            tile_size=stream.tile_size,
        )

    def _denoise_with_neighbors(
        self, series: FrameSeries, plane: Sequence[int], region: Region
    ) -> NDArray[Any]:
        # With the alpha channel, which is kept.
        planes, dtype = self.stream.planes, self.stream.dtype
        result = copy_as(planes.read_block(plane, region), dtype)
        target = color_planes(result, planes.volume.block_axes)
        in_file = planes.region_in_file(region)
        target[(0,) * len(plane)] = series.denoise(tuple(plane), in_file, dtype)
        return result


def find_file_ranges(
    planes: FilePlanes, checkpoint: Checkpoint, options: DenoiseOptions
) -> IntensityRanges | None:
    """Return the scaling of the planes of a file, unless the file must be scanned.

    Parameters
    ----------
    planes : FilePlanes
        The planes to denoise.
    checkpoint : Checkpoint
        The model.
    options : DenoiseOptions
        The options.

    Returns
    -------
    IntensityRanges or None
        The scaling of each plane for the network; None if it depends on the lowest
        and highest value of the whole file.

    Raises
    ------
    InvalidInputError
        If the regions in which the noise is measured contain nothing but NaN.
    """
    return ranges_without_scan(planes, checkpoint, options, _measure)


def _measure(
    windows: Iterable[list[list[NDArray[Any]]]],
    groups: IntensityRanges,
    how: NoiseSetting | IntensityRule,
) -> IntensityRanges:
    """Measure the windows; raise if they contain nothing but NaN."""
    n_usable = 0

    def count_usable() -> Iterator[list[list[NDArray[Any]]]]:
        nonlocal n_usable
        for group in windows:
            n_usable += sum(not np.isnan(w).all() for plane in group for w in plane)
            yield group

    scaling = measure_ranges(count_usable(), groups, how)
    if n_usable == 0:
        raise InvalidInputError(
            "The regions of the image in which the noise is measured contain nothing "
            "but NaN. Select a region with other values."
        )
    return scaling
