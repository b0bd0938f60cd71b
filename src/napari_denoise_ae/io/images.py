"""Read whole images from any supported format; write pictures and TIFF files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..errors import InvalidInputError
from .atomic import atomic_write
from .ome_zarr import missing_chunks
from .picture_metadata import PictureMetadata, with_prefix
from .pictures import INCH, jpeg_holds_density
from .png_file import write_png
from .source import open_image, unknown_format
from .stored import refuse_damaged
from .tiff import TiffLayout, is_ome_tiff, require_tiff_storable, write_tiff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_PNG, _JPEG, _WEBP = {".png"}, {".jpg", ".jpeg"}, {".webp"}
_TIFF = {".tif", ".tiff"}
#: Suffixes of the formats that `write_image` supports, lower case.
SUFFIXES = _PNG | _JPEG | _WEBP | _TIFF
#: Suffixes of the formats among them that store only integers.
INTEGER_SUFFIXES = _PNG | _JPEG | _WEBP
_JPEG_QUALITY = 95
# Rows and columns of a WebP file have 14 bits.
_WEBP_SIDE = 16_383


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
    picture : PictureMetadata
        Color map, color profile and EXIF data.
    density : tuple of float, optional
        Pixels per meter along X and Y, for PNG, JPEG and plain TIFF.
    notes : tuple of str
        What a user should know of an image that was read.
    """

    pixels: NDArray[Any]
    axes: str | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    provenance: str = ""
    ome: Mapping[str, Any] = field(default_factory=dict)
    picture: PictureMetadata = field(default_factory=PictureMetadata)
    density: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


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
        Pixels in the file's dtype and native byte order. JPEG and WebP images are
        rotated according to their EXIF orientation.

    Raises
    ------
    InvalidInputError
        If the file does not exist or cannot be read.
    """
    stored = open_image(path)
    with refuse_damaged(path):
        pixels = np.asarray(stored.array[...])
    pixels = pixels.astype(stored.dtype, copy=False)
    return ImageFile(
        pixels,
        stored.axes,
        stored.calibration,
        picture=stored.picture,
        notes=tuple(text for text in (*stored.notes, missing_chunks(stored)) if text),
    )


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
    has_alpha = shape[2:] in ((2,), (4,))
    is_stored = axes in ("YX", "YXS") and not (suffix in _JPEG and has_alpha)
    if suffix in _WEBP:
        is_stored = (
            axes == "YXS" and shape[2] in (3, 4) and max(shape[:2]) <= _WEBP_SIDE
        )
    if not is_stored:
        raise InvalidInputError(
            f"{path.name}: {suffix[1:].upper()} cannot store an image of shape "
            f"{shape} with axes {axes}. Write a .tif file instead."
        )


def write_image(
    path: Path,
    image: ImageFile,
    before_replacing: Callable[[Path, Path], None] | None = None,
) -> None:
    """Write a PNG, JPEG, WebP or TIFF file atomically.

    Parameters
    ----------
    path : pathlib.Path
        The file; its suffix determines the format.
    image : ImageFile
        The image; `axes` must be known.
    before_replacing : callable, optional
        See `atomic_write`.

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
    with atomic_write(path, before_replacing) as temporary:
        if suffix in _PNG:
            write_png(temporary, image.pixels, image.picture, image.density)
        elif suffix in _JPEG:
            _write_jpeg(temporary, image)
        elif suffix in _WEBP:
            _write_webp(temporary, image)
        else:
            ome = image.ome if is_ome_tiff(path) else None
            _write_tiff(temporary, image, axes, ome)


def _require_known_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise unknown_format(path, SUFFIXES)


def _write_jpeg(path: Path, image: ImageFile) -> None:
    options = _metadata(image)
    if image.density is not None and jpeg_holds_density(image.density):
        options["dpi"] = tuple(round(number * INCH) for number in image.density)
    picture = Image.fromarray(image.pixels)
    picture.save(path, quality=_JPEG_QUALITY, subsampling=0, **options)


def _write_webp(path: Path, image: ImageFile) -> None:
    picture = Image.fromarray(image.pixels)
    # Exact keeps colors where alpha hides them, too.
    picture.save(path, format="WEBP", lossless=True, exact=True, **_metadata(image))


def _metadata(image: ImageFile) -> dict[str, Any]:
    """Return metadata as arguments of Pillow."""
    found: dict[str, Any] = {}
    if image.picture.icc:
        found["icc_profile"] = image.picture.icc
    if image.picture.exif:
        found["exif"] = with_prefix(image.picture.exif)
    return found


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
        picture=image.picture,
        density=image.density,
    )
    write_tiff(path, pixels, layout, provenance=image.provenance)
