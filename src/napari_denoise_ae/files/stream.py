"""Denoising an image of any size, part by part, from one file into another.

Peak memory depends on the part and the tile, not on the image. Parts are read
with a halo and begin where the network's stride allows it, so that the result
is that of the whole planes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..denoising.api import Progress
from ..denoising.compatibility import describe_misfits, noise_levels, read_noise_windows
from ..denoising.dask_array import denoise_part, mean_of_pixels
from ..denoising.denoiser import find_halo, require_finite
from ..errors import InvalidInputError
from ..image.axes import colour_planes
from ..image.intensity import (
    IntensityRange,
    IntensityRanges,
    known_ranges,
    stack_grouping,
)
from ..image.tiling import LARGEST_PLANE
from ..io.ome_zarr import ORDER, OmeMetadata, ZarrTarget
from ..io.source import opened_volume
from ..noise.normalization import find_noise_misfits, group_planes, measure_scaling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..image.intensity import GivenRange
    from ..image.tiling import Region
    from ..io.source import Volume
    from ..models.checkpoint import Checkpoint
    from ..models.networks.base import DenoisingNetwork
    from ..noise.normalization import NoiseSetting

# Rows and columns of a part, in pixels, where the source does not suggest any.
_USUAL_SIDE, _SMALLEST_SIDE = 1024, 128
#: Rows and columns of the tiles in a TIFF of large planes.
TIFF_TILE = 512


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

    def misfits(self, checkpoint: Checkpoint, setting: NoiseSetting) -> list[str]:
        """Say, in words for a user, why a model or a setting may not fit."""
        windows = read_noise_windows(self._shape, self.ranges, self.read_colours)
        if checkpoint.outline().takes_noise_level:
            levels: tuple[float, ...] = ()
            found = find_noise_misfits(windows, self.ranges, setting)
        else:
            levels, found = noise_levels(windows, self.ranges), []
        return describe_misfits(self.n_colours, checkpoint, self.ranges, levels) + found

    def measure_scaling(self, range_of: str, setting: NoiseSetting) -> IntensityRanges:
        """Measure what a network that takes a noise level needs to know."""
        like = _Outline((*self._shape, 1), self.volume.dtype)
        groups = group_planes(like, self.axes, range_of)
        n_known = 0

        def counted() -> Iterator[list[list[NDArray[Any]]]]:
            nonlocal n_known
            for group in read_noise_windows(self._shape, groups, self.read_colours):
                n_known += sum(not np.isnan(w).all() for plane in group for w in plane)
                yield group

        scaling = measure_scaling(counted(), groups, setting)
        if n_known == 0:
            raise InvalidInputError(
                "The parts of the image in which its noise is measured have nothing "
                "but NaN. Select a part of it that has values."
            )
        return scaling

    @property
    def n_colours(self) -> int:
        """Colours of a plane, without alpha."""
        return min(self.volume.lengths.get("S", 1), 3)

    @property
    def _shape(self) -> tuple[int, ...]:
        return selected_shape(self.volume.stack_axes + "YX", self.selection)

    def _source_plane(self, plane: Sequence[int]) -> tuple[int, ...]:
        return tuple(
            self.selection[letter][0] + index
            for letter, index in zip(self.volume.stack_axes, plane, strict=True)
        )

    def read_colours(self, plane: tuple[int, ...], region: Region) -> NDArray[Any]:
        """Read (Y, X, channels), counted in what is selected."""
        rows, columns = (
            slice(part.start + offset, part.stop + offset)
            for part, (offset, _) in zip(
                region, (self.selection["Y"], self.selection["X"]), strict=True
            )
        )
        block = self.volume.read(self._source_plane(plane), (rows, columns))
        planes = colour_planes(block, self.volume.block_axes)
        colours: NDArray[Any] = planes[(0,) * len(plane)]
        return colours


def surroundings(
    part: tuple[int, int], length: int, network: DenoisingNetwork
) -> tuple[slice, slice]:
    """Return what to read so that a part is denoised as it is in the whole.

    Parameters
    ----------
    part : tuple of int
        First row and the one after the last; or columns.
    length : int
        How many rows there are.
    network : DenoisingNetwork
        Its receptive field and stride decide.

    Returns
    -------
    tuple of slice
        The rows to read, and where among them the part is.
    """
    start, stop = part
    halo, stride = find_halo(network), network.stride
    first = max(start - halo, 0) // stride * stride
    last = min(stop + halo, length)
    return slice(first, last), slice(start - first, stop - first)


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
        like = _Outline((*self._shape, 1), volume.dtype)
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
        parts = list(_grid((height, width), sides))
        total, done = math.prod(stack) * len(parts), 0
        for plane in np.ndindex(*stack):
            number = numbering.number_of(plane)
            for part in parts:
                block = stream.read_colours(plane, part)
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


@dataclass(frozen=True, slots=True)
class _Outline:
    """Shape and dtype of an array that is not there."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def block_sides(
    volume: Volume, selection: Mapping[str, tuple[int, int]], *, stride: int
) -> tuple[int, int]:
    """Return rows and columns of the parts in which an image is denoised.

    Those of the source's chunks, where they suit the network; never more than
    what is selected.
    """
    sides = []
    for letter in "YX":
        start, stop = selection[letter]
        side = _USUAL_SIDE
        if volume.chunks is not None:
            chunk = volume.chunks[volume.axes.index(letter)]
            if chunk % stride == 0 and _SMALLEST_SIDE <= chunk <= LARGEST_PLANE:
                side = chunk
        sides.append(min(side, stop - start))
    return sides[0], sides[1]


def plan_target(
    stream: Stream, path: Path, stride: int, settings: Mapping[str, Any]
) -> ZarrTarget:
    """Plan an OME-Zarr image for what a stream gives.

    Raises
    ------
    InvalidInputError
        If the axes of the source cannot be those of an OME-Zarr.
    """
    volume, selection = stream.volume, stream.selection
    if {"C", "S"} <= set(volume.axes):
        raise InvalidInputError(
            f"An OME-Zarr image cannot have channels and colours, and the axes are "
            f"{volume.axes}. Write a .tif file, which can."
        )
    axes = "".join(sorted(_target_axes(volume), key=ORDER.index))
    shape = tuple(
        volume.lengths["S"]
        if letter == "C" and "S" in volume.axes
        else selection[letter][1] - selection[letter][0]
        for letter in axes
    )
    rows, columns = block_sides(volume, selection, stride=stride)
    colours = volume.lengths.get("S", 1)
    chunks = tuple(
        {"Y": rows, "X": columns, "C": colours}.get(letter, 1) for letter in axes
    )
    n_levels = volume.ome.n_levels if volume.ome else 1
    return ZarrTarget(
        path=path,
        shapes=_level_shapes(shape, n_levels),
        chunks=chunks,
        dtype=volume.dtype.name,
        metadata=_target_metadata(stream, axes),
        settings={**settings, "chunks": list(chunks)},
    )


def write_chunk(
    stream: Stream, target: ZarrTarget, number: Sequence[int], denoiser: Denoiser
) -> None:
    """Denoise a chunk of the highest level and write it."""
    volume = stream.volume
    axes = target.metadata.axes
    starts = {a: n * c for a, n, c in zip(axes, number, target.chunks, strict=True)}
    stops = {
        letter: min(start + side, length)
        for (letter, start), side, length in zip(
            starts.items(), target.chunks, target.shapes[0], strict=True
        )
    }
    block = stream.denoise(
        [starts[letter] for letter in volume.stack_axes],
        (slice(starts["Y"], stops["Y"]), slice(starts["X"], stops["X"])),
        denoiser,
    )
    given = volume.block_axes.replace("S", "C")
    order = [given.index(letter) for letter in axes]
    target.write(0, number, block.transpose(order))


def write_half(target: ZarrTarget, level: int, number: Sequence[int]) -> None:
    """Average pixels of the level above into a chunk, and write it."""
    where = []
    for letter, index, side, length in zip(
        target.metadata.axes, number, target.chunks, target.shapes[level], strict=True
    ):
        start, stop = index * side, min((index + 1) * side, length)
        factor = 2 if letter in "YX" else 1
        where.append(slice(factor * start, factor * stop))
    pixels = target.read(level - 1, tuple(where))
    *rest, height, width = pixels.shape
    fours = pixels.reshape(*rest, height // 2, 2, width // 2, 2)
    target.write(level, number, mean_of_pixels(fours, axis=(-3, -1)))


def write_zarr(
    stream: Stream, target: ZarrTarget, denoiser: Denoiser
) -> Iterator[Progress]:
    """Denoise into an OME-Zarr image, leaving out the chunks that are there."""
    done = 0
    for level in range(len(target.shapes)):
        for number in target.numbers(level):
            if not target.is_done(level, number):
                if level == 0:
                    write_chunk(stream, target, number, denoiser)
                else:
                    write_half(target, level, number)
            done += 1
            yield Progress(done, target.total)
    target.finish()


def tiff_parts(stream: Stream) -> tuple[int, int] | None:
    """Return rows and columns of a TIFF's tiles; None where pages are whole."""
    height, width = selected_shape("YX", stream.selection)
    large = max(height, width) > LARGEST_PLANE
    return (TIFF_TILE, TIFF_TILE) if large else None


def denoised_pages(
    stream: Stream, denoiser: Denoiser
) -> Iterator[tuple[Progress, NDArray[Any]]]:
    """Denoise the pages of a TIFF, or its tiles, in the order of the file.

    Yields
    ------
    Progress
        How far it is.
    numpy.ndarray
        (Y, X) or (Y, X, S).
    """
    *stack, height, width = selected_shape(
        stream.volume.stack_axes + "YX", stream.selection
    )
    parts = list(_grid((height, width), tiff_parts(stream) or (height, width)))
    total, done = math.prod(stack) * len(parts), 0
    for plane in np.ndindex(*stack):
        for part in parts:
            block = stream.denoise(plane, part, denoiser)
            done += 1
            yield Progress(done, total), block[(0,) * len(plane)]


def _grid(shape: tuple[int, int], sides: tuple[int, int]) -> Iterator[Region]:
    """Yield the parts of a plane in reading order."""
    height, width = shape
    for y in range(0, height, sides[0]):
        for x in range(0, width, sides[1]):
            rows = slice(y, min(y + sides[0], height))
            yield rows, slice(x, min(x + sides[1], width))


def _target_axes(volume: Volume) -> str:
    return volume.axes.replace("S", "C")


def _level_shapes(shape: tuple[int, ...], n_levels: int) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of a pyramid, down to planes that are shown as they are."""
    shapes = [shape]
    while min(shapes[-1][-2:]) >= 2 and (
        max(shapes[-1][-2:]) > LARGEST_PLANE or len(shapes) < n_levels
    ):
        *rest, height, width = shapes[-1]
        shapes.append((*rest, height // 2, width // 2))
    return tuple(shapes)


def _target_metadata(stream: Stream, axes: str) -> OmeMetadata:
    volume = stream.volume
    scale = {letter: volume.scale.get(letter, 1.0) for letter in axes}
    known = volume.ome
    origin = {
        letter: (known.origin.get(letter, 0.0) if known else 0.0)
        + stream.selection.get(letter, (0, 0))[0] * scale[letter]
        for letter in axes
    }
    omero = dict(known.omero) if known else {}
    if "S" in volume.axes and np.issubdtype(volume.dtype, np.unsignedinteger):
        omero = _colours(volume.lengths["S"], float(np.iinfo(volume.dtype).max))
    elif omero.get("channels") and "C" in axes:
        omero["channels"] = omero["channels"][slice(*stream.selection["C"])]
    made = OmeMetadata(
        axes=axes,
        scale=scale,
        units={letter: unit for letter, unit in volume.units.items() if letter in axes},
        origin=origin,
        omero=omero,
    )
    return replace(made, version=known.version) if known else made


def _colours(n_samples: int, white: float) -> dict[str, Any]:
    """Return how the samples of a colour image are displayed."""
    window = {"start": 0.0, "min": 0.0, "end": white, "max": white}
    samples = {"red": "FF0000", "green": "00FF00", "blue": "0000FF", "alpha": "FFFFFF"}
    channels = [
        {"label": name, "color": colour, "window": window, "active": name != "alpha"}
        for name, colour in list(samples.items())[:n_samples]
    ]
    return {"channels": channels}
