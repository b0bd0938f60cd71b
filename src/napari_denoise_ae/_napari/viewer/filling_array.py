"""The array that a lazily filled layer shows."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .parts import window_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .parts import Window
    from .tile_cache import Filler

# Where napari reads the pixels of a layer in order to draw them.
_NAPARI_READS = "napari.layers._scalar_field"


@dataclass(frozen=True, slots=True, eq=False)
class FillingView:
    """A part of a level as napari reads it: an array that fills in.

    Parameters
    ----------
    filler : Filler
        What fills it.
    level : int
        Which level.
    window : tuple of (int, int)
        Where each axis is cut.
    dropped : tuple of int
        The axes of which one index is taken.
    n_cuts : int
        How often it was cut. Of a level napari cuts out what is visible, then
        the plane; for the thumbnail only the plane.
    """

    filler: Filler
    level: int
    window: Window
    dropped: tuple[int, ...] = ()
    n_cuts: int = 0

    @classmethod
    def whole(cls, filler: Filler, level: int, shape: Sequence[int]) -> FillingView:
        return cls(filler, level, window_of(shape))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(
            stop - start
            for axis, (start, stop) in enumerate(self.window)
            if axis not in self.dropped
        )

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        return self.filler._levels[self.level].dtype  # noqa: SLF001

    def __getitem__(self, index: Any) -> FillingView:
        cut = self.cut(index)
        if cut is None:
            raise IndexError(f"Cannot take {index!r} of what is shown.")
        return cut

    def cut(self, index: Any) -> FillingView | None:
        """Return a part of it; None where that is no plain part."""
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
        return FillingView(
            self.filler, self.level, tuple(window), tuple(dropped), self.n_cuts + 1
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        filler = self.filler
        is_thumbnail = len(filler._levels) > 1 and self.n_cuts < 2  # noqa: SLF001
        pixels = filler.read(self.level, self.window, compute=not is_thumbnail)
        index = tuple(
            0 if axis in self.dropped else slice(None)
            for axis in range(len(self.window))
        )
        return pixels[index].astype(dtype or pixels.dtype, copy=False)


@lru_cache(maxsize=1)
def filling_array_class() -> type[Any]:
    """Make the class of arrays that fill in; not at once, since it needs dask."""
    import dask.array as da

    class FillingArray(da.Array):
        """A dask array that gives napari a view which fills in."""

        __slots__ = ()

        def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]:
            if _is_read_to_be_drawn(sys._getframe(1)):  # noqa: SLF001
                view = self.__dict__["_filling"]
                whole: NDArray[Any] = view.filler.read_whole(view.level)
                return whole
            return np.asarray(self.__dict__["_inner"].compute())

        def __getitem__(self, index: Any) -> Any:
            if _is_read_to_be_drawn(sys._getframe(1)):  # noqa: SLF001
                view = self.__dict__["_filling"].cut(index)
                if view is not None:
                    return view
            return self.__dict__["_inner"][index]

    return FillingArray


def _is_read_to_be_drawn(frame: Any) -> bool:
    """Tell whether napari reads pixels in the GUI thread, which must not wait.

    The caller's module is the only thing that tells. napari draws what
    `layer.data` gives, and scripts index the same object in the same thread; so
    an array that is only to be drawn would give blank pixels to a script that
    takes it for the result. Asynchronous slicing is no way out: it is one setting
    for all layers, reads the smallest level of a pyramid in the GUI thread
    nevertheless, and makes all layers wait for one thread that cannot be stopped.
    Should napari move its modules, pixels are late, but they are never wrong.
    """
    in_gui = threading.current_thread() is threading.main_thread()
    return in_gui and str(frame.f_globals.get("__name__")).startswith(_NAPARI_READS)
