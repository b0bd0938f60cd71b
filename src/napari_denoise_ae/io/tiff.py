"""Write TIFF files."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ..errors import InvalidInputError
from .calibration import plain_resolution
from .picture_metadata import PictureMetadata
from .tiff_exif import append_exif, exif_tags
from .units import as_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_IMAGEJ_DTYPES = ("uint8", "uint16", "float32")
_OME_DTYPES = (
    *("uint8", "uint16", "uint32", "int8", "int16", "int32"),
    *("float32", "float64"),
)
# Planes in any order; samples directly before Y or after X.
_OME_AXES = re.compile("[TZC]*(S?YX|YXS)")
# Bytes of pixels. Anything larger must be a BigTIFF, which ImageJ's format rules out.
_LARGEST_CLASSIC_TIFF = 2**32 - 2**25


def is_ome_tiff(path: Path) -> bool:
    """Return whether a file name is that of an OME-TIFF."""
    return path.name.lower().endswith((".ome.tif", ".ome.tiff"))


def require_tiff_storable(path: Path, dtype: np.dtype[Any], axes: str) -> None:
    """Check before a long computation that a TIFF can store an image.

    Raises
    ------
    InvalidInputError
        If the name is that of an OME-TIFF and OME does not support the dtype or the
        axes.
    """
    fits = dtype.name in _OME_DTYPES and _OME_AXES.fullmatch(axes)
    if is_ome_tiff(path) and not fits:
        raise InvalidInputError(
            f"{path.name}: OME-TIFF cannot store an image of {dtype} with axes {axes}. "
            "Write a .tif file without .ome in its name instead."
        )


@dataclass(frozen=True, slots=True, eq=False)
class TiffLayout:
    """Structure and metadata of a TIFF to be written.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    dtype : numpy.dtype
        Its data type.
    axes : str
        Its axes.
    calibration : mapping
        Pixel size and related metadata, as arguments of `tifffile.imwrite`.
    tile : tuple of int, optional
        Rows and columns of a tile; None stores whole pages.
    ome : mapping, optional
        Metadata of an OME-TIFF; None writes a TIFF without OME-XML.
    density : tuple of float, optional
        Pixels per meter along X and Y, for a TIFF that is not ImageJ's.
    picture : PictureMetadata
        Color map, color profile and EXIF data. The color map is left out if a TIFF
        cannot hold it, see `holds_color_map`.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    calibration: Mapping[str, Any] = field(default_factory=dict)
    tile: tuple[int, int] | None = None
    ome: Mapping[str, Any] | None = None
    density: tuple[float, float] | None = None
    picture: PictureMetadata = field(default_factory=PictureMetadata)


def holds_color_map(dtype: np.dtype[Any], color_map: NDArray[np.uint16]) -> bool:
    """Return whether a TIFF can hold a color map: it needs a color for each value."""
    return dtype.kind == "u" and color_map.shape[1] == 2 ** (8 * dtype.itemsize)


def write_tiff(
    path: Path,
    pixels: NDArray[Any] | Iterator[bytes] | None,
    layout: TiffLayout,
    *,
    provenance: str,
) -> None:
    """Write a TIFF.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    pixels : numpy.ndarray, iterator of bytes, or None
        All pixels, or the encoded tiles one by one; None writes empty pages.
    layout : TiffLayout
        Structure and metadata of the file.
    provenance : str
        How the image was made; stored in its description.
    """
    calibration = dict(layout.calibration)
    imagej = dict(calibration.pop("metadata", {}))
    metadata: dict[str, Any] = {"axes": layout.axes}
    # ImageJ reads its own metadata only from a TIFF in its own format.
    as_imagej = layout.ome is None and bool(imagej) and fits_imagej(layout)
    earlier = str(imagej.pop("Info", ""))
    if as_imagej:
        metadata |= {key: as_ascii(value) for key, value in imagej.items()}
    elif imagej and layout.ome is None:
        calibration = plain_resolution(layout.density)
    if layout.ome is not None:
        metadata |= {**layout.ome, "Description": provenance}
    elif provenance or earlier:
        metadata["Info"] = "\n".join(text for text in (earlier, provenance) if text)
    # tifffile does not know the size of tiles that an iterator yields.
    big = stored_bytes(layout) > _LARGEST_CLASSIC_TIFF
    tifffile.imwrite(
        path,
        pixels,
        shape=layout.shape,
        dtype=layout.dtype,
        tile=layout.tile,
        bigtiff=big,
        imagej=as_imagej,
        ome=layout.ome is not None,
        metadata=metadata,
        **_color_arguments(layout, as_imagej=as_imagej),
        iccprofile=layout.picture.icc or None,
        extratags=exif_tags(layout.picture.exif, big=big),
        **calibration,
    )
    append_exif(path, layout.picture.exif)


def _color_arguments(layout: TiffLayout, *, as_imagej: bool) -> dict[str, Any]:
    """Return the color interpretation, as arguments of `tifffile.imwrite`."""
    if layout.axes.endswith(("YXS", "SYX")):
        planar = "separate" if layout.axes.endswith("SYX") else "contig"
        samples = layout.shape[layout.axes.index("S")]
        kind = "minisblack" if samples == 2 else "rgb"
        extra = {} if samples == 3 else {"extrasamples": [layout.picture.alpha]}
        return {"photometric": kind, "planarconfig": planar, **extra}
    if layout.axes.endswith("YXC"):
        return {"photometric": "minisblack", "planarconfig": "contig"}
    color_map = layout.picture.color_map
    # ImageJ's format has color maps of 256 colors only.
    fits = layout.dtype == np.uint8 or not as_imagej
    if color_map is not None and fits and holds_color_map(layout.dtype, color_map):
        return {"photometric": "palette", "colormap": color_map}
    return {"photometric": "minisblack"}


def imagej_order(axes: str) -> list[int]:
    """Return the position of each axis, in ImageJ's order."""
    return [axes.index(letter) for letter in "TZCYXS" if letter in axes]


def fits_imagej(layout: TiffLayout) -> bool:
    """Return whether ImageJ's TIFF format can store an image."""
    axes = layout.axes
    order = "".join(axes[position] for position in imagej_order(axes))
    colors_fit = "S" not in axes or (
        layout.dtype == np.uint8 and layout.shape[axes.index("S")] > 2
    )
    small = layout.tile is None and stored_bytes(layout) < _LARGEST_CLASSIC_TIFF
    return (
        layout.dtype.name in _IMAGEJ_DTYPES and axes == order and colors_fit and small
    )


def stored_bytes(layout: TiffLayout) -> int:
    """Return the bytes that the pixels occupy, including the padding of tiles."""
    lengths = dict(zip(layout.axes, layout.shape, strict=True))
    if layout.tile is not None:
        for letter, side in zip("YX", layout.tile, strict=True):
            lengths[letter] += -lengths[letter] % side
    return math.prod(lengths.values()) * layout.dtype.itemsize
