"""Read the chunks of a PNG file, and write a PNG with metadata."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import imagecodecs

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from .picture_metadata import PictureMetadata

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Samples per pixel by color type: gray, RGB, palette, gray + alpha, RGBA.
_PALETTE = 3
_SAMPLES = {0: 1, 2: 3, _PALETTE: 3, 4: 2, 6: 4}
# Chunks that hold for the result as well: color spaces and texts. The profile, EXIF
# data and the pixel size are kept in other formats, too.
_COPIED = {b"cHRM", b"cICP", b"gAMA", b"sRGB", b"tEXt", b"zTXt", b"iTXt"}
_READ = _COPIED | {b"acTL", b"iCCP", b"eXIf", b"pHYs", b"tRNS"}
_PER_METER = 1
_LARGEST = 2**31 - 1
# Bytes of a color profile. Those of printers have up to a few million.
_LARGEST_PROFILE = 2**26


@dataclass(frozen=True, slots=True)
class PngHeader:
    """The header and the metadata of a PNG file.

    Parameters
    ----------
    shape : tuple of int
        Shape of the decoded image; a palette becomes RGB.
    bits : int
        Bits per sample; 8 for a palette.
    chunks : tuple of (bytes, bytes)
        Type and content of the chunks that describe the image.
    """

    shape: tuple[int, ...]
    bits: int
    chunks: tuple[tuple[bytes, bytes], ...]

    def find(self, kind: bytes) -> bytes:
        """Return the content of a chunk; empty if there is none."""
        return next((content for name, content in self.chunks if name == kind), b"")

    @property
    def n_frames(self) -> int:
        """Number of frames of an animation, or 1."""
        animation = self.find(b"acTL")
        return int(struct.unpack(">I", animation[:4])[0]) if animation else 1

    @property
    def density(self) -> tuple[float, float] | None:
        """Pixels per meter along X and Y, if they are stated."""
        if len(content := self.find(b"pHYs")) != 9 or content[8] != _PER_METER:
            return None
        across, down = struct.unpack(">II", content[:8])
        return (across, down) if across and down else None

    @property
    def icc(self) -> bytes:
        """ICC profile; empty if there is none.

        Raises
        ------
        ValueError, zlib.error
            If it is damaged.
        """
        # The name of the profile, a zero, and the method of compression, precede it.
        _, _, packed = self.find(b"iCCP").partition(b"\0")
        if not packed:
            return b""
        unpacking = zlib.decompressobj()
        profile = unpacking.decompress(packed[1:], _LARGEST_PROFILE)
        if not unpacking.eof:
            raise ValueError("the color profile is incomplete or too large")
        return profile

    @property
    def copied(self) -> tuple[tuple[bytes, bytes], ...]:
        """Chunks to copy into a PNG of the denoised image."""
        return tuple(chunk for chunk in self.chunks if chunk[0] in _COPIED)


def read_header(file: BinaryIO) -> PngHeader:
    """Read all chunks of a PNG but its pixels.

    Raises
    ------
    ValueError, struct.error, KeyError
        If the file is damaged or no PNG.
    """
    start = file.read(33)
    if not start.startswith(_SIGNATURE):
        raise ValueError("it has no PNG signature")
    width, height, depth, color = struct.unpack(">IIBB", start[16:26])
    chunks = tuple(_read_chunks(file))
    has_transparency = any(kind == b"tRNS" for kind, _ in chunks)
    samples = _SAMPLES[color] + has_transparency
    shape = (height, width, *(samples,) * (samples > 1))
    # The colors of a palette have 8 bits each.
    return PngHeader(shape, 8 if color == _PALETTE else depth, chunks)


def _read_chunks(file: BinaryIO) -> list[tuple[bytes, bytes]]:
    chunks = []
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            break
        if kind in _READ:
            chunks.append((kind, file.read(length)))
            file.seek(4, 1)
        else:
            file.seek(length + 4, 1)  # skip the checksum, too
    return chunks


def write_png(
    path: Path,
    pixels: NDArray[Any],
    metadata: PictureMetadata,
    density: tuple[float, float] | None,
) -> None:
    """Write a PNG.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    pixels : numpy.ndarray
        (Y, X) or (Y, X, samples) of uint8 or uint16.
    metadata : PictureMetadata
        Profile, EXIF data and further chunks.
    density : tuple of float, optional
        Pixels per meter along X and Y. It is left out if it is below 1 or too large.
    """
    encoded = imagecodecs.png_encode(pixels)
    chunks = list(metadata.png_chunks)
    if metadata.icc:
        chunks.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif))
    if density is not None and holds_density(density):
        content = struct.pack(">IIB", *map(round, density), _PER_METER)
        chunks.append((b"pHYs", content))
    # The first chunk, IHDR, ends after 33 bytes.
    added = b"".join(_chunk(kind, content) for kind, content in chunks)
    path.write_bytes(encoded[:33] + added + encoded[33:])


def holds_density(density: tuple[float, float]) -> bool:
    """Return whether a PNG can hold a number of pixels per meter."""
    return all(1 <= number <= _LARGEST for number in density)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return (
        struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", checksum)
    )
