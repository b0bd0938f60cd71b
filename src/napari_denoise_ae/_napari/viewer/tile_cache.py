"""Cache of lazy results, which computes the viewed parts outside the GUI thread.

napari reads a layer's pixels in the GUI thread and waits for them. The arrays of this
cache immediately return the parts that are cached, and the source elsewhere. Missing
parts are computed in a worker thread, and then the layer is redrawn. All other readers
of the arrays get the result that dask computes.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, QTimer, Signal

from ..shared.worker import Failed, Task
from .cached_array import CachedView, cached_array_class
from .compute_parts import Step, compute_parts
from .parts import copy_overlap, parts_in, window_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dask.array import Array
    from numpy.typing import NDArray

    from .parts import Part, Window

# Bytes of cached results besides those on display.
_MAX_BYTES = 2**29
# Delay before new parts are drawn, to draw several at once, in milliseconds.
_REDRAW_DELAY = 50


class TileCache(QObject):  # type: ignore[misc]
    """Computes and caches the viewed parts of a lazy result.

    Parameters
    ----------
    levels : sequence of dask.array.Array
        The result; for a pyramid, its levels, the largest first.
    sources : sequence of array
        What the levels are made from, of the same shapes. Shown where the result is
        not computed yet.
    axes : str
        Axes of the levels.
    blank : float
        Value of pixels until the source has been read.
    max_bytes : int
        Bytes of results to cache besides those on display.

    Attributes
    ----------
    levels : tuple of dask.array.Array
        See Parameters.
    is_needed : callable
        Returns whether parts that were requested should still be computed.
    updated : Signal
        Emitted after viewed parts have been computed.
    progressed : Signal
        Emitted with the number of viewed parts that are finished, and of all of them.
    """

    updated = Signal()
    progressed = Signal(int, int)

    def __init__(
        self,
        levels: Sequence[Array],
        sources: Sequence[Any],
        axes: str,
        *,
        blank: float = 0.0,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        super().__init__()
        self.levels, self._sources = tuple(levels), tuple(sources)
        self._axes, self._blank, self._max_bytes = axes, blank, max_bytes
        self._cache: OrderedDict[Part, NDArray[Any]] = OrderedDict()
        # The source of viewed parts that are not computed yet.
        self._unfinished: dict[Part, NDArray[Any]] = {}
        # dicts serve as ordered sets.
        self._viewed: dict[Part, None] = {}
        self._overview: NDArray[Any] | None = None
        self._overview_parts: dict[Part, None] = {}
        self._queue: deque[Step] = deque()
        self._in_progress: set[Step] = set()
        # Parts that failed since the user last changed the view.
        self._failed: set[Part] = set()
        self._shown_errors: set[str] = set()
        self._task: Task | None = None
        self._is_emitting = self._is_stopped = False
        self.is_needed: Callable[[], bool] = lambda: True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REDRAW_DELAY)
        self._timer.timeout.connect(self._emit_updated)

    @property
    def arrays(self) -> list[Array]:
        """The levels as dask arrays that napari can read without waiting."""
        return [self._array(level) for level in range(len(self.levels))]

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being computed or waiting to be drawn."""
        return self._task is None and not self._timer.isActive()

    @property
    def is_pending(self) -> bool:
        """Whether parts are being computed or wait for it."""
        return bool(self._queue or self._in_progress)

    @property
    def cached_bytes(self) -> int:
        """Bytes of cached results."""
        return sum(pixels.nbytes for pixels in self._cache.values())

    @property
    def progress(self) -> tuple[int, int]:
        """The number of viewed parts that are computed or failed, and of all."""
        done = (part in self._cache or part in self._failed for part in self._viewed)
        return sum(done), len(self._viewed)

    @property
    def n_failed(self) -> int:
        """The number of viewed parts that failed, which show the source."""
        return sum(part in self._failed for part in self._viewed)

    def read(self, level: int, window: Window, *, compute: bool) -> NDArray[Any]:
        """Return the cached pixels of a window, and start to compute the others.

        Parts that are not computed yet have the pixels of the source, as soon as it
        has been read.

        Parameters
        ----------
        level : int
            Index of the level.
        window : tuple of (int, int)
            Start and stop of each axis.
        compute : bool
            Whether to compute the missing pixels.
        """
        shape = [stop - start for start, stop in window]
        pixels = np.full(shape, self._blank, self.levels[level].dtype)
        parts = self._parts(level, window)
        for part in parts:
            if part in self._cache:
                self._cache.move_to_end(part)
            known = self._cache.get(part, self._unfinished.get(part))
            if known is not None:
                copy_overlap(known, part.window, pixels, window)
        if compute:
            if not self._is_emitting:
                # The user has changed the view: retry the parts that failed.
                self._failed.clear()
                self._is_stopped = False
            self._viewed = dict.fromkeys(parts)
            shown = self._unfinished.items()
            self._unfinished = {part: p for part, p in shown if part in self._viewed}
            if not self._is_stopped:
                self._queue_missing()
        return pixels

    def read_overview(self, level: int) -> NDArray[Any]:
        """Return a whole level, whose pixels are filled in as they are computed.

        napari reads the smallest level of a single image only once, for the thumbnail.
        """
        shape = self.levels[level].shape
        window = window_of(shape)
        if self._overview is None:
            self._overview = self.read(level, window, compute=False)
            self._overview_parts = dict.fromkeys(self._parts(level, window))
            self._queue_missing()
        return self._overview

    def stop(self) -> None:
        """Finish the part in progress, and no others until the view changes."""
        self._queue = deque()
        self._is_stopped = True

    def _emit_updated(self) -> None:
        """Have the layer read again, without retrying the parts that failed."""
        self._is_emitting = True
        self.updated.emit()
        self._is_emitting = False

    def _array(self, level: int) -> Array:
        computed = self.levels[level]
        array: Array = cached_array_class()(
            computed.dask,
            computed.name,
            computed.chunks,
            meta=computed._meta,  # noqa: SLF001
        )
        array.__dict__["_view"] = CachedView.whole(self, level)
        array.__dict__["_computed"] = computed
        return array

    def _is_missing(self, part: Part) -> bool:
        return part not in self._cache and part not in self._failed

    def _is_due(self, step: Step) -> bool:
        is_read = step.is_source and step.part in self._unfinished
        return not is_read and step not in self._in_progress

    def _parts(self, level: int, window: Window) -> list[Part]:
        return parts_in(level, window, self.levels[level].shape, self._axes)

    def _queue_missing(self) -> None:
        """Read the source of the view, and compute first it and then the overview."""
        viewed = [part for part in self._viewed if self._is_missing(part)]
        overview = [part for part in self._overview_parts if self._is_missing(part)]
        steps = [
            *(Step(part, is_source=True) for part in viewed),
            *(Step(part) for part in (*viewed, *overview)),
        ]
        self._queue = deque(step for step in steps if self._is_due(step))
        self.progressed.emit(*self.progress)
        self._start()

    def _start(self) -> None:
        if self._task is None and self._queue:
            self._task = Task(
                compute_parts,
                self._next_step,
                self.levels,
                self._sources,
                yielded=self._store,
                returned=self._on_end,
                errored=lambda: self._on_end(None),
            )

    def _next_step(self) -> Step | None:
        """Return the next step; called in the worker thread."""
        # The main thread may replace the queue, but does not change it.
        queue = self._queue
        if not queue:
            return None
        # Before it leaves the queue, so that `is_pending` never misses it.
        self._in_progress.add(queue[0])
        return queue.popleft()

    def _store(self, result: tuple[Step, NDArray[Any] | Failed]) -> None:
        step, outcome = result
        self._in_progress.discard(step)
        if not step.is_source:
            self._store_result(step.part, outcome)
        elif step.part in self._viewed and not isinstance(outcome, Failed):
            # If it cannot be read, computing the result says so.
            self._unfinished[step.part] = outcome
            self._redraw_soon()

    def _store_result(self, part: Part, outcome: NDArray[Any] | Failed) -> None:
        if isinstance(outcome, Failed):
            self._failed.add(part)
            if outcome.message not in self._shown_errors:
                self._shown_errors.add(outcome.message)
                show_error(outcome.message)
            self.progressed.emit(*self.progress)
            return
        self._cache[part] = outcome
        self._unfinished.pop(part, None)
        if (is_overview := part in self._overview_parts) and self._overview is not None:
            copy_overlap(
                outcome, part.window, self._overview, window_of(self._overview.shape)
            )
            # The overview holds it, so it need not stay in the cache.
            del self._overview_parts[part]
        self._evict()
        if not self.is_needed():
            self.stop()
        elif is_overview or part in self._viewed:
            self._redraw_soon()
        self.progressed.emit(*self.progress)

    def _redraw_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _evict(self) -> None:
        """Remove the least recently used parts that are not viewed."""
        unviewed = [part for part in self._cache if part not in self._viewed]
        n_bytes = sum(self._cache[part].nbytes for part in unviewed)
        for part in unviewed:
            if n_bytes <= self._max_bytes:
                return
            n_bytes -= self._cache.pop(part).nbytes

    def _on_end(self, _: None) -> None:
        self._task = None
        self._in_progress.clear()
        self._start()
