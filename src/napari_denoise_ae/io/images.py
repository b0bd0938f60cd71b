"""Read whole images from any supported format; write PNG, JPEG and TIFF files."""

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
#: Suffixes of the formats that `write_image` supports, lower case.
SUFFIXES = _PNG | _JPEG | _TIFF
#: Suffixes of the formats among them that store only integers.
INTEGER_SUFFIXES = _PNG | _JPEG
_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True, eq=False)
class ImageFile:
    """The content of an image file.

    Parameters
    ----------
    pixels : numpy.ndarray
        The image, any shape and dtype.
    axes : str or None
        Axes stated by the file, see `napari_denoise_ae.image.axes`; None if it
        states none.
    calibration : mapping
        Pixel size and related metadata, as arguments of `tifffile.imwrite`.
    provenance : str
        How the image was processed; stored in the description of a TIFF.
    ome : mapping
        Pixel size and related metadata as attributes of OME-XML, for an OME-TIFF.
    color_map : numpy.ndarray, optional
        (3, n) of uint16: colors in which a TIFF is displayed.
    """

    pixels: NDArray[Any]
    axes: str | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    provenance: str = ""
    ome: Mapping[str, Any] = field(default_factory=dict)
    color_map: NDArray[np.uint16] | None = None


def read_image(path: Path) -> ImageFile:
    """Read all pixels of an image file.

    Parameters
    ----------
    path : pathlib.Path
        The file. Pages of one shape in a TIFF are read together; of several series
        the largest is read.

    Returns
    -------
    ImageFile
        Pixels in the file's dtype and native byte order. JPEG images are rotated
        according to their EXIF orientation.

    Raises
    ------
    InvalidInputError
        If the file does not exist or cannot be read.
    """
    stored = open_image(path)
    with refuse_damaged(path):
        pixels = np.asarray(stored.array[...])
    pixels = pixels.astype(stored.dtype, copy=False)
    return ImageFile(pixels, stored.axes, stored.calibration)


def require_storable(
    path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], axes: str
) -> None:
    """Check before a long computation that a file's format can store an image.

    Parameters
    ----------
    path : pathlib.Path
        The file; its suffix determines the format.
    shape : tuple of int
        Shape of the image.
    dtype : numpy.dtype
        Data type of the image.
    axes : str
        Axes of the image.

    Raises
    ------
    InvalidInputError
        If the suffix is unknown, or its format cannot store the dtype or the axes
        without loss.
    """
    _require_known_suffix(path)
    suffix = path.suffix.lower()
    if suffix in _TIFF:
        require_tiff_storable(path, dtype, axes)
        return
    dtypes = ("uint8", "uint16") if suffix in _PNG else ("uint8",)
    if dtype.name not in dtypes:
        raise InvalidInputError(
            f"{path.name}: {suffix[1:].upper()} stores {' and '.join(dtypes)}, but the "
            f"image is {dtype}. Write a .tif file, which stores any dtype."
        )
    if axes not in ("YX", "YXS") or (suffix in _JPEG and shape[2:] == (4,)):
        raise InvalidInputError(
            f"{path.name}: {suffix[1:].upper()} cannot store an image of shape "
            f"{shape} with axes {axes}. Write a .tif file instead."
        )


def write_image(path: Path, image: ImageFile) -> None:
    """Write a PNG, JPEG or TIFF file atomically.

    Parameters
    ----------
    path : pathlib.Path
        The file; its suffix determines the format.
    image : ImageFile
        The image; `axes` must be known.

    Raises
    ------
    InvalidInputError
        If the format cannot store the image, see `require_storable`.
    OutputError
        If the file cannot be written.
    """
    axes = image.axes or ""
    require_storable(path, image.pixels.shape, image.pixels.dtype, axes)
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
    layout = TiffLayout(
        pixels.shape,
        pixels.dtype,
        axes,
        calibration,
        ome=ome,
        color_map=image.color_map,
    )
    write_tiff(path, pixels, layout, provenance=image.provenance)
