"""Positions of patches: random ones for training, fixed ones for validation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...image.tiling import region_shape
from .split import Part, count_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...image.tiling import Region
    from .collection import ImageCollection


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a patch.

    Parameters
    ----------
    image : int
        Index of the image in its collection.
    plane : tuple of int
        Index of the plane in the stack.
    region : tuple of slice
        Rows and columns.
    within : tuple of slice, optional
        Rows and columns in which the patch may be drawn again if its pixels are
        unknown. None means that it stays where it is.
    """

    image: int
    plane: tuple[int, ...]
    region: Region
    within: Region | None = None


def draw_positions(
    images: ImageCollection,
    parts: Sequence[Part],
    count: int,
    side: int,
    rng: np.random.Generator,
) -> list[Position]:
    """Draw the positions of random patches; each pixel is about equally likely.

    Parameters
    ----------
    images : ImageCollection
        The images.
    parts : sequence of Part
        Where patches may lie, each at least as large as a patch.
    count : int
        Number of patches.
    side : int
        Rows and columns of a patch.
    rng : numpy.random.Generator
        Source of random numbers. The same state gives the same positions.

    Returns
    -------
    list of Position
        The positions. No patch extends beyond its part.
    """
    weights = np.array([count_pixels(images, part) for part in parts], np.float64)
    chosen = rng.choice(len(parts), size=count, p=weights / weights.sum())
    return [_draw_within(images, parts[number], side, rng) for number in chosen]


def grid_positions(
    images: ImageCollection, parts: Sequence[Part], n: int, side: int
) -> list[Position]:
    """Return positions of patches that are spread evenly and do not overlap.

    Parameters
    ----------
    images : ImageCollection
        The images.
    parts : sequence of Part
        Where patches may lie, each at least as large as a patch.
    n : int
        Largest number of patches.
    side : int
        Rows and columns of a patch.

    Returns
    -------
    list of Position
        The same positions every time, in the order of `parts`: all patches that fit
        next to each other, or one from each of `n` equal ranges of these.
    """
    grids = [_Grid(images, part, side) for part in parts]
    ends = np.cumsum([grid.n_patches for grid in grids])
    edges = np.linspace(0, ends[-1], min(n, int(ends[-1])) + 1).astype(np.int64)
    # Equal steps could pick the same column of every row.
    numbers = np.random.default_rng(0).integers(edges[:-1], edges[1:])
    found = []
    for number in numbers:
        which = int(np.searchsorted(ends, number, side="right"))
        before = int(ends[which - 1]) if which else 0
        found.append(grids[which].position(int(number) - before))
    return found


class _Grid:
    """The patches of a part that fit next to each other, centered."""

    def __init__(self, images: ImageCollection, part: Part, side: int) -> None:
        lengths = region_shape(part.region)
        self._image = images.images[part.image]
        self._counts = lengths[0] // side, lengths[1] // side
        self._part, self._side = part, side
        self._first = [
            span.start + length % side // 2
            for span, length in zip(part.region, lengths, strict=True)
        ]
        self.n_patches = self._image.n_planes * math.prod(self._counts)

    def position(self, number: int) -> Position:
        plane, place = divmod(number, math.prod(self._counts))
        y, x = divmod(place, self._counts[1])
        top, left = self._first[0] + y * self._side, self._first[1] + x * self._side
        return Position(
            image=self._part.image,
            plane=self._image.plane_at(plane),
            region=_square(top, left, self._side),
            within=self._part.region,
        )


def redraw(images: ImageCollection, position: Position) -> Iterator[Position]:
    """Yield other positions in the same part of the same image, without end.

    Parameters
    ----------
    images : ImageCollection
        The images.
    position : Position
        A position with `within`. The same position gives the same others.
    """
    rows, columns = position.region
    seed = (position.image, *position.plane, rows.start, columns.start)
    rng = np.random.default_rng(seed)
    part = Part(position.image, position.within or position.region)
    while True:
        yield _draw_within(images, part, rows.stop - rows.start, rng)


def _draw_within(
    images: ImageCollection, part: Part, side: int, rng: np.random.Generator
) -> Position:
    stack = images.images[part.image].stack_shape
    plane = tuple(int(rng.integers(length)) for length in stack)
    top, left = (
        int(rng.integers(span.start, span.stop - side + 1)) for span in part.region
    )
    square = _square(top, left, side)
    return Position(image=part.image, plane=plane, region=square, within=part.region)


def _square(top: int, left: int, side: int) -> Region:
    return slice(top, top + side), slice(left, left + side)
