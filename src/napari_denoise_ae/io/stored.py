"""An image file whose pixels are read on demand."""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..errors import InvalidInputError
from .picture_metadata import PictureMetadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .channels import Channel
    from .ome_zarr import OmeMetadata

#: Errors that imaging libraries raise for files that are damaged or of another format.
DAMAGED = (
    ArithmeticError,
    AssertionError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredImage:
    """The pixels and metadata of an image file.

    Parameters
    ----------
    array : array
        Pixels: has a shape and a dtype; indexing reads and returns a NumPy array.
    axes : str or None
        Its axes, see `napari_denoise_ae.image.axes`; None if the file states none.
    chunks : tuple of int, optional
        Shape of the chunks in which pixels are stored.
    scale, units : mapping
        Pixel spacing and its unit, by axis, where known.
    calibration : mapping
        Pixel size of a TIFF, as arguments of `tifffile.imwrite`.
    ome : OmeMetadata, optional
        Metadata of an OME-Zarr image.
    picture : PictureMetadata
        Color map, color profile and EXIF data.
    channels : tuple of Channel
        Names and display of the channels C, or of a gray image; empty if unknown.
    labels : tuple of str
        Labels of the planes in the order of the stack axes; empty if unknown.
    n_levels : int
        Number of levels of the pyramid in the file; the first is read.
    axes_are_assumed : bool
        Whether the file does not say what its pages are.
    notes : tuple of str
        What a user should know of the image: choices and conversions.
    """

    array: Any
    axes: str | None = None
    chunks: tuple[int, ...] | None = None
    scale: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    ome: OmeMetadata | None = None
    picture: PictureMetadata = field(default_factory=PictureMetadata)
    channels: tuple[Channel, ...] = ()
    labels: tuple[str, ...] = ()
    n_levels: int = 1
    axes_are_assumed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels, in native byte order."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype.newbyteorder("=")


@contextmanager
def refuse_damaged(path: Path) -> Iterator[None]:
    """Turn errors of imaging libraries into an error that names the file.

    Raises
    ------
    InvalidInputError
        If the body raises one of `DAMAGED`.
    """
    try:
        yield
    except InvalidInputError:
        raise
    except DAMAGED as error:
        raise InvalidInputError(
            f"Cannot read {path} as a {path.suffix[1:].upper()} image: {error}. The "
            "file is damaged, incomplete or not of the format that its suffix says."
        ) from error


def few_bits_note(bits: int) -> str:
    """Return the note on an image with fewer than 8 bits for each pixel."""
    return (
        f"The image has {bits} bit{'s' * (bits > 1)} for each pixel. The result has 8, "
        "from 0 to 255."
    )


def require_file(path: Path) -> None:
    """Raise unless a file exists.

    Raises
    ------
    InvalidInputError
        If it does not exist, or is a folder.
    """
    # Path.is_file raises if the name is too long.
    if not os.path.isfile(path):  # noqa: PTH113
        reason = "is not a file" if os.path.lexists(path) else "does not exist"
        raise InvalidInputError(f"Cannot read {path}: it {reason}.")
