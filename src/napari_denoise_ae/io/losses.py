"""Find what a format cannot hold of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calibration import pixel_density
from .pictures import jpeg_holds_density
from .png_file import holds_density
from .tiff import holds_color_map

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from .stored import StoredImage

_TIFF, _PNG = {".tif", ".tiff"}, {".png"}
_JPEG, _WEBP = {".jpg", ".jpeg"}, {".webp"}


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
    lost = {
        "color map; it will be displayed in gray": _loses_color_map(path, image, dtype),
        "color profile": bool(image.picture.icc) and not _is_picture(path),
        "EXIF data": bool(image.picture.exif) and not _is_picture(path),
        "pixel size": _loses_density(path, image),
        "extra sample, except as alpha": _loses_alpha(path, image),
    }
    return [
        f"{path.name} cannot hold the image's {name}."
        for name, is_lost in lost.items()
        if is_lost
    ]


def _is_picture(path: Path) -> bool:
    """Return whether a format holds color profiles and EXIF data."""
    return path.suffix.lower() in _TIFF | _PNG | _JPEG | _WEBP


def _loses_color_map(path: Path, image: StoredImage, dtype: np.dtype[Any]) -> bool:
    color_map = image.picture.color_map
    if color_map is None:
        return False
    return path.suffix.lower() not in _TIFF or not holds_color_map(dtype, color_map)


def _loses_density(path: Path, image: StoredImage) -> bool:
    density = pixel_density(image.scale, image.units)
    suffix = path.suffix.lower()
    if density is None or suffix not in _PNG | _JPEG | _WEBP:
        return False
    if suffix in _WEBP:
        return True
    holds = holds_density if suffix in _PNG else jpeg_holds_density
    return not holds(density)


def _loses_alpha(path: Path, image: StoredImage) -> bool:
    has_alpha = "S" in (image.axes or "") and image.shape[-1] in (2, 4)
    is_alpha = path.suffix.lower() in _PNG | _WEBP
    return has_alpha and is_alpha and image.picture.alpha != "unassalpha"
