"""An image to train on: its planes, and how they are read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DatasetError, InvalidInputError
from ...image.checks import require_finite
from ...image.planes import whole_plane
from ...image.tiling import round_up

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ...image.planes import Planes
    from ...image.tiling import Region

# Planes up to this size are read as a whole: opening a file takes as long.
_WHOLE_PLANE = 4 << 20  # bytes
# Blocks have at least this many rows and columns: several patches.
_LEAST_BLOCK = 256


@dataclass(frozen=True, slots=True, eq=False)
class ChannelPlanes:
    """The planes of one channel of a stack, see `Planes`; they have no axis C.

    Parameters
    ----------
    planes : Planes
        The stack, with an axis C.
    channel : int
        Index along it.
    """

    planes: Planes
    channel: int

    @property
    def axes(self) -> str:
        """Letters of the stack without C, then Y and X."""
        return self.planes.axes.replace("C", "")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""
        position = self._position
        return self.planes.shape[:position] + self.planes.shape[position + 1 :]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        return self.planes.dtype

    def read(self, plane: Sequence[int], region: Region) -> Any:
        """Return a part of a plane, (Y, X, channels)."""
        before, after = plane[: self._position], plane[self._position :]
        return self.planes.read((*before, self.channel, *after), region)

    @property
    def _position(self) -> int:
        return self.planes.axes.index("C")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TrainingImage:
    """An image or a stack of images to train on.

    Parameters
    ----------
    name : str
        Name to show: that of the file.
    planes : Planes
        Its pixels as they are stored.
    path : pathlib.Path, optional
        The file; None for an array.
    block : tuple of int, optional
        Rows and columns that are read and decoded at once, see `choose_block`. None
        if any region is read as fast as it can be copied.
    least : int
        Rows and columns to which smaller planes are padded by reflection.
    sha256 : str
        Its checksum; empty if it has not been computed.
    scene : str
        Checksum of the scene that it shows. Images of one scene are never divided
        between training and validation. Empty if it is the only one of its scene.
    """

    name: str
    planes: Planes
    path: Path | None = None
    block: tuple[int, int] | None = None
    least: int = 0
    sha256: str = ""
    scene: str = ""

    @property
    def axes(self) -> str:
        """Letters of the stack, then Y and X."""
        return self.planes.axes

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels. Masked arrays are floating-point."""
        return self.planes.dtype

    @property
    def n_colors(self) -> int:
        """Number of colors: 3, or 1 for gray; alpha is dropped."""
        return self.planes.shape[-1]

    @property
    def stack_shape(self) -> tuple[int, ...]:
        """Lengths of the axes of the stack; empty for a single plane."""
        return self.planes.shape[:-3]

    @property
    def n_planes(self) -> int:
        """Number of planes: of all times, depths and channels."""
        return math.prod(self.stack_shape)

    def plane_at(self, number: int) -> tuple[int, ...]:
        """Return the index in the stack of a plane that is counted from 0."""
        if not self.stack_shape:
            return ()
        return tuple(int(each) for each in np.unravel_index(number, self.stack_shape))

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Rows and columns of a plane, padding included."""
        rows, columns = self.planes.shape[-3:-1]
        return max(rows, self.least), max(columns, self.least)

    @property
    def is_padded(self) -> bool:
        """Whether its planes are padded by reflection."""
        return self.plane_shape != self.planes.shape[-3:-1]

    @property
    def is_decoded_whole(self) -> bool:
        """Whether a plane is decoded as a whole, even if a part of it is needed."""
        rows, columns = self.planes.shape[-3:-1]
        return self.block is not None and (
            self.block[0] >= rows and self.block[1] >= columns
        )

    def read(self, plane: Sequence[int], region: Region) -> NDArray[Any]:
        """Read a part of a plane.

        Parameters
        ----------
        plane : sequence of int
            Index of the plane in the stack.
        region : tuple of slice
            Rows and columns, counted in the padded plane.

        Returns
        -------
        numpy.ndarray
            (Y, X, colors), in the dtype of the image. NaN marks unknown pixels.

        Raises
        ------
        DatasetError
            If the file is damaged or missing, or has infinite values.
        """
        if not self.is_padded:
            return self.read_stored(plane, region)
        rows, columns = region
        pixels = self.read_stored(plane, whole_plane(self.planes))
        return _pad(pixels, self.plane_shape)[rows, columns]

    def read_stored(self, plane: Sequence[int], region: Region) -> NDArray[Any]:
        """Read a part of a plane without padding; see `read`."""
        try:
            pixels = np.asarray(self.planes.read(plane, region))
            require_finite(pixels)
        except InvalidInputError as error:
            raise DatasetError(named(self.name, error)) from error
        return pixels


def facts_of(image: TrainingImage) -> str:
    """Return the name, the shape, the axes and the color of an image."""
    shape = " x ".join(str(length) for length in image.planes.shape[:-1])
    color = "RGB" if image.n_colors == 3 else "gray"
    return f"{image.name} ({shape}, {image.axes}, {color})"


def named(name: str, error: Exception) -> str:
    """Return the message of an error, preceded by an image's name if it lacks it."""
    message = str(error)
    return message if name in message else f"{name}: {message}"


def choose_block(
    planes: Planes, chunk: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Choose the rows and columns of a plane to read and decode at once.

    Parameters
    ----------
    planes : Planes
        The image.
    chunk : tuple of int, optional
        Rows and columns of the chunks in which it is stored. None if it is decoded
        as a whole.

    Returns
    -------
    tuple of int
        The whole plane if it is stored as a whole or has at most 4 MiB; otherwise
        as many chunks as have 256 rows and columns.
    """
    rows, columns, n_colors = planes.shape[-3:]
    n_bytes = rows * columns * n_colors * planes.dtype.itemsize
    if chunk is None or n_bytes <= _WHOLE_PLANE:
        return rows, columns
    return (
        min(rows, round_up(_LEAST_BLOCK, chunk[0])),
        min(columns, round_up(_LEAST_BLOCK, chunk[1])),
    )


def _pad(pixels: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Pad a plane, (Y, X, colors), by reflection, about equally on all sides."""
    missing = [shape[axis] - pixels.shape[axis] for axis in (0, 1)]
    widths = [(more // 2, more - more // 2) for more in missing]
    return np.pad(pixels, (*widths, (0, 0)), mode="reflect")
