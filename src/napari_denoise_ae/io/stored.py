"""An image in a file, whose pixels are read when they are asked for."""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .ome_zarr import OmeMetadata

#: Raised by imaging libraries for files that are damaged or of another format.
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
    """The pixels of a file, and everything else that it says of its image.

    Parameters
    ----------
    array : array
        Its pixels: has shape and dtype, and slices of it are NumPy arrays.
    axes : str or None
        Its axes, see `napari_denoise_ae.image.axes`; None if the file does not say.
    chunks : tuple of int, optional
        What is read at once.
    scale, units : mapping
        Distance between pixels and its unit, by axis, where they are known.
    calibration : mapping
        What else a TIFF says, as arguments of `tifffile.imwrite`.
    ome : OmeMetadata, optional
        What else an OME-Zarr says.
    """

    array: Any
    axes: str | None = None
    chunks: tuple[int, ...] | None = None
    scale: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    ome: OmeMetadata | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels, in the machine's byte order."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype)
        return dtype.newbyteorder("=")


@contextmanager
def refuse_damaged(path: Path) -> Iterator[None]:
    """Turn errors of imaging libraries into one that names the file.

    Raises
    ------
    InvalidInputError
        If what is done within raises one of `DAMAGED`.
    """
    try:
        yield
    except InvalidInputError:
        raise
    except DAMAGED as error:
        raise InvalidInputError(
            f"Cannot read {path} as a {path.suffix[1:].upper()} image: {error}. The "
            "file is damaged, incomplete or of another kind than its name says."
        ) from error


def require_file(path: Path) -> None:
    """Raise unless there is such a file.

    Raises
    ------
    InvalidInputError
        If there is none, or it is a folder.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path's raises for names too long
        what = "is not a file" if os.path.lexists(path) else "does not exist"
        raise InvalidInputError(f"Cannot read {path}: it {what}.")
