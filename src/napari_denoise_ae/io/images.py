"""Image files: PNG, JPEG and TIFF in and out, nothing of them lost."""

from __future__ import annotations

import logging
import math
import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import tifffile
from PIL import Image, ImageOps

from ..errors import InvalidInputError
from ..image.axes import AXES
from .atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

_PNG, _JPEG, _TIFF = {".png"}, {".jpg", ".jpeg"}, {".tif", ".tiff"}
#: Suffixes of the files that can be read and written, lower case.
SUFFIXES = _PNG | _JPEG | _TIFF
_JPEG_QUALITY = 95
# Of ImageJ's metadata, what says how large and how far apart pixels are.
_IMAGEJ_CALIBRATION = ("unit", "spacing", "finterval")
_IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
# Bytes of pixels. Beyond it a TIFF must be a BigTIFF, which ImageJ's kind cannot be.
_LARGEST_CLASSIC_TIFF = 2**32 - 2**25
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
# What tifffile only remarks on, and then reads fewer planes than there were.
_TIFF_IS_CUT_SHORT = ("invalid page offset", "metadata invalid or corrupted")


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
            raise ValueError(f"its colours are {picture.mode}, not grey or RGB")
        return ImageFile(np.array(ImageOps.exif_transpose(picture)))


def _read_tiff(path: Path) -> ImageFile:
    with tifffile_remarks() as remarks, tifffile.TiffFile(path) as tiff:
        require_complete(tiff, path.stat().st_size)
        series = tiff.series[0]
        image = ImageFile(series.asarray(), image_axes(tiff), tiff_calibration(tiff))
    require_no_cut(remarks)
    return image


def require_no_cut(remarks: list[str]) -> None:
    """Raise `ValueError` if tifffile has remarked that planes are missing."""
    for remark in remarks:
        if any(sign in remark for sign in _TIFF_IS_CUT_SHORT):
            raise ValueError(remark)


def image_axes(tiff: tifffile.TiffFile) -> str | None:
    """Return what a TIFF says of its axes; None if it says nothing."""
    axes: str = tiff.series[0].axes
    return axes if set(axes) <= set(AXES) else None


class _Remarks(logging.Handler):
    """Collects what a library logs."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def tifffile_remarks() -> Iterator[list[str]]:
    """Collect what tifffile logs, instead of showing it to the user."""
    logger, handler = logging.getLogger("tifffile"), _Remarks()
    propagated = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


def require_complete(tiff: tifffile.TiffFile, file_size: int) -> None:
    """Raise `ValueError` if a file ends before its pixels do."""
    # tifffile fills segments that lie beyond the end of the file with zeros.
    for page in tiff.series[0].pages:
        if page is None:
            continue
        segments = zip(page.dataoffsets, page.databytecounts, strict=True)
        if any(offset + count > file_size for offset, count in segments):
            raise ValueError("it ends before its pixels do")


def tiff_calibration(tiff: tifffile.TiffFile) -> dict[str, Any]:
    """Return what a TIFF says of the size of its pixels, to be written again."""
    page = tiff.series[0].keyframe
    calibration: dict[str, Any] = {}
    if "XResolution" in page.tags and "YResolution" in page.tags:
        calibration["resolution"] = page.resolution
        calibration["resolutionunit"] = page.resolutionunit
    imagej = tiff.imagej_metadata or {}
    metadata = {key: imagej[key] for key in _IMAGEJ_CALIBRATION if key in imagej}
    if metadata:
        calibration["metadata"] = metadata
    return calibration


def _write_tiff(path: Path, image: ImageFile, axes: str) -> None:
    pixels = image.pixels
    layout = TiffLayout(pixels.shape, pixels.dtype, axes, image.calibration)
    write_tiff(path, pixels, layout, provenance=image.provenance)


@dataclass(frozen=True, slots=True, eq=False)
class TiffLayout:
    """What a TIFF is to be, apart from its pixels.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    dtype : numpy.dtype
        Its dtype.
    axes : str
        Its axes.
    calibration : mapping
        Pixel size and the like, as arguments of `tifffile.imwrite`.
    tile : tuple of int, optional
        Rows and columns of its tiles; None for whole pages.
    ome : mapping, optional
        Metadata of an OME-TIFF; None for one of another kind.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    calibration: Mapping[str, Any] = field(default_factory=dict)
    tile: tuple[int, int] | None = None
    ome: Mapping[str, Any] | None = None


def write_tiff(
    path: Path,
    pixels: NDArray[Any] | Iterator[NDArray[Any]],
    layout: TiffLayout,
    *,
    provenance: str,
) -> None:
    """Write a TIFF from an array, or from its pages or tiles one by one."""
    calibration = dict(layout.calibration)
    imagej = calibration.pop("metadata", {})
    metadata: dict[str, Any] = {"axes": layout.axes}
    # ImageJ's own metadata can only stand in a TIFF of the kind ImageJ writes.
    as_imagej = layout.ome is None and bool(imagej) and _fits_imagej(layout)
    if as_imagej:
        metadata |= imagej
    if layout.ome is not None:
        metadata |= {**layout.ome, "Description": provenance}
    elif provenance:
        metadata["Info"] = provenance
    colour: dict[str, Any] = {"photometric": "minisblack"}
    if layout.axes.endswith(("YXS", "SYX")):
        planar = "separate" if layout.axes.endswith("SYX") else "contig"
        colour = {"photometric": "rgb", "planarconfig": planar}
    tifffile.imwrite(
        path,
        pixels,
        shape=layout.shape,
        dtype=layout.dtype,
        tile=layout.tile,
        # Of pages that come one by one, tifffile does not know how many there are.
        bigtiff=_stored_bytes(layout) > _LARGEST_CLASSIC_TIFF,
        imagej=as_imagej,
        ome=layout.ome is not None,
        metadata=metadata,
        **colour,
        **calibration,
    )


def _fits_imagej(layout: TiffLayout) -> bool:
    """Tell whether ImageJ's kind of TIFF can hold an image: axes in its order."""
    axes = layout.axes
    order = "".join(letter for letter in "TZCYXS" if letter in axes)
    colours_fit = "S" not in axes or layout.dtype == np.uint8
    small = layout.tile is None and _stored_bytes(layout) < _LARGEST_CLASSIC_TIFF
    return (
        layout.dtype.name in _IMAGEJ_DTYPES and axes == order and colours_fit and small
    )


def _stored_bytes(layout: TiffLayout) -> int:
    """Return how many bytes the pixels take; tiles at the margin are filled up."""
    lengths = dict(zip(layout.axes, layout.shape, strict=True))
    if layout.tile is not None:
        for letter, side in zip("YX", layout.tile, strict=True):
            lengths[letter] += -lengths[letter] % side
    return math.prod(lengths.values()) * layout.dtype.itemsize
