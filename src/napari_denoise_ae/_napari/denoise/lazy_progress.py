"""Progress of the tiles of a lazy result that the user looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils import progress
from qtpy.QtCore import QObject, QTimer, Signal

from ..viewer.outputs import find_cache

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from ..viewer.tile_cache import TileCache

# Status of a lazy result whose viewed tiles are computed.
_DONE = "done: computed where you look"


class LazyProgress(QObject):  # type: ignore[misc]
    """Watches the tiles of one lazy result at a time.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.

    Attributes
    ----------
    busy : Signal
        Emitted with True when tiles are computed, and False when all that is looked
        at is there.
    status_changed : Signal
        Emitted with the status as text.
    progressed : Signal
        Emitted with the number of finished tiles and of all tiles that are looked at.
    """

    busy = Signal(bool)
    status_changed = Signal(str)
    progressed = Signal(int, int)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._layer: Image | None = None
        self._cache: TileCache | None = None
        self._is_busy = False
        self._activity: progress[Any] | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._open_activity)
        viewer.layers.events.removed.connect(self._on_removed)

    def watch(self, layer: Image) -> None:
        """Watch the tiles of a layer instead of those of an earlier one."""
        self.drop()
        self._layer, self._cache = layer, find_cache(layer)
        if self._cache is not None:
            self._cache.progressed.connect(self._show)
            self._show(*self._cache.progress)

    def cancel(self) -> None:
        """Compute no more tiles, until the user looks at others."""
        if self._cache is None:
            return
        self._cache.stop()
        self._show_stopped(*self._cache.progress)

    def drop(self) -> None:
        """Stop watching, without emitting anything."""
        if self._cache is not None:
            self._cache.progressed.disconnect(self._show)
        self._layer = self._cache = None
        self._close_activity()

    def close(self) -> None:
        """Stop watching for good."""
        self.drop()
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    def _show(self, done: int, total: int) -> None:
        n_failed = 0 if self._cache is None else self._cache.n_failed
        if done >= total:
            self._end(f"{n_failed} of {total} tiles failed" if n_failed else _DONE)
            return
        if self._cache is None or not self._cache.is_pending:
            self._show_stopped(done, total)
            return
        if not self._is_busy:
            self._is_busy = True
            self._soon.start()
            self.busy.emit(True)
        self._update_activity(done, total)
        self.progressed.emit(done, total)
        self.status_changed.emit(f"{done} of {total} tiles")

    def _open_activity(self) -> None:
        """Show the progress in the activity dock.

        napari processes events when it adds a bar there. napari reads the tiles while
        it draws, and must not draw again before it has finished.
        """
        if not self._is_busy or self._layer is None or self._cache is None:
            return
        cache, layer = self._cache, self._layer
        activity = progress(total=0, desc=f"Computing {layer.name}")
        if self._is_busy and self._layer is layer and self._activity is None:
            self._activity = activity
            self._update_activity(*cache.progress)
        else:
            activity.close()

    def _update_activity(self, done: int, total: int) -> None:
        if self._activity is not None:
            self._activity.total = total
            self._activity.n = done
            self._activity.refresh()

    def _show_stopped(self, done: int, total: int) -> None:
        self._end(f"stopped: {done} of {total} tiles are done")

    def _end(self, status: str) -> None:
        self._close_activity()
        self.busy.emit(False)
        self.status_changed.emit(status)

    def _close_activity(self) -> None:
        self._is_busy = False
        if self._activity is not None:
            self._activity.close()
            self._activity = None

    def _on_removed(self, _: object) -> None:
        if self._layer is not None and self._layer not in self._viewer.layers:
            self.drop()
            self._end("")
