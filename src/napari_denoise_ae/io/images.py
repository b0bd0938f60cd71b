"""Image files as a whole: any known format in, PNG, JPEG and TIFF out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image

from ..errors import InvalidInputError
from .atomic import atomic_write
from .source import open_image, unknown_format
from .stored import refuse_damaged
from .tiff import TiffLayout, is_ome_tiff, require_tiff_storable, write_tiff

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_PNG, _JPEG, _TIFF = {".png"}, {".jpg", ".jpeg"}, {".tif", ".tiff"}
#: Suffixes of the files that can be written, lower case.
SUFFIXES = _PNG | _JPEG | _TIFF
_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True, eq=False)
class ImageFile:
    """The content of an image file.

    Parameters
    ----------
    pixels : numpy.ndarray
        Any shape and dtype that the file has.
    axes : str or None
        What the file says of its axes, see `napari_denoise_ae.image.axes`; None if
        it says nothing.
    calibration : mapping
        Pixel size and the like, as arguments of `tifffile.imwrite`.
    provenance : str
        What was done to the image; stored in the description of a TIFF.
    ome : mapping
        Pixel size and the like, in the words of OME, for an OME-TIFF.
    """

    pixels: NDArray[Any]
    axes: str | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    provenance: str = ""
    ome: Mapping[str, Any] = field(default_factory=dict)


def read_image(path: Path) -> ImageFile:
    """Read an image file as a whole.

    Parameters
    ----------
    path : pathlib.Path
        The file. Of a TIFF with several series the first is read.

    Returns
    -------
    ImageFile
        Its pixels, in the file's dtype and the machine's byte order; JPEG turned
        upright.

    Raises
    ------
    InvalidInputError
        If there is no such file or it cannot be read.
    """
    stored = open_image(path)
    with refuse_damaged(path):
        pixels = np.asarray(stored.array[...])
    pixels = pixels.astype(stored.dtype, copy=False)
    return ImageFile(pixels, stored.axes, stored.calibration)


def require_storable(path: Path, pixels: NDArray[Any], axes: str) -> None:
    """Raise, before long work, if a file's format cannot hold these pixels.

    Raises
    ------
    InvalidInputError
        If the suffix is unknown, or its format cannot hold the dtype or the
        axes without loss.
    """
    _require_known_suffix(path)
    suffix = path.suffix.lower()
    if suffix in _TIFF:
        require_tiff_storable(path, pixels.dtype, axes)
        return
    dtypes = ("uint8", "uint16") if suffix in _PNG else ("uint8",)
    if pixels.dtype.name not in dtypes:
        raise InvalidInputError(
            f"{path.name}: {suffix[1:].upper()} holds {' and '.join(dtypes)}, and the "
            f"image is {pixels.dtype}. Write a .tif file, which holds every dtype."
        )
    if axes not in ("YX", "YXS") or (suffix in _JPEG and pixels.shape[2:] == (4,)):
        raise InvalidInputError(
            f"{path.name}: {suffix[1:].upper()} cannot hold an image of shape "
            f"{pixels.shape} and axes {axes}. Write a .tif file, which can."
        )


def write_image(path: Path, image: ImageFile) -> None:
    """Write a PNG, JPEG or TIFF file, whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        The file; its suffix decides the format.
    image : ImageFile
        What to write; `axes` must be known.

    Raises
    ------
    InvalidInputError
        If the format cannot hold the image, see `require_storable`.
    OutputError
        If the file cannot be written.
    """
    axes = image.axes or ""
    require_storable(path, image.pixels, axes)
    suffix = path.suffix.lower()
    with atomic_write(path) as temporary:
        if suffix in _PNG:
            temporary.write_bytes(imagecodecs.png_encode(image.pixels))
        elif suffix in _JPEG:
            picture = Image.fromarray(image.pixels)
            picture.save(temporary, quality=_JPEG_QUALITY, subsampling=0)
        else:
            ome = image.ome if is_ome_tiff(path) else None
            _write_tiff(temporary, image, axes, ome)


def _require_known_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise unknown_format(path, SUFFIXES)


def _write_tiff(
    path: Path, image: ImageFile, axes: str, ome: Mapping[str, Any] | None
) -> None:
    pixels = image.pixels
    calibration = image.calibration if ome is None else {}
    layout = TiffLayout(pixels.shape, pixels.dtype, axes, calibration, ome=ome)
    write_tiff(path, pixels, layout, provenance=image.provenance)
