"""Which indices along each axis a selection in an HDF5 file has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import h5py
    from numpy.typing import NDArray

_UNLIMITED = 2**64 - 1


@dataclass(frozen=True, slots=True)
class AxisSelection:
    """Blocks of indices along an axis, at equal distances.

    Parameters
    ----------
    start : int
        First index.
    stride : int
        Distance of the blocks.
    count : int
        Number of blocks.
    block : int
        Indices in a block, at most `stride`.
    """

    start: int
    stride: int
    count: int
    block: int

    @property
    def length(self) -> int:
        """Number of selected indices."""
        return self.count * self.block

    @property
    def stop(self) -> int:
        """The index after the last one."""
        return self.start + (self.count - 1) * self.stride + self.block

    def positions(self, indices: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return where in the selection each index is; -1 for those outside it."""
        block, within = np.divmod(indices - self.start, self.stride)
        is_selected = (block >= 0) & (block < self.count) & (within < self.block)
        return np.where(is_selected, block * self.block + within, -1)

    def indices(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the selected indices at these positions."""
        block, within = np.divmod(positions, self.block)
        return self.start + block * self.stride + within


def whole(shape: Iterable[int]) -> tuple[AxisSelection, ...]:
    """Return the selection of everything."""
    return tuple(AxisSelection(0, n, 1, n) for n in shape)


def selection_of(space: h5py.h5s.SpaceID) -> tuple[AxisSelection, ...] | None:
    """Return what a data space selects; None if that is everything.

    Parameters
    ----------
    space : h5py.h5s.SpaceID
        The data space, which must be regular and of fixed length.
    """
    from h5py import h5s

    if space.get_select_type() == h5s.SEL_ALL:
        return None
    # A single block may be longer than its stride, which then has no meaning.
    return tuple(
        AxisSelection(start, block if count == 1 else stride, count, block)
        for start, stride, count, block in zip(
            *space.get_regular_hyperslab(), strict=True
        )
    )


def is_regular(space: h5py.h5s.SpaceID) -> bool:
    """Return whether a data space selects everything, or blocks at equal distances."""
    from h5py import h5s

    kind = space.get_select_type()
    is_blocks = kind == h5s.SEL_HYPERSLABS and space.is_regular_hyperslab()
    return kind == h5s.SEL_ALL or bool(is_blocks)


def is_open_ended(space: h5py.h5s.SpaceID) -> bool:
    """Return whether a selection grows with the data set."""
    from h5py import h5s

    if not is_regular(space) or space.get_select_type() == h5s.SEL_ALL:
        return False
    _, _, *numbers = space.get_regular_hyperslab()
    return any(_UNLIMITED in each for each in numbers)
