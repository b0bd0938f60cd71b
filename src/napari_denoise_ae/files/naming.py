"""Name results that are written into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..io.images import SUFFIXES
from ..io.location import split_hdf5
from ..io.source import ARRAYS, ZARR, format_of

if TYPE_CHECKING:
    from pathlib import Path


def result_name(source: Path) -> str:
    """Return the name of the result of an image.

    It is that of the image, if its format is written. Otherwise it is a TIFF, and for
    formats with metadata of microscopes an OME-TIFF.
    """
    suffix = format_of(source)
    if suffix in SUFFIXES or suffix == ZARR:
        return source.name
    file, inside = split_hdf5(source)
    stem = file.name[: len(file.name) - len(suffix)]
    stem += inside.rstrip("/").replace("/", "_")
    if suffix in ARRAYS:
        return f"{stem}.tif"
    return f"{stem.removesuffix('.ome')}.ome.tif"
