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
    """

    planes: FilePlanes
    ranges: IntensityRanges
    dtype: np.dtype[Any]
    tile_size: int | None = None

    def denoise(
        self, plane: Sequence[int], region: Region, denoiser: Denoiser
    ) -> NDArray[Any]:
        """Denoise a part of a plane.

        Parameters
        ----------
        plane : sequence of int
            Index of the plane in the stack.
        region : tuple of slice
            Rows and columns of the part.
        denoiser : Denoiser
            The model on its device.

        Returns
        -------
        numpy.ndarray
            The denoised part with axes `Volume.block_axes`.
        """
        block, keep = self.planes.read_around(plane, region, denoiser.network)
        return denoise_part(
            block,
            denoiser,
            axes=self.planes.volume.block_axes,
            scale=self.ranges.of(plane),
            region=keep,
            dtype=self.dtype,
            tile_size=self.tile_size,
        )

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
    return ranges_without_scan(planes, checkpoint, options, _measure_scaling)


def _measure_scaling(
    windows: Iterable[list[list[NDArray[Any]]]],
    groups: IntensityRanges,
    noise: NoiseSetting,
) -> IntensityRanges:
    """Measure the noise; raise if all windows contain nothing but NaN."""
    n_usable = 0

    def count_usable() -> Iterator[list[list[NDArray[Any]]]]:
        nonlocal n_usable
        for group in windows:
            n_usable += sum(not np.isnan(w).all() for plane in group for w in plane)
            yield group

    scaling = measure_scaling(count_usable(), groups, noise)
    if n_usable == 0:
        raise InvalidInputError(
            "The regions of the image in which the noise is measured contain nothing "
            "but NaN. Select a region with other values."
        )
    return scaling
