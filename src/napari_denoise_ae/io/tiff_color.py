"""Interpret the pixels of a TIFF as its photometric interpretation demands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC

from ..errors import InvalidInputError
from .stored import few_bits_note
from .views import Colored, Converted

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile
    from numpy.typing import NDArray

# Interpretations whose pixels are no intensities in gray or RGB, and the reason.
_REFUSED = {
    PHOTOMETRIC.MASK: "it is a transparency mask, which contains no noise",
    PHOTOMETRIC.SEPARATED: "its colors are inks (CMYK). Convert it to RGB first",
    PHOTOMETRIC.CIELAB: "its colors are CIE L*a*b*. Convert it to RGB first",
    PHOTOMETRIC.ICCLAB: "its colors are ICC L*a*b*. Convert it to RGB first",
    PHOTOMETRIC.ITULAB: "its colors are ITU L*a*b*. Convert it to RGB first",
    PHOTOMETRIC.CFA: (
        "its pixels are raw values behind a color filter array, so that neighbors have "
        "different colors. Convert it to RGB first"
    ),
    PHOTOMETRIC.LOGL: "its intensities are LogL. Convert them to linear ones first",
    PHOTOMETRIC.LOGLUV: "its colors are LogLuv. Convert it to RGB first",
    PHOTOMETRIC.SEMANTIC_MASK: "it is a mask of classes, which contains no noise",
}
_GRAY = {PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.DEPTH_MAP}
_ALPHA = {EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA}
# Encodings that tifffile converts from YCbCr to RGB.
_CONVERTED = {
    COMPRESSION.JPEG,
    COMPRESSION.OJPEG,
    COMPRESSION.ALT_JPEG,
    COMPRESSION.JPEGXL,
    COMPRESSION.WEBP,
}
# Largest step of a color map whose indices are intensities, of 65535. ImageJ's steepest
# maps stay below it; the palettes of quantized photographs do not.
_LARGEST_STEP = 16 * 257


@dataclass(frozen=True, slots=True, eq=False)
class Interpretation:
    """The pixels of a TIFF as intensities.

    Parameters
    ----------
    array : array
        The intensities, read on indexing.
    axes : str or None
        Their axes.
    color_map : numpy.ndarray or None
        (3, n) of uint16: colors in which the intensities are displayed.
    note : str
        What a user should know of the conversion; empty if nothing.
    """

    array: Any
    axes: str | None
    color_map: NDArray[np.uint16] | None = None
    note: str = ""


def interpret(
    array: Any, axes: str | None, tiff: tifffile.TiffFile, page: tifffile.TiffPage
) -> Interpretation:
    """Turn the stored values of a TIFF into intensities.

    Colors of a palette are looked up, unless its indices are intensities; white-is-zero
    is inverted, except in ImageJ's files, where it is a matter of display.

    Parameters
    ----------
    array : array
        The stored values, read on indexing.
    axes : str or None
        Their axes.
    tiff : tifffile.TiffFile
        The open file.
    page : tifffile.TiffPage
        A page of the image.

    Raises
    ------
    InvalidInputError
        If the values are no intensities in gray or RGB.
    """
    path, kind = tiff.filehandle.path, page.photometric
    if kind in _REFUSED:
        raise _refused(path, _REFUSED[PHOTOMETRIC(kind)])
    if kind == PHOTOMETRIC.YCBCR and page.compression not in _CONVERTED:
        raise _refused(path, "its colors are YCbCr. Convert it to RGB first")
    if kind == PHOTOMETRIC.PALETTE and page.colormap is not None:
        return _from_palette(array, axes, page.colormap)
    if axes is not None and kind in _GRAY and not _is_alpha(page):
        # Further samples of a gray pixel are channels, not colors.
        axes = axes.replace("S", "C") if "C" not in axes else axes
    color_map = None
    if kind == PHOTOMETRIC.MINISWHITE and tiff.is_imagej:
        ramp = np.arange(255, -1, -1, dtype=np.uint16) * 257
        color_map = np.stack([ramp, ramp, ramp])
    elif kind == PHOTOMETRIC.MINISWHITE:
        array = _inverted(array, page, path)
    bits = page.bitspersample
    if kind in _GRAY and isinstance(bits, int) and bits < 8:
        return _from_few_bits(array, axes, bits)
    return Interpretation(array, axes, color_map)


def _is_alpha(page: tifffile.TiffPage) -> bool:
    """Return whether the second of two samples of a gray pixel is alpha."""
    return page.samplesperpixel == 2 and set(page.extrasamples) <= _ALPHA


def _inverted(array: Any, page: tifffile.TiffPage, path: str) -> Converted:
    dtype = np.dtype(array.dtype).newbyteorder("=")
    if dtype.kind == "b":
        return Converted(array, dtype, np.logical_not)
    if dtype.kind not in "iu":
        raise _refused(
            path,
            f"zero is white, but the value of black is unknown in {dtype}. Invert it "
            "first",
        )
    bits = page.bitspersample
    black = -1
    if dtype.kind == "u":
        black = 2 ** (bits if isinstance(bits, int) else 8 * dtype.itemsize) - 1

    def invert(block: NDArray[Any]) -> NDArray[Any]:
        # Equals black - block, without an overflow.
        flipped: NDArray[Any] = np.invert(block) & dtype.type(black)
        return flipped.astype(dtype, copy=False)

    return Converted(array, dtype, invert)


def _from_few_bits(array: Any, axes: str | None, bits: int) -> Interpretation:
    factor = 255 // (2**bits - 1)
    converted = Converted(
        array,
        np.dtype(np.uint8),
        lambda block: block.astype(np.uint8) * np.uint8(factor),
    )
    return Interpretation(converted, axes, note=few_bits_note(bits))


def _from_palette(
    array: Any, axes: str | None, color_map: NDArray[np.uint16]
) -> Interpretation:
    if is_ramp(color_map):
        return Interpretation(array, axes, color_map)
    colors: NDArray[Any] = color_map.T
    if len(colors) <= 256:
        colors = (colors >> 8).astype(np.uint8)
    if (colors == colors[:, :1]).all():
        return Interpretation(
            Converted(array, colors.dtype, lambda block: colors[block, 0]), axes
        )
    looked_up = Colored(array, np.ascontiguousarray(colors))
    return Interpretation(looked_up, None if axes is None else f"{axes}S")


def is_ramp(color_map: NDArray[np.uint16]) -> bool:
    """Return whether neighboring indices of a color map have similar colors.

    Then the indices are intensities, as in ImageJ's color maps. The first and the last
    color may stand out, to mark clipped intensities.
    """
    steps = np.abs(np.diff(color_map[:, 1:-1].astype(np.int32), axis=1))
    return color_map.shape[1] >= 256 and bool(steps.max() <= _LARGEST_STEP)


def _refused(path: str | Path, reason: str) -> InvalidInputError:
    return InvalidInputError(f"Cannot read {path}: {reason}.")
