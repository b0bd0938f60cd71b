"""Metadata that say how a picture looks and where it comes from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EXIF_PREFIX = b"Exif\x00\x00"
#: EXIF's tag of the orientation.
ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PictureMetadata:
    """How a picture looks and where it comes from.

    Parameters
    ----------
    color_map : numpy.ndarray, optional
        (3, n) of uint16: colors in which a gray image is displayed.
    alpha : str
        Meaning of the sample after the color: ``"unassalpha"``, alpha;
        ``"assocalpha"``, alpha that the colors are multiplied by; ``"unspecified"``,
        something else.
    icc : bytes
        ICC color profile; empty if there is none.
    exif : bytes
        EXIF data for an upright image, without their prefix; empty if there are none.
    png_chunks : tuple of (bytes, bytes)
        Type and content of chunks of a PNG that hold for the result, too.
    """

    color_map: NDArray[np.uint16] | None = None
    alpha: str = "unassalpha"
    icc: bytes = b""
    exif: bytes = b""
    png_chunks: tuple[tuple[bytes, bytes], ...] = ()


def read_orientation(exif: bytes) -> int:
    """Return the orientation in EXIF data, 1 to 8; 1 is upright and the default."""
    found = 1
    # Damaged EXIF data do not make an image unreadable.
    with suppress(Exception):
        found = int(_load(exif).get(ORIENTATION, 1))
    return found if 1 <= found <= 8 else 1


def upright_exif(exif: bytes) -> bytes:
    """Return EXIF data without prefix, thumbnail and orientation."""
    if not exif:
        return b""
    with suppress(Exception):
        content = _load(exif)
        content.pop(ORIENTATION, None)
        return without_prefix(content.tobytes()) if len(content) else b""
    return b""


def without_prefix(exif: bytes) -> bytes:
    """Return EXIF data as a TIFF file without pixels, as PNG and WebP store them."""
    return exif.removeprefix(_EXIF_PREFIX)


def with_prefix(exif: bytes) -> bytes:
    """Return EXIF data as JPEG stores them."""
    return _EXIF_PREFIX + exif


def _load(exif: bytes) -> Image.Exif:
    content = Image.Exif()
    content.load(exif)
    return content
