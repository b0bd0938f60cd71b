"""See color images as gray ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..split import to_gray
from .collection import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...image.planes import Planes
    from ...image.tiling import Region
    from .collection import ImageCollection


@dataclass(frozen=True, slots=True, eq=False)
class LumaPlanes:
    """The luma of color planes, see `Planes`.

    Parameters
    ----------
    planes : Planes
        RGB planes.
    """

    planes: Planes

    @property
    def axes(self) -> str:
        """Letters of the stack, then Y and X."""
        return self.planes.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, 1)."""
        return (*self.planes.shape[:-1], 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        return self.planes.dtype

    def read(self, plane: Sequence[int], region: Region) -> Any:
        """Return a part of a plane, (Y, X, 1), rounded in integer images."""
        return to_gray(np.asarray(self.planes.read(plane, region)))


def as_gray(images: ImageCollection) -> ImageCollection:
    """Return the images, those in color as gray ones; a note says how many."""
    n_color = sum(image.n_colors == 3 for image in images.images)
    if not n_color:
        return images
    converted = tuple(
        replace(image, planes=LumaPlanes(image.planes), sha256="")
        if image.n_colors == 3
        else image
        for image in images.images
    )
    verb = "is" if n_color == 1 else "are"
    note = f"{counted(n_color, 'color image')} {verb} converted to gray."
    return replace(images, images=converted, notes=(*images.notes, note))
