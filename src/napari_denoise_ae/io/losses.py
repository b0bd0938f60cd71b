"""Find what a format cannot hold of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .tiff import holds_color_map

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from .stored import StoredImage

_TIFF = {".tif", ".tiff"}


def find_losses(path: Path, image: StoredImage, dtype: np.dtype[Any]) -> list[str]:
    """Return a sentence for each property of an image that a result will lack.

    Parameters
    ----------
    path : pathlib.Path
        The result; its suffix determines the format.
    image : StoredImage
        The input.
    dtype : numpy.dtype
        Data type of the result.
    """
    losses = []
    if image.color_map is not None:
        in_tiff = path.suffix.lower() in _TIFF
        if not (in_tiff and holds_color_map(dtype, image.color_map)):
            losses.append("color map. It will be displayed in gray")
    return [f"{path.name} cannot hold the image's {loss}." for loss in losses]
