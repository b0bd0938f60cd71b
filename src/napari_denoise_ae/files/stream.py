"""Denoise an image of any size, part by part, from one file into another.

Peak memory depends on the part and the tile, not on the image. Parts are read with a
halo, so that the result is that of the whole planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.compatibility import find_incompatibilities
from ..denoising.dask_blocks import denoise_part
from ..denoising.model_ranges import ranges_without_scan
from ..errors import InvalidInputError
from ..noise.normalization import measure_scaling
from ..noise.windows import read_noise_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..denoising.options import DenoiseOptions
    from ..image.intensity import IntensityRanges
    from ..image.tiling import Region
    from ..models.checkpoint import Checkpoint
    from ..noise.setting import NoiseSetting
    from .planes import FilePlanes


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A file that is denoised part by part; can be sent to another process.

    Parameters
    ----------
    planes : FilePlanes
        What is denoised.
    ranges : IntensityRanges
        How the model sees the planes.
    tile_size : int, optional
        See `denoise`.
    """

    planes: FilePlanes
    ranges: IntensityRanges
    tile_size: int | None = None

    def denoise(
        self, plane: Sequence[int], region: Region, denoiser: Denoiser
    ) -> NDArray[Any]:
        """Denoise rows and columns of a plane.

        Returns
        -------
        numpy.ndarray
            With the axes `Volume.block_axes`.
        """
        block, wanted = self.planes.read_around(plane, region, denoiser.network)
        return denoise_part(
            block,
            denoiser,
            axes=self.planes.volume.block_axes,
            scale=self.ranges.of(plane),
            region=wanted,
            tile_size=self.tile_size,
        )

    def find_incompatibilities(
        self, checkpoint: Checkpoint, noise: NoiseSetting
    ) -> list[str]:
        """Say, in words for a user, why a model or a setting may not fit."""
        windows = read_noise_windows(self.planes, self.ranges)
        n_colors = self.planes.shape[-1]
        return find_incompatibilities(checkpoint, noise, n_colors, self.ranges, windows)


def find_file_ranges(
    planes: FilePlanes, checkpoint: Checkpoint, options: DenoiseOptions
) -> IntensityRanges | None:
    """Return how a model sees a file; None if all of it must be read for that."""
    return ranges_without_scan(planes, checkpoint, options, _measure_known)


def _measure_known(
    windows: Iterable[list[list[NDArray[Any]]]],
    groups: IntensityRanges,
    noise: NoiseSetting,
) -> IntensityRanges:
    """Measure the noise, and raise if there is nothing to measure it in."""
    n_known = 0

    def counted() -> Iterator[list[list[NDArray[Any]]]]:
        nonlocal n_known
        for group in windows:
            n_known += sum(not np.isnan(w).all() for plane in group for w in plane)
            yield group

    scaling = measure_scaling(counted(), groups, noise)
    if n_known == 0:
        raise InvalidInputError(
            "The parts of the image in which its noise is measured have nothing but "
            "NaN. Select a part of it that has values."
        )
    return scaling
