"""Read the planes of a file, or of a selected region of it, part by part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..denoising.halo import choose_side, find_halo, read_around
from ..errors import InvalidInputError
from ..image.axes import count_colors, stack_axes
from ..io.location import absolute
from ..io.planes import VolumePlanes
from ..io.source import opened_volume

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..image.tiling import Region
    from ..io.source import Volume
    from ..models.networks.base import DenoisingNetwork

    #: First index and the index after the last, by axis letter; without S.
    Selection = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class FilePlanes:
    """The selected planes of a file; can be pickled.

    See `napari_denoise_ae.image.planes.Planes`. Indices of planes, rows and columns
    count from the first selected one.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    file_axes : str
        Its axes.
    selection : mapping
        First index and the index after the last for each axis, see `select`.
    series : int, optional
        Number of the image in the file, see `open_image`.
    """

    path: Path
    file_axes: str
    selection: Selection
    series: int | None = None

    @classmethod
    def of(cls, volume: Volume, selection: Selection | None = None) -> FilePlanes:
        """View a region of a volume, or all of it; see `select`."""
        return cls(
            # Workers of a cluster may have another current folder.
            path=absolute(volume.path),
            file_axes=volume.axes,
            selection=select(volume, selection),
            series=volume.series,
        )

    @property
    def volume(self) -> Volume:
        """The file, opened and cached by this process."""
        return opened_volume(self.path, self.file_axes, self.series)

    @property
    def axes(self) -> str:
        """Letters of the stack, then Y and X."""
        return stack_axes(self.file_axes) + "YX"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as (..., Y, X, channels)."""
        n_colors = count_colors(self.volume.shape, self.file_axes)
        return (*(self._length(letter) for letter in self.axes), n_colors)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        return self.volume.dtype

    @property
    def file_shape(self) -> tuple[int, ...]:
        """Selected length of each of `file_axes`; S is never cropped."""
        lengths = self.volume.lengths
        return tuple(
            lengths[letter] if letter == "S" else self._length(letter)
            for letter in self.file_axes
        )

    def read(self, plane: Sequence[int], region: Region) -> NDArray[Any]:
        """Read a part of a plane, (Y, X, channels)."""
        planes = VolumePlanes(self.volume)
        return planes.read(self._in_file(plane), self.region_in_file(region))

    def read_block(self, plane: Sequence[int], region: Region) -> NDArray[Any]:
        """Read a part of a plane with axes `Volume.block_axes`, including alpha."""
        return self.volume.read(self._in_file(plane), self.region_in_file(region))

    def region_in_file(self, region: Region) -> Region:
        """Return rows and columns counted from the first of the file."""
        rows, columns = (
            slice(part.start + first, part.stop + first)
            for part, first in zip(region, self._first("YX"), strict=True)
        )
        return rows, columns

    def with_whole_planes(self) -> FilePlanes:
        """Return the same planes with all their rows and columns."""
        lengths = self.volume.lengths
        whole = {letter: (0, lengths[letter]) for letter in "YX"}
        return replace(self, selection={**self.selection, **whole})

    def read_around(
        self, plane: Sequence[int], region: Region, network: DenoisingNetwork
    ) -> tuple[NDArray[Any], Region]:
        """Read a part of a plane with the halo that a network needs.

        The halo may extend beyond the selection.

        Parameters
        ----------
        plane : sequence of int
            Index of the plane in the stack.
        region : tuple of slice
            Rows and columns of the part.
        network : DenoisingNetwork
            The network.

        Returns
        -------
        block : numpy.ndarray
            The pixels with axes `Volume.block_axes`, including alpha.
        keep : tuple of slice
            Rows and columns of `block` without the halo.
        """
        halo, volume = find_halo(network), self.volume
        (rows, kept_rows), (columns, kept_columns) = (
            read_around(
                (part.start + first, part.stop + first),
                volume.lengths[letter],
                halo=halo,
                stride=network.stride,
            )
            for letter, part, first in zip("YX", region, self._first("YX"), strict=True)
        )
        block = volume.read(self._in_file(plane), (rows, columns))
        return block, (kept_rows, kept_columns)

    def choose_sides(self, *, stride: int) -> tuple[int, int]:
        """Choose rows and columns of the parts to read at once.

        Parameters
        ----------
        stride : int
            Sides are multiples of it, in pixels, unless the plane is smaller.
        """
        volume = self.volume
        chunks = dict(zip(volume.axes, volume.chunks or (), strict=False))
        rows, columns = (
            choose_side(self._length(letter), chunk=chunks.get(letter), stride=stride)
            for letter in "YX"
        )
        return rows, columns

    def _length(self, letter: str) -> int:
        start, stop = self.selection[letter]
        return stop - start

    def _first(self, letters: str) -> tuple[int, ...]:
        return tuple(self.selection[letter][0] for letter in letters)

    def _in_file(self, plane: Sequence[int]) -> tuple[int, ...]:
        first = self._first(stack_axes(self.file_axes))
        return tuple(a + b for a, b in zip(first, plane, strict=True))


def select(
    volume: Volume, selection: Selection | None = None
) -> dict[str, tuple[int, int]]:
    """Complete and check a selection.

    Parameters
    ----------
    volume : Volume
        The image.
    selection : mapping, optional
        First index and the index after the last for some axes. None selects all.

    Returns
    -------
    dict
        First index and the index after the last for every axis but S.

    Raises
    ------
    InvalidInputError
        If the image lacks an axis, or the indices are out of its bounds.
    """
    lengths = {k: v for k, v in volume.lengths.items() if k != "S"}
    complete = {letter: (0, length) for letter, length in lengths.items()}
    for letter, (start, stop) in (selection or {}).items():
        if letter not in lengths:
            raise InvalidInputError(
                f"The image has no axis {letter} to select from: its axes are "
                f"{volume.axes}, {volume.shape}."
            )
        if not 0 <= start < stop <= lengths[letter]:
            raise InvalidInputError(
                f"Cannot select {letter}={start}:{stop}: the image has "
                f"{letter}=0:{lengths[letter]}."
            )
        complete[letter] = start, stop
    return complete
