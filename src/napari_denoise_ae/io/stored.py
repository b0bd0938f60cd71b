"""An image file whose pixels are read on demand."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..errors import DenoiseAEError, InvalidInputError, one_line
from .compression import NONE
from .location import file_of, shown
from .picture_metadata import PictureMetadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from .channels import Channel
    from .ome_metadata import OmeMetadata

Part = TypeVar("Part")

# They also log what they raise. Without a handler, Python prints it.
for _library in ("imagecodecs", "tifffile"):
    logging.getLogger(_library).addHandler(logging.NullHandler())
# Number of characters of the error of an imaging library that are shown.
_LONGEST_REASON = 300


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
    compression : str
        Name of the compression of the pixels, see `choose_compression`.
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
    compression: str = NONE
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
def refuse_damaged(path: Path, part: str = "") -> Iterator[None]:
    """Turn errors of imaging libraries into an error that names the file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    part : str
        What is read of it; by default the whole file.

    Raises
    ------
    InvalidInputError
        If the body raises any error.
    """
    try:
        yield
    except DenoiseAEError:
        raise
    # Given a damaged file, these libraries raise errors of any kind.
    except Exception as error:
        kind, name = file_of(path).suffix[1:].upper(), shown(path)
        what = f"{part} of {name}" if part else f"{name} as a {kind} image"
        reason = one_line(error, _LONGEST_REASON).rstrip(".") or type(error).__name__
        raise InvalidInputError(
            f"Cannot read {what}: {reason}. The file is damaged, incomplete or not of "
            "the format that its suffix says."
        ) from error


class Dispensable:
    """Reads metadata that an image can do without; remembers which are damaged."""

    def __init__(self) -> None:
        self._damaged: list[str] = []

    def read(self, name: str, read: Callable[[], Part], default: Part) -> Part:
        """Return the metadata, or a default if they cannot be read.

        Parameters
        ----------
        name : str
            What they are, for `note`.
        read : callable
            Reads them.
        default : object
            What to return if that fails.
        """
        try:
            return read()
        # Given damaged metadata, libraries raise errors of any kind.
        except Exception:  # noqa: BLE001
            self._damaged.append(name)
            return default

    @property
    def note(self) -> str:
        """The note on what is left out; empty if nothing is."""
        if not self._damaged:
            return ""
        return (
            f"The metadata of the file are damaged: {', '.join(self._damaged)} left "
            "out. The pixels are read."
        )


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
