"""Denoising an image of any size, part by part, from one file into another.

Peak memory depends on the part and the tile, not on the image. Parts are read
with a halo and begin where the network's stride allows it, so that the result
is that of the whole planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.compatibility import find_incompatibilities
from ..denoising.dask_blocks import denoise_part
from ..denoising.halo import choose_side, surroundings
from ..denoising.model_ranges import ranges_without_scan
from ..errors import InvalidInputError
from ..image.axes import color_planes
from ..io.source import opened_volume
from ..noise.normalization import measure_scaling
from ..noise.windows import read_noise_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..denoising.options import DenoiseOptions
    from ..image.intensity import IntensityRanges
    from ..image.tiling import Region
    from ..io.source import Volume
    from ..models.checkpoint import Checkpoint
    from ..noise.setting import NoiseSetting


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What is read and denoised, part by part; can be sent to another process.

    Parameters
    ----------
    path : pathlib.Path
        The source.
    axes : str
        Its axes.
    selection : mapping
        First index and the one after the last, by axis; without S.
    ranges : IntensityRanges
        Intensity ranges of the planes that are selected.
    tile_size : int, optional
        See `denoise`.
    """

    path: Path
    axes: str
    selection: Mapping[str, tuple[int, int]]
    ranges: IntensityRanges
    tile_size: int | None = None

    @property
    def volume(self) -> Volume:
        """The source, open in this process."""
        return opened_volume(self.path, self.axes)

    def denoise(
        self, plane: Sequence[int], region: Region, denoiser: Denoiser
    ) -> NDArray[Any]:
        """Denoise rows and columns of a plane, counted in what is selected.

        Returns
        -------
        numpy.ndarray
            With the axes `Volume.block_axes`.
        """
        read, wanted = [], []
        for letter, part in zip("YX", region, strict=True):
            offset = self.selection[letter][0]
            around, within = surroundings(
                (part.start + offset, part.stop + offset),
                self.volume.lengths[letter],
                denoiser.network,
            )
            read.append(around)
            wanted.append(within)
        return denoise_part(
            self.volume.read(self._source_plane(plane), (read[0], read[1])),
            denoiser,
            axes=self.volume.block_axes,
            scale=self.ranges.of(plane),
            region=(wanted[0], wanted[1]),
            tile_size=self.tile_size,
        )

    def find_ranges(
        self, checkpoint: Checkpoint, options: DenoiseOptions
    ) -> IntensityRanges | None:
        """Return how a model sees what is selected; None if all of it must be read."""
        return ranges_without_scan(
            _StreamPlanes(self), self.axes, checkpoint, options, _measure_known
        )

    def find_incompatibilities(
        self, checkpoint: Checkpoint, noise: NoiseSetting
    ) -> list[str]:
        """Say, in words for a user, why a model or a setting may not fit."""
        windows = read_noise_windows(self._shape, self.ranges, self.read_colors)
        return find_incompatibilities(
            checkpoint, noise, self.n_colors, self.ranges, windows
        )

    @property
    def n_colors(self) -> int:
        """Colors of a plane, without alpha."""
        return min(self.volume.lengths.get("S", 1), 3)

    @property
    def _shape(self) -> tuple[int, ...]:
        return selected_shape(self.volume.stack_axes + "YX", self.selection)

    def _source_plane(self, plane: Sequence[int]) -> tuple[int, ...]:
        return tuple(
            self.selection[letter][0] + index
            for letter, index in zip(self.volume.stack_axes, plane, strict=True)
        )

    def read_colors(self, plane: tuple[int, ...], region: Region) -> NDArray[Any]:
        """Read (Y, X, channels), counted in what is selected."""
        rows, columns = (
            slice(part.start + offset, part.stop + offset)
            for part, (offset, _) in zip(
                region, (self.selection["Y"], self.selection["X"]), strict=True
            )
        )
        block = self.volume.read(self._source_plane(plane), (rows, columns))
        planes = color_planes(block, self.volume.block_axes)
        colors: NDArray[Any] = planes[(0,) * len(plane)]
        return colors


@dataclass(frozen=True, slots=True)
class _StreamPlanes:
    """What is selected as (..., Y, X, channels), of which parts are read."""

    stream: Stream

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.stream._shape, self.stream.n_colors)  # noqa: SLF001

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.stream.volume.dtype

    def __getitem__(self, index: tuple[Any, ...]) -> NDArray[Any]:
        *plane, rows, columns = index
        return self.stream.read_colors(tuple(plane), (rows, columns))


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


def select(
    volume: Volume, wanted: Mapping[str, tuple[int, int]] | None = None
) -> dict[str, tuple[int, int]]:
    """Return which part of an image is wanted, by axis.

    Raises
    ------
    InvalidInputError
        If the image has no such axis or is not so long.
    """
    lengths = {k: v for k, v in volume.lengths.items() if k != "S"}
    selection = {letter: (0, length) for letter, length in lengths.items()}
    for letter, (start, stop) in (wanted or {}).items():
        if letter not in lengths:
            raise InvalidInputError(
                f"The image has no axis {letter} to select from: its axes are "
                f"{volume.axes}, {volume.shape}."
            )
        if not 0 <= start < stop <= lengths[letter]:
            raise InvalidInputError(
                f"Cannot select {letter}={start}:{stop}: the image has "
                f"{letter}=0:{lengths[letter]}."
            )
        selection[letter] = start, stop
    return selection


def selected_shape(
    axes: str, selection: Mapping[str, tuple[int, int]]
) -> tuple[int, ...]:
    """Return the lengths of axes in a selection."""
    return tuple(selection[letter][1] - selection[letter][0] for letter in axes)


@dataclass(frozen=True, slots=True)
class Outline:
    """Shape and dtype of an array that is not there."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def block_sides(
    volume: Volume, selection: Mapping[str, tuple[int, int]], *, stride: int
) -> tuple[int, int]:
    """Return rows and columns of the parts in which an image is denoised."""
    chunks = dict(zip(volume.axes, volume.chunks or (), strict=False))
    rows, columns = (
        choose_side(
            selection[letter][1] - selection[letter][0],
            chunk=chunks.get(letter),
            stride=stride,
        )
        for letter in "YX"
    )
    return rows, columns
