"""Split images into training and validation before any patch is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import DatasetError
from ...image.tiling import region_shape

if TYPE_CHECKING:
    from ...image.tiling import Region
    from .collection import ImageCollection
    from .image import TrainingImage

# A single image has at most so many strips for validation.
_MOST_STRIPS = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an image, the same in all its planes.

    Parameters
    ----------
    image : int
        Index of the image in its collection.
    region : tuple of slice
        Rows and columns.
    """

    image: int
    region: Region


def split_images(
    images: ImageCollection,
    val_fraction: float,
    seed: int,
    *,
    side: int,
    val_side: int | None = None,
) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Split images into training and validation.

    Two images or more are split by image, so that no patch for validation comes from
    an image that is trained on; images of one scene stay together. A single image, and
    several of a single scene, are split by region: the last rows or columns along the
    longer side, in all planes, are for validation.

    Parameters
    ----------
    images : ImageCollection
        The images; see `ImageCollection.at_least`.
    val_fraction : float
        Fraction of the images, or of the rows or columns, for validation, between 0
        and 1. At least one image, or one patch, is left on each side.
    seed : int
        Random seed of the choice of images.
    side : int
        Rows and columns of a patch.
    val_side : int, optional
        Rows and columns of a validation patch. None means `side`. If it is smaller, up
        to four strips of a single image are for validation, not only the last one.

    Returns
    -------
    train, val : tuple of Part
        Disjoint parts that together cover all pixels.

    Raises
    ------
    DatasetError
        If a single image is too small for both.
    """
    scenes = group_scenes(images)
    if len(scenes) == 1:
        train, val = _split_region(
            images.images[0], val_fraction, side, val_side or side
        )
        (numbers,) = scenes
        return (
            tuple(Part(number, each) for number in numbers for each in train),
            tuple(Part(number, each) for number in numbers for each in val),
        )
    chosen = set(_choose_images(images, scenes, val_fraction, seed))
    parts = whole_images(images)
    return (
        tuple(part for part in parts if part.image not in chosen),
        tuple(part for part in parts if part.image in chosen),
    )


def whole_images(images: ImageCollection) -> tuple[Part, ...]:
    """Return a part for each image that covers all of it."""
    return tuple(
        Part(number, _whole(image)) for number, image in enumerate(images.images)
    )


def group_scenes(images: ImageCollection) -> list[list[int]]:
    """Return the indices of the images of each scene, in the order of the images."""
    found: dict[str | int, list[int]] = {}
    for number, image in enumerate(images.images):
        found.setdefault(image.scene or number, []).append(number)
    return list(found.values())


def _choose_images(
    images: ImageCollection, scenes: list[list[int]], val_fraction: float, seed: int
) -> list[int]:
    """Choose images for validation: at most half of the pixels, where possible."""
    n_scenes = len(scenes)
    n_val = min(max(round(n_scenes * val_fraction), 1), n_scenes - 1)
    n_pixels = np.array(
        [sum(_n_pixels(images.images[number]) for number in scene) for scene in scenes]
    )
    order = np.random.default_rng(seed).permutation(n_scenes)
    if 2 * n_pixels[order[:n_val]].sum() > n_pixels.sum():
        # Not, for example, the only large image.
        order = np.argsort(n_pixels, kind="stable")
    return [number for chosen in order[:n_val] for number in scenes[chosen]]


def _split_region(
    image: TrainingImage, val_fraction: float, side: int, val_side: int
) -> tuple[list[Region], list[Region]]:
    """Split the planes of an image along their longer side.

    If validation patches are smaller, there are several strips for validation, so that
    not all of them are at the border of the image.
    """
    rows, columns = image.plane_shape
    length = max(rows, columns)
    if length < side + val_side:
        raise DatasetError(
            f"{image.name} has {rows} x {columns} pixels: too few to be split into "
            f"training and validation with patches of {side} x {side} pixels. Use "
            f"another image, too, or patches of at most {length // 2} pixels."
        )
    n_val = min(max(round(length * val_fraction), val_side), length - side)
    n_strips = 1
    if val_side < side:
        fitting = min((length - n_val) // (side + 1), n_val // val_side)
        n_strips = max(1, min(_MOST_STRIPS, fitting))
    train: list[Region] = []
    val: list[Region] = []
    for number in range(n_strips):
        start, stop = (length * each // n_strips for each in (number, number + 1))
        middle = stop - n_val // n_strips
        for parts, strip in ((train, slice(start, middle)), (val, slice(middle, stop))):
            is_high = rows > columns
            region = (strip, slice(0, columns)) if is_high else (slice(0, rows), strip)
            parts.append(region)
    return train, val


def _whole(image: TrainingImage) -> Region:
    rows, columns = image.plane_shape
    return slice(0, rows), slice(0, columns)


def _n_pixels(image: TrainingImage) -> int:
    rows, columns = image.plane_shape
    return image.n_planes * rows * columns


def count_pixels(images: ImageCollection, part: Part) -> int:
    """Return the number of pixels of a part, in all planes; colors count as one."""
    rows, columns = region_shape(part.region)
    return images.images[part.image].n_planes * rows * columns
