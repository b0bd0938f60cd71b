"""Lazy results in a layer: what is looked at is computed outside the GUI thread.

napari reads a layer's pixels in the GUI thread and waits for them. The arrays
here give it at once what is known already, blank where nothing is, and have the
rest computed; the layer is read again when it is there. Everyone else gets what
dask gives. What was computed is kept, up to a limit.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, QTimer, Signal

from ...errors import DenoiseAEError
from ..shared.worker import Failed, Task
from .filling_array import FillingView, filling_array_class
from .parts import copy_common, parts_in, window_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from dask.array import Array
    from numpy.typing import NDArray

    from .parts import Part, Window

# Bytes of results that are kept beside those that are shown.
_KEPT = 2**29
# How long new pixels wait for others before they are shown, in milliseconds.
_REST = 50


class Filler(QObject):  # type: ignore[misc]
    """Computes what is looked at of a lazy result, and keeps it.

    Parameters
    ----------
    levels : sequence of dask.array.Array
        The result; of a pyramid its levels, the largest first.
    axes : str
        Their axes.
    blank : float
        What pixels are before they are known.
    kept : int
        Bytes of results to keep beside those that are shown.

    Attributes
    ----------
    filled : Signal
        More is known of what was read.
    """

    filled = Signal()

    def __init__(
        self,
        levels: Sequence[Array],
        axes: str,
        *,
        blank: float = 0.0,
        kept: int = _KEPT,
    ) -> None:
        super().__init__()
        self._levels, self._axes = tuple(levels), axes
        self._blank, self._limit = blank, kept
        self._cache: OrderedDict[Part, NDArray[Any]] = OrderedDict()
        self._shown: dict[Part, None] = {}
        self._overview: NDArray[Any] | None = None
        self._overview_parts: dict[Part, None] = {}
        self._wanted: deque[Part] = deque()
        # Parts that a thread has taken, and those that failed when they were last
        # looked at.
        self._taken: set[Part] = set()
        self._failed: set[Part] = set()
        self._messages: set[str] = set()
        self._running: Task | None = None
        self._announcing = False
        self.is_needed: Callable[[], bool] = lambda: True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST)
        self._timer.timeout.connect(self._announce)

    @property
    def arrays(self) -> list[Array]:
        """The levels, as dask arrays that napari can read without waiting."""
        return [self._array(level) for level in range(len(self._levels))]

    @property
    def is_idle(self) -> bool:
        """Whether nothing is computed, and nothing waits to be shown."""
        return self._running is None and not self._timer.isActive()

    @property
    def kept_bytes(self) -> int:
        """Bytes of results that are kept."""
        return sum(pixels.nbytes for pixels in self._cache.values())

    def read(self, level: int, window: Window, *, compute: bool) -> NDArray[Any]:
        """Return what is known of a part of a level, and have the rest computed.

        Parameters
        ----------
        level : int
            Which of the levels.
        window : tuple of (int, int)
            Where to cut each axis.
        compute : bool
            Whether what is not known is wanted.
        """
        shape = [stop - start for start, stop in window]
        pixels = np.full(shape, self._blank, self._levels[level].dtype)
        parts = self._parts(level, window)
        for part in parts:
            if (known := self._cache.get(part)) is not None:
                self._cache.move_to_end(part)
                copy_common(known, part.window, pixels, window)
        if compute:
            if not self._announcing:
                # Someone looks again, so whatever failed is worth another try.
                self._failed.clear()
            self._shown = dict.fromkeys(parts)
            self._want()
        return pixels

    def read_whole(self, level: int) -> NDArray[Any]:
        """Return a level that will be filled in, since it is read only once.

        napari reads the smallest level of a single plane so, for the thumbnail.
        """
        shape = self._levels[level].shape
        window = window_of(shape)
        if self._overview is None:
            self._overview = self.read(level, window, compute=False)
            self._overview_parts = dict.fromkeys(self._parts(level, window))
            self._want()
        return self._overview

    def stop(self) -> None:
        """Compute no more than what has begun."""
        self._wanted = deque()

    def _announce(self) -> None:
        """Have the layer read again, which is no new look at what failed."""
        self._announcing = True
        self.filled.emit()
        self._announcing = False

    def _array(self, level: int) -> Array:
        inner = self._levels[level]
        array: Array = filling_array_class()(
            inner.dask,
            inner.name,
            inner.chunks,
            meta=inner._meta,  # noqa: SLF001
        )
        array.__dict__["_filling"] = FillingView.whole(self, level, inner.shape)
        array.__dict__["_inner"] = inner
        return array

    def _is_known(self, part: Part) -> bool:
        return part in self._cache or part in self._taken or part in self._failed

    def _parts(self, level: int, window: Window) -> list[Part]:
        return parts_in(level, window, self._levels[level].shape, self._axes)

    def _want(self) -> None:
        """Have computed what is shown, then what the overview lacks."""
        parts = (*self._shown, *self._overview_parts)
        self._wanted = deque(part for part in parts if not self._is_known(part))
        self._start()

    def _start(self) -> None:
        if self._running is None and self._wanted:
            self._running = Task(
                compute_parts,
                self._take,
                self._levels,
                yielded=self._keep,
                returned=self._on_end,
                errored=lambda: self._on_end(None),
            )

    def _take(self) -> Part | None:
        """Return what to compute next; called in the thread that computes."""
        try:
            part = self._wanted.popleft()
        except IndexError:
            return None
        self._taken.add(part)
        return part

    def _keep(self, done: tuple[Part, NDArray[Any] | Failed]) -> None:
        part, outcome = done
        self._taken.discard(part)
        if isinstance(outcome, Failed):
            self._failed.add(part)
            if outcome.message not in self._messages:
                self._messages.add(outcome.message)
                show_error(outcome.message)
            return
        self._cache[part] = outcome
        if (is_overview := part in self._overview_parts) and self._overview is not None:
            copy_common(
                outcome, part.window, self._overview, window_of(self._overview.shape)
            )
            # What it holds need not be kept a second time.
            del self._overview_parts[part]
        self._forget_oldest()
        if not self.is_needed():
            self.stop()
        elif (is_overview or part in self._shown) and not self._timer.isActive():
            self._timer.start()

    def _forget_oldest(self) -> None:
        spare = [part for part in self._cache if part not in self._shown]
        n_bytes = sum(self._cache[part].nbytes for part in spare)
        for part in spare:
            if n_bytes <= self._limit:
                return
            n_bytes -= self._cache.pop(part).nbytes

    def _on_end(self, _: None) -> None:
        self._running = None
        self._taken.clear()
        self._start()


def compute_parts(
    take: Callable[[], Part | None], levels: Sequence[Array]
) -> Generator[tuple[Part, NDArray[Any] | Failed], None, None]:
    """Compute one part after another, until there is none to take."""
    while (part := take()) is not None:
        yield part, _compute(levels[part.level], part.index)


def _compute(array: Array, index: tuple[slice, ...]) -> NDArray[Any] | Failed:
    try:
        return np.asarray(array[index].compute())
    except DenoiseAEError as error:
        return Failed(str(error))
    except (RuntimeError, MemoryError, OSError) as error:
        return Failed(f"Denoising what is shown failed: {error}")
