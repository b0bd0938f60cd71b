"""Halo and stride arithmetic: how blocks are cut so that no seam appears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..image.tiling import round_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models.networks.base import DenoisingNetwork

# Blocks of the result, in pixels: smaller ones are mostly halo, larger ones
# keep whoever looks at a part of them waiting.
_SMALLEST_BLOCK, _USUAL_BLOCK, _LARGEST_BLOCK = 256, 1024, 2048
# A block may be smaller if it comes so, as long as its halo is a quarter of it.
_BLOCK_PER_HALO = 4


def align_chunks(chunks: Sequence[int], stride: int, halo: int) -> tuple[int, ...]:
    """Return chunks that begin at multiples of a network's stride.

    Parameters
    ----------
    chunks : sequence of int
        The chunks of a side, in pixels.
    stride, halo : int
        The network's total stride, and what is read around a chunk.

    Returns
    -------
    tuple of int
        `chunks` if they will do, else equal ones of a similar size; none is
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


def find_halo(network: DenoisingNetwork) -> int:
    """Return how many pixels to read around what is wanted.

    At least the network's receptive-field radius, and a multiple of its
    stride, so that what is read begins where a tile may begin.
    """
    return round_up(network.receptive_field_radius, network.stride)


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
