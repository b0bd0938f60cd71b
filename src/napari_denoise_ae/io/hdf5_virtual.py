"""Read virtual data sets, whose pixels are in data sets of other files.

The HDF5 library would read them from anywhere, without limits on their chunks, and
would return the fill value in place of files that are missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from . import hdf5_selection as selection
from .hdf5_chunks import limit_chunks
from .hdf5_links import file_near, find_object
from .limits import claimed_bytes, how_to_lift, is_lifted, require_plausible_size

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray

    from .hdf5_chunks import LimitedDataset
    from .hdf5_selection import AxisSelection

    Indices = NDArray[np.intp]

# Virtual data sets may consist of others, in circles.
_MOST_NESTED = 4


def open_pixels(
    dataset: h5py.Dataset, folder: Path, depth: int = 0
) -> h5py.Dataset | LimitedDataset | VirtualDataset:
    """Return the pixels of a data set, which are checked before they are read.

    Parameters
    ----------
    dataset : h5py.Dataset
        The data set.
    folder : pathlib.Path
        Folder, without symbolic links, from which other files are read.
    depth : int
        Number of virtual data sets that it is a part of.

    Returns
    -------
    h5py.Dataset or LimitedDataset or VirtualDataset
        Has a shape and a dtype; a tuple of slices reads a part. If the user has
        lifted the limits, it is the data set itself.

    Raises
    ------
    InvalidInputError
        If there are fewer bytes than the pixels need, if they are in files other than
        HDF5 files in that folder, or if they cannot be checked.
    MissingDependencyError
        If h5py lacks their compression.
    """
    file = Path(dataset.file.filename)
    if not is_lifted() and dataset.is_virtual:
        return VirtualDataset.of(dataset, folder, depth)
    if not is_lifted() and dataset.external:
        raise InvalidInputError(
            f"Cannot read {file}: the pixels of {dataset.name} are in another file, "
            f"{dataset.external[0][0]}, which is not HDF5. {how_to_lift()}"
        )
    claimed = claimed_bytes(dataset.shape, dataset.dtype, dataset.chunks or ())
    require_plausible_size(file, claimed, [file.stat().st_size])
    return limit_chunks(dataset, file)


def is_open_ended(dataset: h5py.Dataset) -> bool:
    """Return whether even the shape of a data set depends on other files."""
    return dataset.is_virtual and any(
        selection.is_open_ended(source.vspace) for source in dataset.virtual_sources()
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A data set that is a part of a virtual one.

    `target` selects the place that it has there, `source` the pixels of it that are
    used; None uses all.
    """

    file: Path
    inside: str
    target: tuple[AxisSelection, ...]
    source: tuple[AxisSelection, ...] | None

    def fill(
        self, pixels: NDArray[Any], wanted: list[Indices], folder: Path, depth: int
    ) -> None:
        """Write the wanted pixels that this part has."""
        axes = list(zip(self.target, wanted, strict=True))
        if any(each[-1] < axis.start or axis.stop <= each[0] for axis, each in axes):
            return
        found = [axis.positions(each) for axis, each in axes]
        places = [np.flatnonzero(each >= 0) for each in found]
        if not all(place.size for place in places):
            return
        positions = [each[place] for each, place in zip(found, places, strict=True)]
        part = self._read(positions, folder, depth)
        if not np.can_cast(part.dtype, pixels.dtype, "safe"):
            raise ValueError(f"its part in {self.file} has the type {part.dtype}")
        pixels[np.ix_(*places)] = part.reshape([place.size for place in places])

    def _read(self, positions: list[Indices], folder: Path, depth: int) -> NDArray[Any]:
        """Read the pixels at positions in `target`."""
        import h5py

        with h5py.File(self.file, "r") as content:
            dataset = find_object(content, self.inside, folder)
            if not isinstance(dataset, h5py.Dataset):
                raise InvalidInputError(
                    f"Cannot read {self.file}: there is no data set {self.inside!r}."
                )
            pixels = open_pixels(dataset, folder, depth)
            source = self.source or selection.whole(pixels.shape)
            if _long_axes(source) != _long_axes(self.target):
                raise ValueError(f"its part in {self.file} has another shape")
            # Axes of length 1 may be in one of the two only.
            pairs = zip(self.target, positions, strict=True)
            kept = iter([each for axis, each in pairs if axis.length != 1])
            first = np.zeros(1, np.intp)
            return _read_indices(
                pixels,
                [
                    axis.indices(first if axis.length == 1 else next(kept))
                    for axis in source
                ],
            )


@dataclass(frozen=True, slots=True, eq=False)
class VirtualDataset:
    """A virtual data set, whose parts are opened when they are read.

    Parameters
    ----------
    shape : tuple of int
        Axis lengths.
    dtype : numpy.dtype
        Data type of the pixels.
    fill_value : object
        Value of the pixels that are in no part.
    parts : tuple
        The data sets with its pixels.
    folder : pathlib.Path
        Folder, without symbolic links, from which files are read.
    depth : int
        Number of virtual data sets that it is a part of.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fill_value: Any
    parts: tuple[_Part, ...]
    folder: Path
    depth: int

    @classmethod
    def of(cls, dataset: h5py.Dataset, folder: Path, depth: int) -> VirtualDataset:
        """Return the pixels of a virtual data set, see `open_pixels`."""
        file = Path(dataset.file.filename)
        if reason := _unsupported(dataset, depth):
            raise InvalidInputError(
                f"Cannot read {file}: the virtual data set {dataset.name} {reason}. "
                f"{how_to_lift()}"
            )
        shape, dtype, fill_value = dataset.shape, dataset.dtype, dataset.fillvalue
        parts = _parts_of(dataset, file, folder)
        files = {file, *(part.file for part in parts)}
        sizes = (each.stat().st_size for each in files)
        require_plausible_size(file, claimed_bytes(shape, dtype), sizes)
        return cls(shape, dtype, fill_value, parts, folder, depth)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        slices = (slice(None),) * len(self.shape) if index is Ellipsis else index
        wanted = [
            np.arange(length)[each]
            for length, each in zip(self.shape, slices, strict=True)
        ]
        shape = [each.size for each in wanted]
        pixels = np.full(shape, self.fill_value, self.dtype)
        if pixels.size:
            for part in self.parts:
                part.fill(pixels, wanted, self.folder, self.depth + 1)
        return pixels


def _unsupported(dataset: h5py.Dataset, depth: int) -> str:
    """Return why a virtual data set is not read; empty if it is."""
    if depth == _MOST_NESTED:
        return "is nested too deeply"
    if is_open_ended(dataset):
        return "has no fixed length"
    is_regular = all(
        selection.is_regular(each.vspace) and selection.is_regular(each.src_space)
        for each in dataset.virtual_sources()
    )
    return "" if is_regular else "has parts other than equal blocks"


def _parts_of(dataset: h5py.Dataset, file: Path, folder: Path) -> tuple[_Part, ...]:
    """Return the parts of a virtual data set.

    Raises
    ------
    ValueError
        If they overlap, so that a small file could demand endless reading.
    """
    parts = []
    for each in dataset.virtual_sources():
        # A name has each % twice, since %b stands for a number.
        name = each.file_name.replace("%%", "%")
        parts.append(
            _Part(
                file if name == "." else file_near(name, file, folder),
                each.dset_name.replace("%%", "%"),
                selection.selection_of(each.vspace) or selection.whole(dataset.shape),
                selection.selection_of(each.src_space),
            )
        )
    n_pixels = sum(math.prod(_long_axes(part.target)) for part in parts)
    if n_pixels > math.prod(dataset.shape):
        raise ValueError("the parts of its virtual data set overlap")
    return tuple(parts)


def _long_axes(axes: tuple[AxisSelection, ...]) -> list[int]:
    """Return the lengths other than 1."""
    return [axis.length for axis in axes if axis.length != 1]


def _read_indices(pixels: Any, indices: list[Indices]) -> NDArray[Any]:
    """Read pixels at ascending indices along each axis."""
    steps = [_step(each) for each in indices]
    block = pixels[
        tuple(
            slice(int(each[0]), int(each[-1]) + 1, step)
            for each, step in zip(indices, steps, strict=True)
        )
    ]
    picked = [
        (each - each[0]) // step for each, step in zip(indices, steps, strict=True)
    ]
    picked_block: NDArray[Any] = block[np.ix_(*picked)]
    return picked_block


def _step(indices: Indices) -> int:
    """Return the distance of indices if it is always the same; otherwise 1."""
    steps = np.unique(np.diff(indices))
    return int(steps[0]) if steps.size == 1 else 1
