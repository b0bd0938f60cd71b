"""The dask array of a lazy result, which napari reads without waiting."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .parts import window_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .parts import Window
    from .tile_cache import TileCache

# The package in which napari reads the pixels of a layer to draw them.
_NAPARI_SLICING = "napari.layers._scalar_field"


@dataclass(frozen=True, slots=True, eq=False)
class CachedView:
    """A part of a level as napari reads it: cached pixels, and blanks.

    Parameters
    ----------
    cache : TileCache
        The cache that is read.
    level : int
        Index of the level.
    window : tuple of (int, int)
        Start and stop of each axis.
    dropped : tuple of int
        The axes indexed by an integer.
    n_cuts : int
        The number of times the level was indexed. napari indexes a level twice to
        draw it, by the visible region and by the plane, but once for the thumbnail,
        by the plane.
    """

    cache: TileCache
    level: int
    window: Window
    dropped: tuple[int, ...] = ()
    n_cuts: int = 0

    @classmethod
    def whole(cls, cache: TileCache, level: int) -> CachedView:
        """Return a view of a whole level."""
        return cls(cache, level, window_of(cache.levels[level].shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, without the dropped axes."""
        return tuple(
            stop - start
            for axis, (start, stop) in enumerate(self.window)
            if axis not in self.dropped
        )

    @property
    def ndim(self) -> int:
        """The number of axes, without the dropped ones."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the level."""
        return self.cache.levels[self.level].dtype

    def __getitem__(self, index: Any) -> CachedView:
        cut = self.cut(index)
        if cut is None:
            raise IndexError(f"Cannot index a cached view with {index!r}.")
        return cut

    def cut(self, index: Any) -> CachedView | None:
        """Return a part of the view.

        None if the index is not made of non-negative integers and slices of step 1.
        """
        indices = index if isinstance(index, tuple) else (index,)
        if self.dropped or len(indices) > len(self.window):
            return None
        window, dropped = list(self.window), []
        for axis, part in enumerate(indices):
            start, stop = self.window[axis]
            if isinstance(part, slice) and part.step in (None, 1):
                first, last, _ = part.indices(stop - start)
                window[axis] = (start + first, start + max(first, last))
            elif isinstance(part, (int, np.integer)) and 0 <= part < stop - start:
                window[axis] = (start + int(part), start + int(part) + 1)
                dropped.append(axis)
            else:
                return None
        return CachedView(
            self.cache, self.level, tuple(window), tuple(dropped), self.n_cuts + 1
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        is_thumbnail = len(self.cache.levels) > 1 and self.n_cuts < 2
        pixels = self.cache.read(self.level, self.window, compute=not is_thumbnail)
        index = tuple(
            0 if axis in self.dropped else slice(None)
            for axis in range(len(self.window))
        )
        return pixels[index].astype(dtype or pixels.dtype, copy=False)


@lru_cache(maxsize=1)
def cached_array_class() -> type[Any]:
    """Return the array class, defined here so that dask is imported only if needed."""
    import dask.array as da

    class CachedArray(da.Array):
        """A dask array that returns cached views to napari's drawing code."""

        __slots__ = ()

        def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]:
            if _is_read_for_drawing(sys._getframe(1)):  # noqa: SLF001
                view = self.__dict__["_view"]
                overview: NDArray[Any] = view.cache.read_overview(view.level)
                return overview
            return np.asarray(self.__dict__["_computed"].compute())

        def __getitem__(self, index: Any) -> Any:
            if _is_read_for_drawing(sys._getframe(1)):  # noqa: SLF001
                view = self.__dict__["_view"].cut(index)
                if view is not None:
                    return view
            return self.__dict__["_computed"][index]

    return CachedArray


def _is_read_for_drawing(frame: Any) -> bool:
    """Return whether the caller is napari's drawing code in the GUI thread.

    Only the module of the caller tells drawing from other access: napari and the
    user's scripts index the same `layer.data` in the same thread, and scripts must
    never get blank pixels. napari's asynchronous slicing is no alternative. It is one
    setting for all layers, it still reads the smallest level of a pyramid in the GUI
    thread, and all layers wait for one thread that cannot be stopped. If napari
    renames its modules, drawing has to wait, but pixels are never wrong.
    """
    in_gui = threading.current_thread() is threading.main_thread()
    return in_gui and str(frame.f_globals.get("__name__")).startswith(_NAPARI_SLICING)
