"""Draw several patches of each picture that is decoded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .positions import draw_positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from .collection import ImageCollection
    from .positions import Position
    from .split import Part

# Patches that are drawn of a picture before another one takes its place.
_N_PATCHES = 8
# Pictures to draw from: several batches differ in theirs.
_MOST_PICTURES = 64
# Of the pictures that fit into the cache, some were replaced a moment ago.
_FRACTION_OF_CACHE = 2 / 3


def pool_size(
    images: ImageCollection, memory_limit: int, planes_per_patch: int = 1
) -> int:
    """Return the number of pictures to draw from at a time.

    Parameters
    ----------
    images : ImageCollection
        The images.
    memory_limit : int
        Bytes of pixels that their reader keeps.
    planes_per_patch : int
        Number of planes that are read for a patch.

    Returns
    -------
    int
        At least 1 and at most 64 for images whose planes are decoded as a whole and
        that do not fit into the cache. Otherwise 0: each patch is drawn from all
        images.
    """
    if not all(image.is_decoded_whole for image in images.images):
        return 0
    sizes = [
        math.prod(image.planes.shape[-3:]) * image.dtype.itemsize
        for image in images.images
    ]
    n_bytes = sum(
        size * image.n_planes for size, image in zip(sizes, images.images, strict=True)
    )
    if n_bytes <= memory_limit:
        return 0
    fitting = memory_limit * _FRACTION_OF_CACHE / (max(sizes) * planes_per_patch)
    return min(max(int(fitting), 1), _MOST_PICTURES)


@dataclass(slots=True)
class _Picture:
    """A plane of an image, and how many patches of it are still to be drawn."""

    position: Position
    n_left: int


class PicturePool:
    """Draws patches from a few pictures, each of which is replaced after 8 patches.

    Over time, each pixel is about equally likely, as with `draw_positions`.

    Parameters
    ----------
    images : ImageCollection
        The images.
    parts : sequence of Part
        Where patches may lie, each at least as large as a patch.
    side : int
        Rows and columns of a patch.
    size : int
        Number of pictures, see `pool_size`.
    rng : numpy.random.Generator
        Source of random numbers. The same state gives the same positions.
    """

    def __init__(
        self,
        images: ImageCollection,
        parts: Sequence[Part],
        side: int,
        size: int,
        rng: np.random.Generator,
    ) -> None:
        self._images, self._parts, self._side, self._rng = images, parts, side, rng
        # The first ones are replaced one by one, too, not all at once.
        self._pictures = [
            _Picture(position, int(rng.integers(1, _N_PATCHES + 1)))
            for position in draw_positions(images, parts, size, side, rng)
        ]

    def draw(self, count: int) -> list[Position]:
        """Draw the positions of a batch, from as many pictures as possible."""
        numbers: list[int] = []
        while len(numbers) < count:
            numbers += self._rng.permutation(len(self._pictures)).tolist()
        return [self._draw(number) for number in numbers[:count]]

    def _draw(self, number: int) -> Position:
        if not self._pictures[number].n_left:
            (position,) = draw_positions(
                self._images, self._parts, 1, self._side, self._rng
            )
            self._pictures[number] = _Picture(position, _N_PATCHES)
        picture = self._pictures[number]
        picture.n_left -= 1
        within = picture.position.within or picture.position.region
        rows, columns = (
            int(self._rng.integers(span.start, span.stop - self._side + 1))
            for span in within
        )
        region = slice(rows, rows + self._side), slice(columns, columns + self._side)
        return replace(picture.position, region=region)
