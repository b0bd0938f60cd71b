"""Find what a format cannot hold of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..image.tiling import LARGEST_PLANE
from .calibration import pixel_density
from .channels import is_colored, is_ramp_of_one_color
from .compression import AUTO, JPEG
from .pictures import jpeg_holds_density
from .png_file import holds_density
from .tiff import TiffLayout, fits_imagej, holds_color_map, imagej_order, is_ome_tiff

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from .stored import StoredImage

_TIFF = {".tif", ".tiff"}
_PICTURES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
# What each format holds. A plain TIFF is one that ImageJ's format does not fit.
_PROFILE, _EXIF = "color profile", "EXIF data"
_SPACING, _STEP = "Z spacing", "time step"
_NAMES, _COLORS, _WINDOWS = "channel names", "colors", "display range"
_LABELS, _LEVELS = "labels of planes", "pyramid levels"
_HOLDS = {
    "png": {_PROFILE, _EXIF},
    "jpeg": {_PROFILE, _EXIF},
    "webp": {_PROFILE, _EXIF},
    "plain": {_PROFILE, _EXIF},
    "imagej": {_PROFILE, _EXIF, _SPACING, _STEP, _NAMES, _COLORS, _WINDOWS, _LABELS},
    "ome-tiff": {_PROFILE, _EXIF, _SPACING, _STEP, _NAMES, _COLORS, _LEVELS},
    "ome-zarr": {_SPACING, _STEP, _NAMES, _COLORS, _WINDOWS, _LEVELS},
}


def find_losses(
    path: Path, image: StoredImage, dtype: np.dtype[Any], compression: str = AUTO
) -> str:
    """Return a sentence on the metadata of an image that a result will lack.

    Parameters
    ----------
    path : pathlib.Path
        The result; its suffix determines the format.
    image : StoredImage
        The input; its axes are known.
    dtype : numpy.dtype
        Data type of the result.
    compression : str
        The compression that a user has chosen for it, see `choose_compression`.

    Returns
    -------
    str
        Empty if the result holds everything.
    """
    kind = _kind_of(path, image, dtype, compression)
    channels = image.channels
    has = {
        _PROFILE: bool(image.picture.icc),
        _EXIF: bool(image.picture.exif),
        _SPACING: "Z" in image.units,
        _STEP: "T" in image.units,
        _NAMES: any(channel.name for channel in channels),
        _WINDOWS: any(channel.window for channel in channels),
        _LABELS: bool(image.labels),
        _LEVELS: image.n_levels > 1,
    }
    lost = [name for name, known in has.items() if known and name not in _HOLDS[kind]]
    if _loses_colors(kind, image, dtype, compression):
        lost.append(_COLORS)
    if _loses_density(kind, image):
        lost.append("pixel size")
    if _loses_alpha(kind, image):
        lost.append("extra sample, except as alpha")
    if not lost:
        return ""
    listed = " and ".join([", ".join(lost[:-1]), lost[-1]] if lost[1:] else lost)
    return f"{path.name} cannot hold the image's {listed}."


def _kind_of(
    path: Path, image: StoredImage, dtype: np.dtype[Any], compression: str
) -> str:
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        return _PICTURES[suffix]
    if suffix not in _TIFF:
        return "ome-zarr"
    if is_ome_tiff(path):
        return "ome-tiff"
    axes = image.axes or ""
    lengths = dict(zip(axes, image.shape, strict=True))
    # Larger planes and JPEG are written in tiles, which ImageJ's format does not know.
    is_small = max(lengths["Y"], lengths["X"]) <= LARGEST_PLANE and compression != JPEG
    order = imagej_order(axes)
    shape = tuple(image.shape[position] for position in order)
    layout = TiffLayout(shape, dtype, "".join(axes[position] for position in order))
    return "imagej" if is_small and fits_imagej(layout) else "plain"


def _loses_colors(
    kind: str, image: StoredImage, dtype: np.dtype[Any], compression: str
) -> bool:
    color_map = image.picture.color_map
    is_tiff = kind in ("plain", "imagej", "ome-tiff") and compression != JPEG
    if color_map is not None and is_tiff and holds_color_map(dtype, color_map):
        return False
    colored = [channel for channel in image.channels if is_colored(channel)]
    if _COLORS not in _HOLDS[kind]:
        return bool(colored)
    holds_maps = kind == "imagej"
    return not (holds_maps or all(map(is_ramp_of_one_color, colored)))


def _loses_density(kind: str, image: StoredImage) -> bool:
    density = pixel_density(image.scale, image.units)
    if density is None or kind not in _PICTURES.values():
        return False
    if kind == "webp":
        return True
    holds = holds_density if kind == "png" else jpeg_holds_density
    return not holds(density)


def _loses_alpha(kind: str, image: StoredImage) -> bool:
    has_alpha = "S" in (image.axes or "") and image.shape[-1] in (2, 4)
    return has_alpha and kind in ("png", "webp") and image.picture.alpha != "unassalpha"
