"""Halo and stride arithmetic.

The result of denoising a part of a plane equals that of denoising the whole plane
under two conditions. The part is read with a halo of at least the network's
receptive-field radius, which is cropped afterward. The pixels read begin at a multiple
of the network's total stride, so that strided convolutions sample the same pixels.
Here the halo is always a multiple of the stride, see `find_halo`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from ..image.tiling import (
    DEFAULT_TILE_SIZE,
    LARGEST_PLANE,
    require_tile_size,
    round_up,
)
from ..noise.outliers import REACH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..image.tiling import Region
    from ..models.networks.base import DenoisingNetwork

# Sides of the blocks of a lazy result, in pixels. Smaller blocks consist mostly of
# halo; larger ones delay the display of a part of them.
_SMALLEST_BLOCK, _USUAL_BLOCK, _LARGEST_BLOCK = 256, 1024, 2048
# Smaller chunks of the source are kept as blocks if the largest is at least this
# multiple of the halo.
_BLOCK_PER_HALO = 4
# Smaller chunks of a file are not denoised one by one.
_SMALLEST_CHUNK = 128
# The halo is computed twice, so it is limited to this fraction of a tile.
_LARGEST_HALO = 0.1


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a plane that is denoised at once.

    Parameters
    ----------
    read : tuple of slice
        Rows and columns of the plane to read, halo included.
    keep : tuple of slice
        Rows and columns of the pixels read, without the halo.
    write : tuple of slice
        Rows and columns of the plane to write, without the halo.
    """

    read: Region
    keep: Region
    write: Region


def find_halo(network: DenoisingNetwork) -> int:
    """Return the width of the halo of a network, in pixels.

    It is the receptive-field radius and, if hot pixels are kept out of the network's
    input, the distance at which they are found and replaced. It is rounded up to a
    multiple of the stride: if a part begins at a multiple of the stride, so do the
    pixels read for it.
    """
    reach = REACH if network.takes_noise_level else 0
    return round_up(network.receptive_field_radius + reach, network.stride)


def read_around(
    part: tuple[int, int], length: int, *, halo: int, stride: int
) -> tuple[slice, slice]:
    """Return the rows (or columns) to read for a part with its halo.

    Parameters
    ----------
    part : tuple of int
        First row of the part, and the row after the last.
    length : int
        Number of rows of the plane.
    halo : int
        See `find_halo`.
    stride : int
        The network's stride; `read` begins at a multiple of it.

    Returns
    -------
    read : slice
        The rows to read, within the plane.
    keep : slice
        The rows of the part, relative to `read`.
    """
    start, stop = part
    first = max(start - halo, 0) // stride * stride
    last = min(stop + halo, length)
    return slice(first, last), slice(start - first, stop - first)


def plan_tiles(
    shape: tuple[int, int],
    *,
    tile_size: int,
    halo: int,
    stride: int,
    region: Region | None = None,
) -> list[Tile]:
    """Cut a plane, or a region of it, into tiles.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the plane.
    tile_size : int
        Maximum rows and columns of a tile without its halo; rounded up to a multiple
        of `stride`.
    halo, stride : int
        See `find_halo`.
    region : tuple of slice, optional
        Rows and columns to cover; the halo is read from around them. None means the
        whole plane.

    Returns
    -------
    list of Tile
        Tiles in reading order. Their `write` regions cover the region exactly once.

    Raises
    ------
    InvalidInputError
        If the tile size is not an integer above 0.
    """
    require_tile_size(tile_size)
    size = round_up(tile_size, stride)
    rows, columns = (
        _plan_side(part.indices(length), length, size, halo=halo, stride=stride)
        for part, length in zip(region or (slice(None),) * 2, shape, strict=True)
    )
    return [
        Tile(*((row[part], column[part]) for part in range(3)))
        for row, column in product(rows, columns)
    ]


def _plan_side(
    part: tuple[int, int, int], length: int, size: int, *, halo: int, stride: int
) -> list[tuple[slice, slice, slice]]:
    """Return the read, keep and write slices of tiles along one side."""
    begin, end, _ = part
    spans = []
    for start in range(begin // stride * stride, end, size):
        first, last = max(start, begin), min(start + size, end)
        read, keep = read_around((first, last), length, halo=halo, stride=stride)
        spans.append((read, keep, slice(first, last)))
    return spans


def usual_tile_size(halo: int) -> int:
    """Return the tile size that is fastest on a CPU; larger tiles exceed its caches.

    Parameters
    ----------
    halo : int
        See `find_halo`. A larger halo needs larger tiles.

    Returns
    -------
    int
        512, doubled until the halo is at most a tenth of it.
    """
    size = DEFAULT_TILE_SIZE
    while halo > _LARGEST_HALO * size:
        size *= 2
    return size


def padded_length(length: int, *, stride: int, shortest: int) -> int:
    """Return the length to which a side is padded for a network.

    Parameters
    ----------
    length : int
        Length of the side, in pixels.
    stride : int
        The network's stride; the result is a multiple of it.
    shortest : int
        Minimum length that the network takes.
    """
    return max(round_up(length, stride), shortest)


def align_chunks(chunks: Sequence[int], stride: int, halo: int) -> tuple[int, ...]:
    """Return chunks that begin at multiples of a network's stride.

    Parameters
    ----------
    chunks : sequence of int
        Chunks along a side of the source, in pixels.
    stride : int
        The network's stride.
    halo : int
        See `find_halo`.

    Returns
    -------
    tuple of int
        `chunks` if they are suitable, otherwise equal chunks of a similar size. No
        chunk is smaller than the halo unless it is the only one.
    """
    length = sum(chunks)
    aligned = all(chunk % stride == 0 for chunk in chunks[:-1])
    large = min(chunks) >= halo and max(chunks) >= _BLOCK_PER_HALO * halo
    suitable = len(chunks) == 1 or (aligned and large)
    if suitable and max(chunks) <= _LARGEST_BLOCK:
        return tuple(chunks)
    size = round_up(max(*chunks, _SMALLEST_BLOCK), stride)
    if size > _LARGEST_BLOCK:
        size = round_up(_USUAL_BLOCK, stride)
    parts = [size] * (length // size)
    rest = length - sum(parts)
    if rest >= halo or not parts:
        return (*parts, rest) if rest else tuple(parts)
    return (*parts[:-1], parts[-1] + rest)


def without_halo(length: int, *, number: int, n_blocks: int, halo: int) -> slice:
    """Return the indices of a block without its halo.

    Parameters
    ----------
    length : int
        Length of the block along a side, in pixels, including the halo. Blocks have no
        halo at the borders of the plane.
    number : int
        Index of the block along the side.
    n_blocks : int
        Number of blocks along the side.
    halo : int
        See `find_halo`.
    """
    first = halo if number > 0 else 0
    return slice(first, length - halo if number < n_blocks - 1 else length)


def choose_side(length: int, *, chunk: int | None, stride: int) -> int:
    """Choose a side of the parts in which a file is read and denoised.

    Parameters
    ----------
    length : int
        Length of the plane along the side, in pixels.
    chunk : int, optional
        Length of the chunks of the source. It is used if it is a multiple of `stride`
        from 128 to 2048 pixels.
    stride : int
        The network's stride, or 1 if the parts are not denoised.
    """
    if chunk is None or chunk % stride:
        return min(_USUAL_BLOCK, length)
    suitable = _SMALLEST_CHUNK <= chunk <= LARGEST_PLANE
    return min(chunk if suitable else _USUAL_BLOCK, length)
