"""Write a denoised image to TIFF, page by page."""

from __future__ import annotations

import math
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..denoising.array import Progress
from ..image.axes import stack_axes
from ..image.planes import plane_indices
from ..image.tiling import grid_of
from .overlap import write_behind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ..denoising.denoiser import Denoiser
    from ..io.tiff_target import TiffTarget
    from .stream import Stream


def write_pages(
    stream: Stream, target: TiffTarget, denoiser: Denoiser
) -> Iterator[Progress]:
    """Denoise the pages of a TIFF, or their tiles, in order; then write its levels.

    Yields
    ------
    Progress
        After each page or tile.
    """
    *stack, height, width, _ = stream.planes.shape
    regions = list(grid_of((height, width), target.tile or (height, width)))
    total = math.prod(stack) * len(regions) + target.n_reduced
    run = stream.start(denoiser)
    parts = product(plane_indices(stream.planes), regions)
    pages = _count_pages(stack, stack_axes(stream.planes.axes), stack_axes(target.axes))
    numbers = (
        page * len(regions) + part for page, part in product(pages, range(len(regions)))
    )
    blocks = zip(numbers, run.denoise_all(parts), strict=True)

    def write(numbered: tuple[int, NDArray[Any]]) -> None:
        number, block = numbered
        target.write(number, block[(0,) * len(stack)])

    steps = chain(write_behind(blocks, write), target.write_levels())
    for done, _ in enumerate(steps, 1):
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
