"""Halo and stride arithmetic: parts of a plane that are denoised as in the whole.

Two things make a part equal the same pixels of the whole plane. It is read with a
halo of at least the network's receptive-field radius, which is cropped afterward.
And it is read from a multiple of the network's total stride, so that strided
convolutions sample the same pixels. A halo here is always a multiple of the stride,
see `find_halo`.
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..image.tiling import Region
    from ..models.networks.base import DenoisingNetwork

# Blocks of a lazy result, in pixels: smaller ones are mostly halo, larger ones keep
# whoever looks at a part of them waiting.
_SMALLEST_BLOCK, _USUAL_BLOCK, _LARGEST_BLOCK = 256, 1024, 2048
# A block may be smaller if the source has such chunks and the halo is at most a
# quarter of it.
_BLOCK_PER_HALO = 4
# The smallest chunk of a file that is denoised by itself.
_SMALLEST_CHUNK = 128
# The halo is computed twice, so it is at most this share of a tile.
_LARGEST_HALO = 0.1


@dataclass(frozen=True, slots=True)
class Tile:
    """The part of a plane that is computed at once.

    Parameters
    ----------
    read : tuple of slice
        Rows and columns of the plane to read, halo included.
    keep : tuple of slice
        Rows and columns of the pixels read that are kept.
    write : tuple of slice
        Rows and columns of the plane that these are.
    """

    read: Region
    keep: Region
    write: Region


def find_halo(network: DenoisingNetwork) -> int:
    """Return how many pixels to read around a part.

    The network's receptive-field radius, rounded up to a multiple of its stride, so
    that a part with its halo begins at a multiple of the stride, too.
    """
    return round_up(network.receptive_field_radius, network.stride)


def read_around(
    part: tuple[int, int], length: int, *, halo: int, stride: int
) -> tuple[slice, slice]:
    """Return which rows to read for a part of them; or columns.

    Parameters
    ----------
    part : tuple of int
        The first row and the one after the last.
    length : int
        Rows of the plane.
    halo, stride : int
        See `find_halo`.

    Returns
    -------
    read : slice
        The rows to read.
    keep : slice
        Where the part lies in them.
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
        The most rows and columns that a tile writes, rounded up to a multiple of
        `stride`. A tile reads the halo in addition.
    halo, stride : int
        See `find_halo`.
    region : tuple of slice, optional
        Rows and columns to cover; the halo is read from around it. None means the
        whole plane.

    Returns
    -------
    list of Tile
        In reading order. Their `write` parts cover the region once.

    Raises
    ------
    InvalidInputError
        If the tile size is not above 0.
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
    """Return the tile that is fastest on a CPU, whose caches larger ones exceed."""
    size = DEFAULT_TILE_SIZE
    while halo > _LARGEST_HALO * size:
        size *= 2
    return size


def padded_length(length: int, *, stride: int, shortest: int) -> int:
    """Return the next length of a side that a network takes.

    Parameters
    ----------
    length : int
        Pixels of the side.
    stride : int
        The network's stride.
    shortest : int
        The shortest side that it takes.
    """
    return max(round_up(length, stride), shortest)


def align_chunks(chunks: Sequence[int], stride: int, halo: int) -> tuple[int, ...]:
    """Return chunks that begin at multiples of a network's stride.

    Parameters
    ----------
    chunks : sequence of int
        The chunks of a side, in pixels.
    stride, halo : int
        See `find_halo`.

    Returns
    -------
    tuple of int
        `chunks` if they are suitable, else equal ones of a similar size. None is
        smaller than the halo, unless it is the only one.
    """
    length = sum(chunks)
    aligned = all(chunk % stride == 0 for chunk in chunks[:-1])
    large = min(chunks) >= halo and max(chunks) >= _BLOCK_PER_HALO * halo
    fit = len(chunks) == 1 or (aligned and large)
    if fit and max(chunks) <= _LARGEST_BLOCK:
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
    """Return where a block lies in its pixels and the halo that was read with them.

    Parameters
    ----------
    length : int
        Pixels of the block along a side, halo included. There is none at the
        borders of the plane.
    number, n_blocks : int
        Which block of the side it is, and how many there are.
    halo : int
        See `find_halo`.
    """
    first = halo if number > 0 else 0
    return slice(first, length - halo if number < n_blocks - 1 else length)


def choose_side(length: int, *, chunk: int | None, stride: int) -> int:
    """Return the side of the parts in which a file is denoised.

    Parameters
    ----------
    length : int
        Pixels of the plane along that side.
    chunk : int, optional
        Pixels of a chunk of the source, which is the side if it is suitable.
    stride : int
        The stride that the parts are to be multiples of.
    """
    if chunk is None or chunk % stride:
        return min(_USUAL_BLOCK, length)
    suitable = _SMALLEST_CHUNK <= chunk <= LARGEST_PLANE
    return min(chunk if suitable else _USUAL_BLOCK, length)
