"""Find the repeats of a scene: the frames of a stack, or images of equal shape."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DatasetError
from ...image.tiling import region_shape
from .collection import listed
from .image import TrainingImage, facts_of
from .layout import lay_out_patches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...image.planes import Planes
    from ...image.tiling import Region
    from ...models.config import TrainingConfig
    from ...models.networks.base import DenoisingNetwork
    from .collection import ImageCollection
    from .layout import PatchLayout
    from .positions import Position


#: A patch is compared with the mean of at most this many other repeats.
MOST_OTHERS = 8
# A trained network passes over all pixels so often, times the square root of the number
# of repeats.
_PASSES = 8.5


@dataclass(frozen=True, slots=True, eq=False)
class RepeatPlanes:
    """Images of equal shape as the frames of one stack, see `Planes`.

    Parameters
    ----------
    frames : tuple of Planes
        The images, without an axis T.
    """

    frames: tuple[Planes, ...]

    @property
    def axes(self) -> str:
        """T, then the axes of an image."""
        return "T" + self.frames[0].axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (T, ..., Y, X, channels)."""
        return len(self.frames), *self.frames[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type that holds the pixels of all images."""
        return np.result_type(*(frame.dtype for frame in self.frames))

    def read(self, plane: Sequence[int], region: Region) -> Any:
        """Return a part of a plane, (Y, X, channels)."""
        return self.frames[plane[0]].read(plane[1:], region)


def as_repeats(images: ImageCollection) -> ImageCollection:
    """Return images as stacks whose frames along T are repeats.

    Parameters
    ----------
    images : ImageCollection
        Stacks with an axis T of at least two frames each; or at least two images
        without it, all of the same scene.

    Raises
    ------
    DatasetError
        If they are neither.
    """
    stacks = [image for image in images.images if _n_frames(image) > 1]
    if len(stacks) == len(images):
        return images
    if stacks:
        single = [image.name for image in images.images if _n_frames(image) < 2]
        raise DatasetError(
            "Repeats are either stacks with an axis T or images of one scene, not "
            f"both. Without two frames along T: {listed(single)}."
        )
    if len(images) < 2:
        raise DatasetError(
            f"{facts_of(images.images[0])} has no repeats: two frames or more along an "
            "axis T are needed, or two images or more of the same scene. Give the axes "
            "of a stack, such as TYX."
        )
    if "T" in images.images[0].axes:
        raise DatasetError(
            f"{facts_of(images.images[0])} has only one frame along T. Give repeats as "
            "images without an axis T, or as one stack."
        )
    _require_same_shapes(images)
    return replace(images, images=(_stack(images),))


def lay_out_repeats(
    repeats: ImageCollection, config: TrainingConfig, network: DenoisingNetwork
) -> PatchLayout:
    """Choose the size of patches of repeats, and where they may lie.

    Parameters
    ----------
    repeats : ImageCollection
        See `as_repeats`.
    config, network
        See `lay_out_patches`.
    """
    return lay_out_patches(
        repeats,
        config,
        network,
        has_small_validation=True,
        splits_images=len(repeats) > 1,
    )


def most_passes(repeats: ImageCollection) -> float:
    """Return how often a trained network may pass over all pixels, at most.

    With more passes over a small image, it learns the noise of the repeats. The noise
    of the mean of n repeats falls with the square root of n.

    Parameters
    ----------
    repeats : ImageCollection
        See `as_repeats`.
    """
    n_frames = min(_n_frames(image) for image in repeats.images)
    return _PASSES * math.sqrt(min(n_frames, 1 + MOST_OTHERS))


class KeptOut:
    """Patches of frames that no other frame is compared with in training.

    Parameters
    ----------
    positions : sequence of Position
        The patches.

    Attributes
    ----------
    positions : tuple of Position
        The patches.
    """

    def __init__(self, positions: Sequence[Position]) -> None:
        self.positions = tuple(positions)
        self._regions: dict[tuple[int, ...], list[Region]] = {}
        for each in positions:
            key = (each.image, *each.plane)
            self._regions.setdefault(key, []).append(each.region)

    def mask(self, position: Position) -> NDArray[np.bool_]:
        """Return which pixels of a position are kept out, (Y, X)."""
        rows, columns = position.region
        mask = np.zeros(region_shape(position.region), dtype=bool)
        for region in self._regions.get((position.image, *position.plane), ()):
            mask[_within(region[0], rows), _within(region[1], columns)] = True
        return mask


def _within(span: slice, other: slice) -> slice:
    """Return the indices of a span within another, which may be none of it."""
    first, last = (max(end - other.start, 0) for end in (span.start, span.stop))
    return slice(first, last)


def _n_frames(image: TrainingImage) -> int:
    """Return the number of frames along T; 0 without it."""
    if "T" not in image.axes:
        return 0
    return image.planes.shape[image.axes.index("T")]


def _require_same_shapes(images: ImageCollection) -> None:
    first = images.images[0]
    for image in images.images[1:]:
        if (image.axes, image.planes.shape) != (first.axes, first.planes.shape):
            raise DatasetError(
                "Repeats of one scene must have the same shape and axes, got "
                f"{facts_of(first)} and {facts_of(image)}."
            )


def _stack(images: ImageCollection) -> TrainingImage:
    first = images.images[0]
    frames = tuple(image.planes for image in images.images)
    return TrainingImage(
        name=images.name, planes=RepeatPlanes(frames), block=first.block
    )
