"""Encode the tiles and pages of a TIFF, and decode them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tifffile import PHOTOMETRIC, TIFF

from .compression import DEFLATE, JPEG, LZW, NONE, ZSTD

if TYPE_CHECKING:
    import tifffile
    from numpy.typing import NDArray

_TAGS = {DEFLATE: "ADOBE_DEFLATE", LZW: "LZW", ZSTD: "ZSTD", JPEG: "JPEG"}
# The quality of .jpg files, too. Colors are not stored at half the resolution.
_JPEG_QUALITY = 95
_SUBSAMPLING = (1, 1)
_LARGEST_PREDICTED = 4


def encoding_arguments(
    compression: str, dtype: np.dtype[Any], *, as_imagej: bool
) -> dict[str, Any]:
    """Return a compression as arguments of `tifffile.TiffWriter.write`.

    Parameters
    ----------
    compression : str
        See `choose_compression`.
    dtype : numpy.dtype
        Data type of the pixels.
    as_imagej : bool
        Whether ImageJ must be able to read the file: it knows no predictors.
    """
    if compression == NONE:
        return {}
    if compression == JPEG:
        return {
            "compression": _TAGS[JPEG],
            "compressionargs": {"level": _JPEG_QUALITY},
            "subsampling": _SUBSAMPLING,
        }
    is_predicted = dtype.kind == "f" or dtype.itemsize <= _LARGEST_PREDICTED
    return {
        "compression": _TAGS[compression],
        "predictor": is_predicted and not as_imagej,
    }


def encode(pixels: NDArray[Any], page: tifffile.TiffPage) -> bytes:
    """Encode a tile, or a page that is stored in one piece, as a page demands.

    Parameters
    ----------
    pixels : numpy.ndarray
        (Y, X) or (Y, X, S), in the dtype of the page.
    page : tifffile.TiffPage
        A page with `encoding_arguments`.
    """
    if page.compression == 1:
        return pixels.tobytes()
    compress: Any = TIFF.COMPRESSORS[page.compression]
    if page.compression in TIFF.IMAGE_COMPRESSIONS:
        options: dict[str, Any] = {"level": _JPEG_QUALITY}
        if page.photometric == PHOTOMETRIC.YCBCR:
            options |= {"colorspace": "RGB", "outcolorspace": "YCBCR"}
            options["subsampling"] = _SUBSAMPLING
        return bytes(compress(np.ascontiguousarray(pixels), **options))
    if page.predictor > 1:
        predict: Any = TIFF.PREDICTORS[page.predictor]
        pixels = predict(np.ascontiguousarray(pixels), axis=1)
    return bytes(compress(np.ascontiguousarray(pixels)))


def decode(
    data: bytes, index: int, page: tifffile.TiffPage, shape: tuple[int, ...]
) -> NDArray[Any]:
    """Decode a tile of a page.

    Parameters
    ----------
    data : bytes
        The tile.
    index : int
        Its index in the page.
    page : tifffile.TiffPage
        The page.
    shape : tuple of int
        Shape of the tile, with its padding.
    """
    return np.asarray(page.decode(data, index)[0]).reshape(shape)
