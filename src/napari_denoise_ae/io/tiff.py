"""Write TIFF files."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from ..errors import InvalidInputError
from ..image.casting import mean_of_squares
from ..image.tiling import level_sides
from .calibration import plain_resolution
from .compression import JPEG, NONE
from .picture_metadata import PictureMetadata
from .tiff_encoding import encoding_arguments
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
# What a lossless compression can make of noise, at worst.
_LARGEST_EXPANSION = 1.5


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
    compression : str
        See `choose_compression`.
    n_levels : int
        Number of levels of the pyramid, see `level_sides`. More than 1 need tiles.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    calibration: Mapping[str, Any] = field(default_factory=dict)
    tile: tuple[int, int] | None = None
    ome: Mapping[str, Any] | None = None
    density: tuple[float, float] | None = None
    picture: PictureMetadata = field(default_factory=PictureMetadata)
    compression: str = NONE
    n_levels: int = 1

    @property
    def in_parts(self) -> bool:
        """Whether pages have tiles or are compressed, so that they lie anywhere."""
        return self.tile is not None or self.compression != NONE


def holds_color_map(dtype: np.dtype[Any], color_map: NDArray[np.uint16]) -> bool:
    """Return whether a TIFF can hold a color map: it needs a color for each value."""
    return dtype.kind == "u" and color_map.shape[1] == 2 ** (8 * dtype.itemsize)


def write_tiff(
    path: Path,
    pixels: NDArray[Any] | None,
    layout: TiffLayout,
    *,
    provenance: str,
) -> None:
    """Write a TIFF.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    pixels : numpy.ndarray or None
        All pixels at full resolution. None writes empty pages. If they lie in parts,
        their offsets must be written later.
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
    big = _needs_bigtiff(layout)
    of_levels = {
        "tile": layout.tile,
        **_color_arguments(layout, as_imagej=as_imagej),
        **encoding_arguments(layout.compression, layout.dtype, as_imagej=as_imagej),
    }
    of_file = {
        "metadata": metadata,
        "iccprofile": layout.picture.icc or None,
        "extratags": exif_tags(layout.picture.exif, big=big),
        "subifds": layout.n_levels - 1,
        **calibration,
    }
    is_ome = layout.ome is not None
    with tifffile.TiffWriter(path, bigtiff=big, imagej=as_imagej, ome=is_ome) as writer:
        for level in level_layouts(layout):
            data: NDArray[Any] | Iterator[bytes] | None = pixels
            rows = None
            if pixels is None and layout.in_parts:
                data = iter([b""] * _count_parts(level))
                rows = level.shape[level.axes.index("Y")]
            writer.write(
                data,
                shape=level.shape,
                dtype=level.dtype,
                rowsperstrip=rows,
                **of_levels,
                **of_file,
            )
            of_file = {"subfiletype": 1, "metadata": None}
            if pixels is not None and layout.n_levels > 1:
                pixels = mean_of_squares(pixels, layout.axes.index("Y"))
    append_exif(path, layout.picture.exif)


def level_layouts(layout: TiffLayout) -> list[TiffLayout]:
    """Return the layout of each level of a pyramid, full resolution first."""
    if layout.n_levels == 1:
        return [layout]
    y = layout.axes.index("Y")
    before, after = layout.shape[:y], layout.shape[y + 2 :]
    height, width = layout.shape[y : y + 2]
    sides = level_sides((height, width), layout.n_levels)
    return [replace(layout, shape=(*before, *each, *after)) for each in sides]


def _count_parts(layout: TiffLayout) -> int:
    """Return the number of tiles, or of pages that are stored in one piece."""
    lengths = dict(zip(layout.axes, layout.shape, strict=True))
    sides = lengths.pop("Y"), lengths.pop("X")
    lengths.pop("S", None)
    parts = [
        -(-side // part) for side, part in zip(sides, layout.tile or sides, strict=True)
    ]
    return math.prod(lengths.values()) * math.prod(parts)


def _needs_bigtiff(layout: TiffLayout) -> bool:
    n_bytes = sum(stored_bytes(level) for level in level_layouts(layout))
    expansion = 1 if layout.compression == NONE else _LARGEST_EXPANSION
    return n_bytes * expansion > _LARGEST_CLASSIC_TIFF


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
    fits = fits and layout.compression != JPEG
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
    small = layout.tile is None and not _needs_bigtiff(layout)
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
