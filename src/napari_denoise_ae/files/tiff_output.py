"""Write a denoised image to TIFF, page by page."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.array import Progress
from ..image.axes import stack_axes
from ..image.planes import plane_indices
from ..image.tiling import LARGEST_PLANE, grid_of
from .overlap import write_behind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..io.tiff_target import TiffTarget
    from .stream import Stream

#: Rows and columns of the tiles of a TIFF with large planes.
TIFF_TILE = 512


def tiff_tile(stream: Stream) -> tuple[int, int] | None:
    """Return rows and columns of the tiles of a TIFF; None if pages are not tiled."""
    height, width, _ = stream.planes.shape[-3:]
    large = max(height, width) > LARGEST_PLANE
    return (TIFF_TILE, TIFF_TILE) if large else None


def write_pages(
    stream: Stream, target: TiffTarget, denoiser: Denoiser
) -> Iterator[Progress]:
    """Denoise the pages of a TIFF, or their tiles, in the order of the file.

    Yields
    ------
    Progress
        After each page or tile.
    """
    *stack, height, width, _ = stream.planes.shape
    regions = list(grid_of((height, width), tiff_tile(stream) or (height, width)))
    total, run = math.prod(stack) * len(regions), stream.start(denoiser)
    parts = product(plane_indices(stream.planes), regions)
    pages = _count_pages(stack, stack_axes(stream.planes.axes), stack_axes(target.axes))
    numbers = (
        page * len(regions) + part for page, part in product(pages, range(len(regions)))
    )
    blocks = zip(numbers, run.denoise_all(parts), strict=True)

    def write(numbered: tuple[int, NDArray[Any]]) -> None:
        number, block = numbered
        target.write(number, block[(0,) * len(stack)])

    for done, _ in enumerate(write_behind(blocks, write), 1):
        yield Progress(done, total)


def _count_pages(lengths: Sequence[int], axes: str, page_axes: str) -> Iterator[int]:
    """Yield the page of each plane of a stack, whose axes the pages may reorder."""
    order = [axes.index(letter) for letter in page_axes]
    sizes = [lengths[position] for position in order]
    for plane in np.ndindex(*lengths):
        page = 0
        for position, size in zip(order, sizes, strict=True):
            page = page * size + plane[position]
        yield page
