"""Find images that show the same scene, before images are split."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .checksum import checksum
from .collection import listed
from .split import group_scenes

if TYPE_CHECKING:
    from .collection import ImageCollection


def with_scenes(images: ImageCollection) -> ImageCollection:
    """Return images that know which of them are copies; a note names these.

    A picture in training and, under another name, in validation would be trained on
    and validated on.

    Parameters
    ----------
    images : ImageCollection
        The images. Their pixels are read for the checksums, see `checksum`.

    Raises
    ------
    DatasetError
        If a file is missing or damaged.
    """
    known = _with_checksums(images)
    same = tuple(replace(each, scene=each.sha256) for each in known.images)
    return _with_note(replace(known, images=same), "the same pixels")


def with_scenes_of(
    noisy: ImageCollection, clean: ImageCollection
) -> tuple[ImageCollection, ImageCollection]:
    """Return pairs that know which of them show the same scene; a note names these.

    Parameters
    ----------
    noisy, clean : ImageCollection
        Pairs, see `match_pairs`. They show the same scene if their clean images are
        copies, as in series of noisy images of one field.

    Raises
    ------
    DatasetError
        If a file is missing or damaged.
    """
    known = _with_checksums(clean)
    pairs = zip(noisy.images, known.images, strict=True)
    images = tuple(replace(image, scene=each.sha256) for image, each in pairs)
    return _with_note(replace(noisy, images=images), "the same clean image"), known


def _with_checksums(images: ImageCollection) -> ImageCollection:
    known = (replace(each, sha256=checksum(each)) for each in images.images)
    return replace(images, images=tuple(known))


def _with_note(images: ImageCollection, same: str) -> ImageCollection:
    """Add a note that names the images of one scene."""
    names = [
        " and ".join(images.images[number].name for number in scene)
        for scene in group_scenes(images)
        if len(scene) > 1
    ]
    if not names:
        return images
    note = (
        f"Images with {same} are split alike into training and validation: "
        f"{listed(names)}."
    )
    return replace(images, notes=(*images.notes, note))
