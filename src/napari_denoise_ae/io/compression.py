"""Compressions of TIFF and OME-Zarr, and the one that a result gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile

#: By default, a result has the lossless compression of its source.
AUTO = "auto"
NONE, DEFLATE, LZW, ZSTD, BLOSC, JPEG = (
    "none",
    "deflate",
    "lzw",
    "zstd",
    "blosc",
    "jpeg",
)
#: The compression of a source that is not written: lossy, or rarely supported.
OTHER = "other"
#: The compressions that a user may choose, and the formats that have them.
COMPRESSIONS = {
    AUTO: ("TIFF", "OME-Zarr"),
    NONE: ("TIFF", "OME-Zarr"),
    DEFLATE: ("TIFF", "OME-Zarr"),
    ZSTD: ("TIFF", "OME-Zarr"),
    LZW: ("TIFF",),
    BLOSC: ("OME-Zarr",),
    JPEG: ("TIFF",),
}
# By the numbers that TIFF has for them.
_OF_TIFF = {1: NONE, 5: LZW, 8: DEFLATE, 32946: DEFLATE, 50000: ZSTD}
_OF_ZARR = {"gzip": DEFLATE, "zlib": DEFLATE, "zstd": ZSTD, "blosc": BLOSC}


def compression_of_page(page: tifffile.TiffPage) -> str:
    """Return the name of the compression of a page of a TIFF."""
    return _OF_TIFF.get(int(page.compression), OTHER)


def compression_of_codecs(names: list[str]) -> str:
    """Return the name of the compression of a Zarr array with these codecs."""
    if not names:
        return NONE
    return _OF_ZARR.get(names[-1], OTHER)


def kind_of(path: Path) -> str:
    """Return the format of a result that has a compression; empty if it has none."""
    kinds = {".tif": "TIFF", ".tiff": "TIFF", ".zarr": "OME-Zarr"}
    return kinds.get(path.suffix.lower(), "")


def choose_compression(asked: str, source: str, kind: str) -> str:
    """Return the compression of a result.

    Parameters
    ----------
    asked : str
        A key of `COMPRESSIONS`.
    source : str
        The compression of the source.
    kind : str
        Format of the result: ``"TIFF"`` or ``"OME-Zarr"``.

    Returns
    -------
    str
        `asked`. If it is `AUTO`: none for a source without compression; that of the
        source if it is lossless and the format has it; else deflate in a TIFF and
        Zstandard in OME-Zarr.
    """
    if asked != AUTO:
        return asked
    if source == NONE or (kind in COMPRESSIONS.get(source, ()) and source != JPEG):
        return source
    return DEFLATE if kind == "TIFF" else ZSTD


def require_format_has(path: Path, compression: str) -> None:
    """Raise if the format of a result does not have a compression.

    Parameters
    ----------
    path : pathlib.Path
        The result.
    compression : str
        The compression that a user has chosen.

    Raises
    ------
    InvalidInputError
        If the compression is unknown, or the format does not have it.
    """
    if compression not in COMPRESSIONS:
        raise InvalidInputError(
            f"compression must be one of {', '.join(COMPRESSIONS)}, got "
            f"{compression!r}."
        )
    if compression != AUTO and kind_of(path) not in COMPRESSIONS[compression]:
        formats = " and ".join(COMPRESSIONS[compression])
        raise InvalidInputError(
            f"Cannot write {path} with the compression {compression}: only {formats} "
            "files have it. Choose another one, or omit --compression."
        )


def require_compressible(
    path: Path, compression: str, dtype: np.dtype[Any], n_samples: int
) -> None:
    """Raise if a compression cannot store the pixels of a result.

    Parameters
    ----------
    path : pathlib.Path
        The result.
    compression : str
        The compression that a user has chosen.
    dtype : numpy.dtype
        Data type of the result.
    n_samples : int
        Number of samples of a pixel: 1 for gray.

    Raises
    ------
    InvalidInputError
        If it is JPEG, and the pixels are not uint8 in gray or RGB.
    """
    if compression == JPEG and (dtype != np.uint8 or n_samples not in (1, 3)):
        samples = f" with {n_samples} samples" if n_samples > 1 else ""
        raise InvalidInputError(
            f"Cannot write {path} with the compression jpeg: it stores uint8 in gray "
            f"or RGB, but the image is {dtype}{samples}. Choose another one, such as "
            "--compression deflate."
        )
