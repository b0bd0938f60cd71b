"""Read patches of images, ahead of their use and within a limit of memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DatasetError
from .blocks import BlockCache
from .positions import redraw
from .prefetch import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from .collection import ImageCollection
    from .image import TrainingImage
    from .positions import Position

#: Bytes of decoded pixels that a reader keeps.
MEMORY_LIMIT = 512_000_000
# Images this many times as large as the limit are read anew for most patches.
_MOST_LIMITS = 4
# A patch is drawn again if a larger fraction of its pixels is unknown...
_MOST_UNKNOWN = 0.5
# ...but not more often than this.
_MOST_DRAWS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Patches of a batch.

    Parameters
    ----------
    pixels : numpy.ndarray
        (N, Y, X, colors), in the dtype of their collection.
    unknown : numpy.ndarray
        (N, Y, X), True where a color of a pixel is unknown.
    positions : tuple of Position
        Where they were read.
    """

    pixels: NDArray[Any]
    unknown: NDArray[np.bool_]
    positions: tuple[Position, ...]

    def __len__(self) -> int:
        return len(self.positions)


class PatchReader:
    """Reads patches of images, and keeps the blocks that were decoded last.

    Parameters
    ----------
    images : ImageCollection
        The images, all gray or all in color.
    memory_limit : int
        Bytes of decoded pixels to keep; the default is 512 MB. If the images are
        larger, less of it may be used, see `useful_limit`.
    no_data : sequence of float or None, optional
        For each image a value that marks unknown pixels, or None. By default, only
        NaN and masks do.
    """

    def __init__(
        self,
        images: ImageCollection,
        memory_limit: int = MEMORY_LIMIT,
        *,
        no_data: Sequence[float | None] | None = None,
    ) -> None:
        self.images = images
        limit = useful_limit(images, memory_limit)
        self._cache = BlockCache(images.images, limit)
        self._no_data = no_data or (None,) * len(images)

    def read(self, position: Position) -> NDArray[Any]:
        """Read the patch at a position, known or not.

        Parameters
        ----------
        position : Position
            The position.

        Returns
        -------
        numpy.ndarray
            (side, side, colors), a copy, in the dtype of the image.

        Raises
        ------
        DatasetError
            If the file is missing or damaged, or has infinite values.
        """
        return self._cache.read(position.image, position.plane, position.region)

    def find_unknown(
        self, position: Position, patch: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """Return which pixels of a patch are unknown.

        Parameters
        ----------
        position : Position
            The position of the patch.
        patch : numpy.ndarray
            What `read` returned for it, (side, side, colors).

        Returns
        -------
        numpy.ndarray
            (side, side), True where a color is NaN or the value for no data.
        """
        if not self.may_be_unknown(position):
            return np.zeros(patch.shape[:-1], dtype=bool)
        unknown = np.isnan(patch)
        no_data = self._no_data[position.image]
        if no_data is not None:
            unknown |= patch == no_data
        found: NDArray[np.bool_] = unknown.any(axis=-1)
        return found

    def usable(self, position: Position) -> Position:
        """Return the position, or another if most of its pixels are unknown.

        Parameters
        ----------
        position : Position
            The position.

        Returns
        -------
        Position
            A position in the same part of the same image at which at most half of
            the pixels are unknown; if 100 draws find none, the best of them. It
            depends only on the given position and on the pixels.

        Raises
        ------
        DatasetError
            If 100 draws find no known pixel, or the file cannot be read.
        """
        return _usable((self,), position)

    def read_batch(self, positions: Sequence[Position]) -> Patches:
        """Read patches at the usable positions, see `usable`."""
        return self.collect([self._read_usable(each) for each in positions])

    def prefetch(self, batches: Iterable[Sequence[Position]]) -> Iterator[Patches]:
        """Read batches as `read_batch` does, ahead of their use in a thread.

        Parameters
        ----------
        batches : iterable of sequence of Position
            The batches, see `read_ahead`.

        Yields
        ------
        Patches
            The patches of a batch.
        """
        for found in read_ahead(self._read_usable, batches):
            yield self.collect(found)

    def _read_usable(self, position: Position) -> tuple[Position, NDArray[Any]]:
        found = self.usable(position)
        return found, self.read(found)

    def collect(self, found: Sequence[tuple[Position, NDArray[Any]]]) -> Patches:
        """Return patches with their positions as a batch."""
        return Patches(
            pixels=np.stack([patch for _, patch in found], dtype=self.images.dtype),
            unknown=np.stack([self.find_unknown(*each) for each in found]),
            positions=tuple(position for position, _ in found),
        )

    def may_be_unknown(self, position: Position) -> bool:
        """Return whether pixels of the image can be unknown."""
        is_float = self.images.images[position.image].dtype.kind == "f"
        return is_float or self._no_data[position.image] is not None


class PairReader:
    """Reads patches of two matched collections at the same positions.

    Parameters
    ----------
    noisy, clean : PatchReader
        Readers of collections from `match_pairs`.
    """

    def __init__(self, noisy: PatchReader, clean: PatchReader) -> None:
        self.noisy, self.clean = noisy, clean

    def read_batch(self, positions: Sequence[Position]) -> tuple[Patches, Patches]:
        """Read noisy and clean patches where both are usable."""
        return self._collect([self._read_usable(each) for each in positions])

    def prefetch(
        self, batches: Iterable[Sequence[Position]]
    ) -> Iterator[tuple[Patches, Patches]]:
        """Read noisy and clean patches in a thread, see `PatchReader.prefetch`."""
        for found in read_ahead(self._read_usable, batches):
            yield self._collect(found)

    def _read_usable(
        self, position: Position
    ) -> tuple[Position, NDArray[Any], NDArray[Any]]:
        found = _usable((self.noisy, self.clean), position)
        return found, self.noisy.read(found), self.clean.read(found)

    def _collect(
        self, found: Sequence[tuple[Position, NDArray[Any], NDArray[Any]]]
    ) -> tuple[Patches, Patches]:
        return (
            self.noisy.collect([(position, noisy) for position, noisy, _ in found]),
            self.clean.collect([(position, clean) for position, _, clean in found]),
        )


def kept_bytes(images: ImageCollection) -> int:
    """Return the most bytes that a reader of images keeps. Arrays are not copied."""
    n_bytes = _n_bytes([each for each in images.images if each.block is not None])
    return min(n_bytes, useful_limit(images, MEMORY_LIMIT))


def useful_limit(images: ImageCollection, limit: int) -> int:
    """Return the bytes of decoded pixels to keep.

    Parameters
    ----------
    images : ImageCollection
        The images.
    limit : int
        Their largest number.

    Returns
    -------
    int
        Half the limit for pictures that do not fit, since a few are used at a time, see
        `PicturePool`. A quarter of it for parts of images that are more than four times
        as large, since most of them are read only once.
    """
    n_bytes = _n_bytes(images.images)
    if n_bytes > limit and all(image.is_decoded_whole for image in images.images):
        return limit // 2
    return limit if n_bytes <= _MOST_LIMITS * limit else limit // _MOST_LIMITS


def _n_bytes(images: Sequence[TrainingImage]) -> int:
    return sum(math.prod(each.planes.shape) * each.dtype.itemsize for each in images)


def _usable(readers: Sequence[PatchReader], position: Position) -> Position:
    """Return a position whose pixels are known in all readers, see `usable`."""
    if position.within is None or not any(
        reader.may_be_unknown(position) for reader in readers
    ):
        return position
    least, best = 1.0, position
    images = readers[0].images
    for each in (position, *islice(redraw(images, position), _MOST_DRAWS)):
        unknown = [reader.find_unknown(each, reader.read(each)) for reader in readers]
        fraction = float(np.logical_or.reduce(unknown).mean())
        if fraction <= _MOST_UNKNOWN:
            return each
        if fraction < least:
            least, best = fraction, each
    if least == 1.0:
        raise DatasetError(
            f"{images.images[position.image].name}: no known pixels were found in "
            f"{_MOST_DRAWS} patches. Leave this image out."
        )
    return best
