"""The images of a training run, and those among them that can be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .image import TrainingImage

# More names would make a sentence unreadable.
_MAX_NAMES = 5
_COLORS = {1: "gray", 3: "color"}


@dataclass(frozen=True, slots=True, eq=False)
class ImageCollection:
    """Images to train on.

    Parameters
    ----------
    images : tuple of TrainingImage
        The images, at least one.
    name : str
        Name to show: that of the folder, the pattern or the file.
    notes : tuple of str
        Sentences that say which images are left out or padded.
    """

    images: tuple[TrainingImage, ...]
    name: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type that holds the pixels of all images."""
        return np.result_type(*(image.dtype for image in self.images))

    def colors(self) -> int:
        """Return the number of colors of most images: 3, or 1 for gray or a tie."""
        n_gray = sum(image.n_colors == 1 for image in self.images)
        return 1 if 2 * n_gray >= len(self.images) else 3

    def of_colors(self, n_colors: int) -> ImageCollection:
        """Return the images with a number of colors; a note names the others.

        Parameters
        ----------
        n_colors : int
            1 for gray, 3 for color.

        Raises
        ------
        DatasetError
            If there are none.
        """
        kept = tuple(image for image in self.images if image.n_colors == n_colors)
        others = [image.name for image in self.images if image.n_colors != n_colors]
        if not others:
            return self
        wanted, other = _COLORS[n_colors], _COLORS[4 - n_colors]
        if not kept:
            raise DatasetError(
                f"A model for {wanted} images cannot be trained on {self.name}: it has "
                f"{counted(len(others), f'{other} image')} and no {wanted} one."
            )
        note = (
            f"{counted(len(others), f'{other} image')} cannot be mixed with the "
            f"{len(kept)} {wanted} ones and {_is(others)} left out: {listed(others)}."
        )
        return replace(self, images=kept, notes=(*self.notes, note))

    def at_least(self, side: int) -> ImageCollection:
        """Return the images that are large enough for patches.

        Images smaller than a patch are padded by reflection when they are read;
        those smaller than half a patch are left out. Notes name both.

        Parameters
        ----------
        side : int
            Rows and columns of a patch.

        Raises
        ------
        DatasetError
            If none is large enough.
        """
        usable = [image for image in self.images if 2 * _side(image) >= side]
        if not usable:
            raise DatasetError(
                f"No image of {self.name} is large enough for patches of {side} x "
                f"{side} pixels: at least half as many rows and columns are needed, "
                f"and the largest image has {max(map(_side, self.images))}. Choose a "
                "smaller patch size."
            )
        images = tuple(
            replace(image, least=side if _side(image) < side else 0) for image in usable
        )
        left_out = [_with_shape(i) for i in self.images if 2 * _side(i) < side]
        padded = [_with_shape(image) for image in images if image.is_padded]
        notes = (*self.notes, *_size_notes(padded, left_out, side))
        return replace(self, images=images, notes=notes)


def listed(names: Sequence[str]) -> str:
    """Return at most five names, and how many more there are."""
    shown = ", ".join(names[:_MAX_NAMES])
    more = len(names) - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, whose plural ends in s: ``"1,200 images"``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _size_notes(padded: list[str], left_out: list[str], side: int) -> list[str]:
    notes = []
    if padded:
        notes.append(
            f"{counted(len(padded), 'image')} smaller than a patch of {side} x {side} "
            f"pixels {_is(padded)} padded by reflection: {listed(padded)}."
        )
    if left_out:
        notes.append(
            f"{counted(len(left_out), 'image')} smaller than half a patch of {side} x "
            f"{side} pixels {_is(left_out)} left out: {listed(left_out)}."
        )
    return notes


def _side(image: TrainingImage) -> int:
    """Return the length of the shorter side of the planes, without padding."""
    return min(image.planes.shape[-3:-1])


def _with_shape(image: TrainingImage) -> str:
    rows, columns = image.planes.shape[-3:-1]
    return f"{image.name} ({rows} x {columns})"


def _is(things: Sequence[str]) -> str:
    return "is" if len(things) == 1 else "are"
