"""Open PNG, JPEG and WebP files: read the header first, decode the pixels on demand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from PIL import Image, ImageSequence

from ..errors import InvalidInputError
from .compression import DEFLATE, OTHER
from .limits import claimed_bytes, how_to_lift, is_lifted, require_plausible_size
from .picture_metadata import (
    PictureMetadata,
    read_orientation,
    upright_exif,
    without_prefix,
)
from .png_file import read_header
from .stored import Dispensable, StoredImage, few_bits_note, require_file
from .upright import make_upright

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

#: Length of an inch in meters.
INCH = 0.0254
# JPEG stores pixels per inch as integers of 16 bits.
_LARGEST_DPI = 65535


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
    """Read the header of a PNG file; an animation is a stack of frames."""
    require_file(path)
    with path.open("rb") as file:
        header = read_header(file)
    exif = header.find(b"eXIf")
    if header.n_frames > 1:
        picture = _open_animation(path, "PNG")
    else:
        dtype = np.dtype(np.uint16 if header.bits == 16 else np.uint8)
        picture = _Picture(path, header.shape, dtype, _decode_png)
    metadata = Dispensable()
    icc = metadata.read("color profile", lambda: header.icc, b"")
    notes = (few_bits_note(header.bits) if header.bits < 8 else "", metadata.note)
    return _stored(
        picture,
        orientation=read_orientation(exif),
        density=header.density,
        metadata=PictureMetadata(
            icc=icc, exif=upright_exif(exif), png_chunks=header.copied
        ),
        notes=tuple(text for text in notes if text),
        compression=DEFLATE,
    )


def open_jpeg(path: Path, series: int | None = None) -> StoredImage:
    """Read the header of a JPEG file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    series : int, optional
        Number of the picture in the file, from 0. None means the first.
    """
    require_file(path)
    # A file with several pictures is a "multi-picture object".
    with _opened(path, "JPEG") as picture:
        n_pictures = getattr(picture, "n_frames", 1)
        if series is not None:
            _seek(picture, series, path)
        if picture.mode not in ("L", "RGB"):
            raise ValueError(f"its color mode is {picture.mode}, not gray or RGB")
        width, height = picture.size
        shape = (height, width, *(3,) * (picture.mode == "RGB"))
        exif = without_prefix(picture.info.get("exif", b""))
        icc, dpi = picture.info.get("icc_profile", b""), picture.info.get("dpi")
    note = (
        f"The file holds {n_pictures} pictures. Only the first is read; choose another "
        "one with --series."
    )
    decode = partial(_decode_jpeg, number=series or 0)
    return _stored(
        _Picture(path, shape, np.dtype(np.uint8), decode),
        orientation=read_orientation(exif),
        density=None if not dpi else (dpi[0] / INCH, dpi[1] / INCH),
        metadata=PictureMetadata(icc=icc, exif=upright_exif(exif)),
        notes=(note,) if n_pictures > 1 and series is None else (),
    )


def open_webp(path: Path) -> StoredImage:
    """Read the header of a WebP file; an animation is a stack of frames."""
    require_file(path)
    with _opened(path, "WEBP") as picture:
        if picture.mode not in ("RGB", "RGBA"):
            raise ValueError(f"its color mode is {picture.mode}, not RGB")
        shape = (picture.height, picture.width, len(picture.mode))
        exif = without_prefix(picture.info.get("exif", b""))
        icc = picture.info.get("icc_profile", b"")
        is_animated = getattr(picture, "n_frames", 1) > 1
    decode = partial(_decode, kind="WEBP")
    whole = _Picture(path, shape, np.dtype(np.uint8), decode)
    return _stored(
        _open_animation(path, "WEBP") if is_animated else whole,
        orientation=read_orientation(exif),
        density=None,
        metadata=PictureMetadata(icc=icc, exif=upright_exif(exif)),
    )


def jpeg_holds_density(density: tuple[float, float]) -> bool:
    """Return whether a JPEG can hold a number of pixels per meter."""
    return all(1 <= round(number * INCH) <= _LARGEST_DPI for number in density)


def _stored(
    picture: _Picture,
    *,
    orientation: int,
    density: tuple[float, float] | None,
    metadata: PictureMetadata,
    notes: tuple[str, ...] = (),
    compression: str = OTHER,
) -> StoredImage:
    """Return an upright picture with its pixel size.

    Raises
    ------
    InvalidInputError
        If it claims far more pixels than its file can hold.
    """
    path, claimed = picture.path, claimed_bytes(picture.shape, picture.dtype)
    require_plausible_size(path, claimed, [path.stat().st_size])
    axes = "YX" if len(picture.shape) == 2 else "YXS"
    if len(picture.shape) == 4 or (len(picture.shape) == 3 and picture.shape[2] > 4):
        axes = f"T{axes}"
    scale: dict[str, float] = {}
    if density is not None and min(density) > 0:
        scale = {"X": 1 / density[0], "Y": 1 / density[1]}
    if orientation > 4:
        scale = {"Y" if axis == "X" else "X": size for axis, size in scale.items()}
    return StoredImage(
        array=make_upright(picture, axes, orientation),
        axes=axes,
        scale=scale,
        units=dict.fromkeys(scale, "meter"),
        picture=metadata,
        notes=notes,
        compression=compression,
    )


def _opened(path: Path, kind: str) -> Image.Image:
    """Open a picture with Pillow, which has a limit of its own.

    Raises
    ------
    InvalidInputError
        If the picture has more than about 179 million pixels, unless the user has
        lifted the limit.
    """
    if is_lifted():
        Image.MAX_IMAGE_PIXELS = None
    try:
        return Image.open(path, formats=[kind])
    except Image.DecompressionBombError as error:
        raise InvalidInputError(
            f"Cannot read {path}: it has more than "
            f"{2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels. {how_to_lift()}"
        ) from error


def _open_animation(path: Path, kind: str) -> _Picture:
    """Open the frames of an animated picture as RGB, with alpha if they have some."""
    with _opened(path, kind) as picture:
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        shape = (
            getattr(picture, "n_frames", 1),
            picture.height,
            picture.width,
            len(mode),
        )

    def decode(path: Path) -> NDArray[Any]:
        with _opened(path, kind) as picture:
            frames = ImageSequence.Iterator(picture)
            return np.stack([np.asarray(frame.convert(mode)) for frame in frames])

    return _Picture(path, shape, np.dtype(np.uint8), decode)


def _decode_png(path: Path) -> NDArray[Any]:
    pixels: NDArray[Any] = imagecodecs.png_decode(path.read_bytes())
    return pixels


def _seek(picture: Image.Image, number: int, path: Path) -> None:
    n_pictures = getattr(picture, "n_frames", 1)
    if not 0 <= number < n_pictures:
        raise InvalidInputError(
            f"{path} has no series {number}: it holds {n_pictures} "
            f"picture{'s' * (n_pictures > 1)}, counted from 0."
        )
    picture.seek(number)


def _decode_jpeg(path: Path, number: int) -> NDArray[Any]:
    with _opened(path, "JPEG") as picture:
        picture.seek(number)
        return np.array(picture)


def _decode(path: Path, kind: str) -> NDArray[Any]:
    with _opened(path, kind) as picture:
        return np.array(picture)
