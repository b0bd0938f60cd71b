"""Image files: PNG, JPEG and TIFF in and out, nothing of them lost."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageOps

from ..errors import InvalidInputError
from .atomic import atomic_write
from .calibration import tiff_calibration
from .tiff import (
    TiffLayout,
    image_axes,
    require_complete,
    require_no_cut,
    tifffile_remarks,
    write_tiff,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_PNG, _JPEG, _TIFF = {".png"}, {".jpg", ".jpeg"}, {".tif", ".tiff"}
#: Suffixes of the files that can be read and written, lower case.
SUFFIXES = _PNG | _JPEG | _TIFF
_JPEG_QUALITY = 95
# What the three libraries raise for files that are damaged or not theirs.
DAMAGED = (
    ArithmeticError,
    AssertionError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


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
    """

    pixels: NDArray[Any]
    axes: str | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    provenance: str = ""


def read_image(path: Path) -> ImageFile:
    """Read a PNG, JPEG or TIFF file.

    Parameters
    ----------
    path : pathlib.Path
        The file. Of a TIFF with several series the first is read.

    Returns
    -------
    ImageFile
        Its pixels, in the file's dtype; JPEG turned upright.

    Raises
    ------
    InvalidInputError
        If there is no such file or it cannot be read.
    """
    _require_known_suffix(path)
    require_file(path)
    suffix = path.suffix.lower()
    try:
        if suffix in _PNG:
            return ImageFile(imagecodecs.png_decode(path.read_bytes()))
        return _read_jpeg(path) if suffix in _JPEG else _read_tiff(path)
    except DAMAGED as error:
        raise InvalidInputError(
            f"Cannot read {path} as a {suffix[1:].upper()} image: {error}. The file is "
            "damaged, incomplete or of another kind than its name says."
        ) from error


def require_file(path: Path) -> None:
    """Raise unless there is such a file.

    Raises
    ------
    InvalidInputError
        If there is none, or it is a folder.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path's raises for names too long
        what = "is not a file" if os.path.lexists(path) else "does not exist"
        raise InvalidInputError(f"Cannot read {path}: it {what}.")


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
            _write_tiff(temporary, image, axes)


def _require_known_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidInputError(
            f"Cannot tell the format of {str(path)!r}: the name must end in one of "
            f"{', '.join(sorted(SUFFIXES))}."
        )


def _read_jpeg(path: Path) -> ImageFile:
    with Image.open(path, formats=["JPEG"]) as picture:
        if picture.mode not in ("L", "RGB"):
            raise ValueError(f"its colors are {picture.mode}, not gray or RGB")
        return ImageFile(np.array(ImageOps.exif_transpose(picture)))


def _read_tiff(path: Path) -> ImageFile:
    with tifffile_remarks() as remarks, tifffile.TiffFile(path) as tiff:
        require_complete(tiff, path.stat().st_size)
        series = tiff.series[0]
        image = ImageFile(series.asarray(), image_axes(tiff), tiff_calibration(tiff))
    require_no_cut(remarks)
    return image


def _write_tiff(path: Path, image: ImageFile, axes: str) -> None:
    pixels = image.pixels
    layout = TiffLayout(pixels.shape, pixels.dtype, axes, image.calibration)
    write_tiff(path, pixels, layout, provenance=image.provenance)
