"""Write a denoised image to OME-Zarr, chunk by chunk."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.array import Progress
from ..errors import InvalidInputError
from ..image.casting import mean_of_squares
from ..image.tiling import level_sides
from ..io.channels import as_omero
from ..io.compression import AUTO, NONE, ZSTD, choose_compression
from ..io.ome_metadata import ORDER, OmeMetadata
from ..io.source import is_zarr
from ..io.zarr_target import ZarrTarget
from .overlap import write_behind
from .tiff_layout import selected_channels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..image.tiling import Region
    from ..io.source import Volume
    from .planes import FilePlanes
    from .stream import Stream, StreamRun


# Rows and columns in which displayed intensities are measured.
_WINDOW_SIDE = 512


def plan_target(
    stream: Stream,
    path: Path,
    stride: int,
    settings: Mapping[str, Any],
    compression: str = AUTO,
) -> ZarrTarget:
    """Plan the OME-Zarr image that a stream is written to.

    Parameters
    ----------
    stream : Stream
        The source.
    path : pathlib.Path
        Folder of the image.
    stride : int
        The network's stride, in pixels. Chunk sides are multiples of it, or the whole
        side.
    settings : mapping
        Source and settings of the result, as JSON values.
    compression : str
        The compression that a user has chosen, see `choose_compression`.

    Raises
    ------
    InvalidInputError
        If the source has both channels and colors, which OME-Zarr cannot store.
    """
    planes = stream.planes
    volume = planes.volume
    if {"C", "S"} <= set(volume.axes):
        raise InvalidInputError(
            f"An OME-Zarr image cannot have both channels and colors, but the axes "
            f"are {volume.axes}. Write a .tif file, which can have both."
        )
    axes = "".join(sorted(_target_axes(volume), key=ORDER.index))
    lengths = dict(zip(_target_axes(volume), planes.file_shape, strict=True))
    shape = tuple(lengths[letter] for letter in axes)
    rows, columns = planes.choose_sides(stride=stride)
    colors = volume.lengths.get("S", 1)
    chunks = tuple(
        {"Y": rows, "X": columns, "C": colors}.get(letter, 1) for letter in axes
    )
    sides = level_sides((shape[-2], shape[-1]), volume.n_levels)
    return ZarrTarget(
        path=path,
        shapes=tuple((*shape[:-2], *each) for each in sides),
        chunks=chunks,
        dtype=stream.dtype.name,
        metadata=_target_metadata(planes, axes),
        settings={**settings, "chunks": list(chunks)},
        compression=_compression(volume, compression),
    )


def _compression(volume: Volume, asked: str) -> str:
    source = volume.compression
    if source == NONE and not is_zarr(volume.path):
        # Uncompressed files are common, uncompressed chunks are not.
        source = ZSTD
    return choose_compression(asked, source, "OME-Zarr")


def write_chunk(run: StreamRun, target: ZarrTarget, number: Sequence[int]) -> None:
    """Denoise a chunk of full resolution and write it.

    Parameters
    ----------
    run : StreamRun
        The source and the model on its device.
    target : ZarrTarget
        The image to write to.
    number : sequence of int
        Grid index of the chunk.
    """
    volume = run.stream.planes.volume
    block = run.denoise(_part_of(volume, target, number))
    _write_block(volume, target, number, block)


def _part_of(
    volume: Volume, target: ZarrTarget, number: Sequence[int]
) -> tuple[list[int], Region]:
    """Return the plane, and the rows and columns of it, that a chunk holds."""
    axes = target.metadata.axes
    starts = {a: n * c for a, n, c in zip(axes, number, target.chunks, strict=True)}
    stops = {
        letter: min(start + side, length)
        for (letter, start), side, length in zip(
            starts.items(), target.chunks, target.shapes[0], strict=True
        )
    }
    rows, columns = (slice(starts[letter], stops[letter]) for letter in "YX")
    return [starts[letter] for letter in volume.stack_axes], (rows, columns)


def _write_block(
    volume: Volume, target: ZarrTarget, number: Sequence[int], block: NDArray[Any]
) -> None:
    block_axes = volume.block_axes.replace("S", "C")
    order = [block_axes.index(letter) for letter in target.metadata.axes]
    target.write(0, number, block.transpose(order))


def write_downsampled(target: ZarrTarget, level: int, number: Sequence[int]) -> None:
    """Write a chunk of a lower resolution: means of 2 x 2 pixels of the level before.

    Parameters
    ----------
    target : ZarrTarget
        The image to write to.
    level : int
        Pyramid level of the chunk, at least 1. Level 0 has full resolution.
    number : sequence of int
        Grid index of the chunk.
    """
    where = []
    for letter, index, side, length in zip(
        target.metadata.axes, number, target.chunks, target.shapes[level], strict=True
    ):
        start, stop = index * side, min((index + 1) * side, length)
        factor = 2 if letter in "YX" else 1
        where.append(slice(factor * start, factor * stop))
    pixels = target.read(level - 1, tuple(where))
    target.write(level, number, mean_of_squares(pixels, pixels.ndim - 2))


def write_zarr(
    stream: Stream, target: ZarrTarget, denoiser: Denoiser
) -> Iterator[Progress]:
    """Denoise into an OME-Zarr image; chunks that can be read are skipped.

    Yields
    ------
    Progress
        After each chunk, including those that are skipped.
    """
    done = 0
    for level in range(len(target.shapes)):
        missing = target.missing(level)
        steps = (
            _write_denoised(stream.start(denoiser), target, missing)
            if level == 0
            else map(partial(write_downsampled, target, level), missing)
        )
        for _ in chain(range(target.n_chunks(level) - len(missing)), steps):
            done += 1
            yield Progress(done, target.total)


def _write_denoised(
    run: StreamRun, target: ZarrTarget, numbers: Sequence[tuple[int, ...]]
) -> Iterator[None]:
    """Denoise chunks of full resolution; read and write others meanwhile."""
    volume = run.stream.planes.volume
    parts = (_part_of(volume, target, number) for number in numbers)

    def write(numbered: tuple[tuple[int, ...], NDArray[Any]]) -> None:
        _write_block(volume, target, *numbered)

    blocks = zip(numbers, run.denoise_all(parts), strict=True)
    yield from write_behind(blocks, write)


def _target_axes(volume: Volume) -> str:
    return volume.axes.replace("S", "C")


def _target_metadata(planes: FilePlanes, axes: str) -> OmeMetadata:
    volume, selection = planes.volume, planes.selection
    scale = {letter: volume.scale.get(letter, 1.0) for letter in axes}
    known = volume.ome
    origin = {
        letter: (known.origin.get(letter, 0.0) if known else 0.0)
        + selection.get(letter, (0, 0))[0] * scale[letter]
        for letter in axes
    }
    omero = dict(known.omero) if known else {}
    if "S" in volume.axes and np.issubdtype(volume.dtype, np.unsignedinteger):
        omero = _colors(volume.lengths["S"], float(np.iinfo(volume.dtype).max))
    elif omero.get("channels") and "C" in axes:
        omero["channels"] = omero["channels"][slice(*selection["C"])]
    elif not omero and (channels := selected_channels(volume, selection)):
        windows = [_measure_window(planes, number) for number in range(len(channels))]
        omero = as_omero(channels, windows)
    metadata = OmeMetadata(
        axes=axes,
        scale=scale,
        units={letter: unit for letter, unit in volume.units.items() if letter in axes},
        origin=origin,
        omero=omero,
    )
    return replace(metadata, version=known.version) if known else metadata


def _measure_window(planes: FilePlanes, channel: int) -> tuple[float, float]:
    """Return the lowest and highest intensity in the middle of a channel."""
    *stack, height, width, _ = planes.shape
    plane = [length // 2 for length in stack]
    if "C" in planes.axes:
        plane[planes.axes.index("C")] = channel
    middle = tuple(
        slice(max(0, (side - _WINDOW_SIDE) // 2), min(side, (side + _WINDOW_SIDE) // 2))
        for side in (height, width)
    )
    pixels = planes.read(plane, (middle[0], middle[1]))
    if not np.isfinite(pixels).any():
        return 0.0, 1.0
    low, high = float(np.nanmin(pixels)), float(np.nanmax(pixels))
    return low, max(high, low + 1e-6)


def _colors(n_samples: int, white: float) -> dict[str, Any]:
    """Return `omero` metadata that display the samples of a color image as channels."""
    window = {"start": 0.0, "min": 0.0, "end": white, "max": white}
    samples = {"red": "FF0000", "green": "00FF00", "blue": "0000FF", "alpha": "FFFFFF"}
    if n_samples == 2:
        samples = {"gray": "FFFFFF", "alpha": "FFFFFF"}
    channels = [
        {"label": name, "color": color, "window": window, "active": name != "alpha"}
        for name, color in list(samples.items())[:n_samples]
    ]
    return {"channels": channels}
