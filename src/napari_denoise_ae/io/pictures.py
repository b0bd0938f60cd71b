"""Open PNG and JPEG files: read the header first, decode the pixels on demand."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image, ImageOps

from .stored import StoredImage, few_bits_note, require_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Samples per pixel by PNG color type: gray, RGB, palette, gray + alpha, RGBA.
_PALETTE = 3
_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
# EXIF's orientation tag, and its values that swap height and width.
_ORIENTATION, _ROTATED = 0x0112, {5, 6, 7, 8}


@dataclass(frozen=True, eq=False)
class _Picture:
    """A file that is decoded as a whole, once, at the first access."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    decode: Callable[[Path], NDArray[Any]]

    @cached_property
    def _pixels(self) -> NDArray[Any]:
        pixels = self.decode(self.path)
        if pixels.shape != self.shape:
            raise ValueError(
                f"its pixels have shape {pixels.shape}, its header says {self.shape}"
            )
        return pixels

    def __getitem__(self, index: Any) -> NDArray[Any]:
        return np.asarray(self._pixels[index])


def open_png(path: Path) -> StoredImage:
    """Read the header of a PNG file."""
    require_file(path)
    with path.open("rb") as file:
        shape, bits = _png_header(file)
    dtype = np.dtype(np.uint16 if bits == 16 else np.uint8)
    return StoredImage(
        array=_Picture(path, shape, dtype, _decode_png),
        notes=(few_bits_note(bits),) if bits < 8 else (),
    )


def open_jpeg(path: Path) -> StoredImage:
    """Read the header of a JPEG file; the shape is that after EXIF rotation."""
    require_file(path)
    with Image.open(path, formats=["JPEG"]) as picture:
        if picture.mode not in ("L", "RGB"):
            raise ValueError(f"its color mode is {picture.mode}, not gray or RGB")
        width, height = picture.size
        if picture.getexif().get(_ORIENTATION) in _ROTATED:
            width, height = height, width
        shape = (height, width, *(3,) * (picture.mode == "RGB"))
    return StoredImage(array=_Picture(path, shape, np.dtype(np.uint8), _decode_jpeg))


def _png_header(file: BinaryIO) -> tuple[tuple[int, ...], int]:
    """Return the shape of a decoded PNG and its bits; a palette becomes RGB."""
    start = file.read(33)
    if not start.startswith(_PNG_SIGNATURE):
        raise ValueError("it has no PNG signature")
    width, height, depth, color = struct.unpack(">IIBB", start[16:26])
    samples = _PNG_SAMPLES[color] + _has_transparency(file)
    shape = (height, width, *(samples,) * (samples > 1))
    # The colors of a palette have 8 bits each.
    return shape, 8 if color == _PALETTE else depth


def _has_transparency(file: BinaryIO) -> bool:
    """Return whether a tRNS chunk follows, which decodes to an alpha channel."""
    while True:
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind in (b"tRNS", b"IDAT", b"IEND"):
            return bool(kind == b"tRNS")
        file.seek(length + 4, 1)  # skip the checksum, too


def _decode_png(path: Path) -> NDArray[Any]:
    pixels: NDArray[Any] = imagecodecs.png_decode(path.read_bytes())
    return pixels


def _decode_jpeg(path: Path) -> NDArray[Any]:
    with Image.open(path, formats=["JPEG"]) as picture:
        return np.array(ImageOps.exif_transpose(picture))
