"""Denoise an array in memory, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image.axes import color_planes, resolve_axes
from ..image.checks import require_image
from ..noise.setting import NoiseSetting
from .compatibility import find_all_misfits
from .denoiser import require_fitting_channels
from .model_ranges import resolve_scaling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..image.intensity import GivenRange, IntensityRange
    from .denoiser import Denoiser


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    done, total : int
        Tiles that are finished, and tiles in all.
    """

    done: int
    total: int


class Denoising:
    """One array being denoised.

    Iterate over it to go on; `result` holds what has been reached, so that
    stopping early keeps the finished tiles.

    Parameters
    ----------
    image : numpy.ndarray
        See `denoise`.
    denoiser : Denoiser
        The model.
    axes, intensity_range, range_of, tile_size
        See `denoise`.
    region : tuple of slice, optional
        Rows and columns to denoise, as they come out of the whole plane; None
        means all.
    setting : NoiseSetting, optional
        What is known of the noise, for a model that takes its level.

    Attributes
    ----------
    result : numpy.ndarray
        Shape and dtype of `image`; a copy of it where no tile is finished.
    axes : str
        The axes that were taken.
    intensity_ranges : IntensityRanges
        The intensities that were mapped to 0 and 1, for each plane; a
        `NoiseScaling` for a model that takes a noise level.
    planes_done : int
        Planes that are finished.

    Raises
    ------
    InvalidInputError
        If the image, its axes or the settings cannot be used.
    """

    def __init__(
        self,
        image: NDArray[Any],
        denoiser: Denoiser,
        *,
        axes: str | None = None,
        intensity_range: GivenRange | None = None,
        range_of: str = "stack",
        tile_size: int | None = None,
        region: tuple[slice, slice] | None = None,
        setting: NoiseSetting | None = None,
    ) -> None:
        require_image(image)
        self.axes = resolve_axes(image.shape, axes)
        self.result = image.copy()
        self._source = color_planes(image, self.axes)
        self._target = color_planes(self.result, self.axes)
        self._denoiser, self._setting = denoiser, setting or NoiseSetting()
        require_fitting_channels(
            self._source.shape[-1], denoiser.network, denoiser.checkpoint.name
        )
        self.intensity_ranges = resolve_scaling(
            self._source,
            self.axes,
            denoiser.checkpoint,
            intensity_range,
            range_of=range_of,
            setting=self._setting,
        )
        self._tiles = denoiser.plan_tiles(
            self._source.shape[-3:-1], tile_size=tile_size, region=region
        )
        self.planes_done = 0

    def __iter__(self) -> Iterator[Progress]:
        planes = list(np.ndindex(self._source.shape[:-3]))
        total = len(planes) * len(self._tiles)
        done = 0
        for plane in planes:
            scale = self.intensity_ranges.of(plane)
            for tile in self._tiles:
                self._denoiser.denoise_tile(
                    self._source[plane], self._target[plane], tile, scale
                )
                done += 1
                self.planes_done = done // len(self._tiles)
                yield Progress(done, total)

    @property
    def intensity_range(self) -> IntensityRange:
        """The intensities that were mapped to 0 and 1, of all planes together."""
        return self.intensity_ranges.hull

    def misfits(self) -> list[str]:
        """Say, in words for a user, what may make the result not what was meant."""
        return find_all_misfits(
            self._source, self._denoiser, self.intensity_ranges, self._setting
        )
