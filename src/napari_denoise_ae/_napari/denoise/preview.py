"""The preview: the visible region, denoised in a layer of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from ...errors import DenoiseAEError
from ..shared.worker import Failed, Task
from ..viewer.outputs import find_output, remove_output, show_output
from ..viewer.view import (
    at_shown_level,
    not_planar_reason,
    place_of_level,
    translate_of_part,
    visible_region,
)
from .denoise_job import run_denoising
from .lazy_job import denoise_visible
from .provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image
    from napari.viewer import Viewer

    from .job import DenoiseJob, PreparedLayer
    from .result import Denoised

# Delay after the last change of the view, in milliseconds.
_DELAY = 150


class Preview(QObject):  # type: ignore[misc]
    """Denoises the visible region, and follows the view and the settings.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    source : callable
        Returns the layer to denoise, or None.
    job : callable
        Returns the job for the layer, with changes given as keywords. Raises a
        `DenoiseAEError` if a setting is invalid.

    Attributes
    ----------
    status_changed : Signal
        Emitted with a message for the user, or an empty text when the preview is
        shown or switched off.
    dismissed : Signal
        Emitted after the user has removed the preview layer.
    """

    status_changed = Signal(str)
    dismissed = Signal()

    def __init__(
        self,
        viewer: Viewer,
        source: Callable[[], Image | None],
        job: Callable[..., DenoiseJob],
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._source, self._make_job = source, job
        self._shown: Image | None = None
        # A dropped task stays here until its thread has ended, so that no two run at
        # a time.
        self._task: Task | None = None
        self._is_waiting = False
        # What is being denoised or shown, with the present settings: layer, where it
        # lies, level and plane; and the rows and columns of that.
        self._place: tuple[Any, ...] | None = None
        self._region: tuple[slice, slice] | None = None
        self._prepared: PreparedLayer | None = None
        self._is_on = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY)
        self._timer.timeout.connect(self._start)
        self._view_events = (
            viewer.scene.camera.events.center,
            viewer.scene.camera.events.zoom,
            viewer.canvas.events.size,
            viewer.dims.events.current_step,
            viewer.dims.events.ndisplay,
            viewer.dims.events.order,
        )
        for event in self._view_events:
            event.connect(self._follow_view)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    def set_on(self, on: bool) -> None:
        """Switch the preview on, or switch it off and remove its layer."""
        self._is_on = on
        self._timer.stop()
        self._drop()
        if on:
            self._start()
            # A layer that was added just now may not be drawn yet.
            self._timer.start()
            return
        self._prepared = None
        self._remove_layer()
        self.status_changed.emit("")

    def refresh(self) -> None:
        """Denoise again after a short delay without further changes."""
        if self._is_on:
            self._drop()
            self._timer.start()

    def _follow_view(self) -> None:
        """Look after a short delay whether the canvas shows something else.

        Opening a dock resizes the canvas and often shows the same part.
        """
        if self._is_on:
            self._timer.start()

    def reset(self) -> None:
        """Discard the prepared layer and denoise again, for changed pixels."""
        self._prepared = None
        self.refresh()

    def close(self) -> None:
        """Stop for good; works even if Qt has deleted the timer."""
        self._is_on = False
        self._drop()
        self._remove_layer()
        for event in self._view_events:
            event.disconnect(self._follow_view)
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)

    def _start(self) -> None:
        """Denoise what the canvas shows, unless that is running or shown already.

        Zooming in shows less of what is denoised.
        """
        if not self._is_on:
            return
        layer = self._source()
        if layer is not self._shown:
            self._remove_layer()
        job = None if layer is None else self._job_of(layer)
        if layer is None or job is None:
            self._drop()
            return
        place = (layer, layer.extent.world.tobytes(), job.level, job.plane)
        if self._place == place and _is_within(job.region, self._region):
            return
        self._drop()
        self._is_waiting = self._task is not None
        if not self._is_waiting:
            self._place, self._region = place, job.region
            self._denoise(layer, job)

    def _job_of(self, layer: Image) -> DenoiseJob | None:
        """Return the job of what the canvas shows, or report why there is none."""
        if reason := not_planar_reason(self._viewer):
            message = f"Preview is {reason}."
        else:
            try:
                job = self._make_job(region=visible_region(layer))
                return (
                    at_shown_level(self._viewer, layer, job)
                    if layer.multiscale
                    else job
                )
            except DenoiseAEError as error:
                message = str(error)
        self._remove_layer()
        self.status_changed.emit(message)
        return None

    def _denoise(self, layer: Image, job: DenoiseJob) -> None:
        if self._prepared is not None and self._prepared.matches(job):
            job = replace(job, prepared=self._prepared)
        self._task = Task(
            denoise_visible if job.levels else run_denoising,
            job,
            returned=lambda outcome: self._show(layer, job, outcome),
            # napari shows unexpected errors.
            errored=lambda: self._fail("Preview failed."),
            ended=self._on_ended,
        )

    def _drop(self) -> None:
        self._is_waiting, self._place = False, None
        if self._task is not None:
            self._task.drop()

    def _on_ended(self) -> None:
        self._task = None
        if self._is_waiting:
            self._start()

    def _show(self, layer: Image, job: DenoiseJob, outcome: Denoised | Failed) -> None:
        if layer not in self._viewer.layers or job.region is None:
            return
        if isinstance(outcome, Failed):
            self._fail(outcome.message)
            return
        self._prepared = outcome.prepared
        self._shown = layer
        rows, columns = job.region
        first = (*job.plane, rows.start, columns.start)
        if job.level:
            first, scale = place_of_level(layer, job.level, first)
            changes = {"scale": scale}
        else:
            changes = {}
        show_output(
            self._viewer,
            layer,
            "preview",
            outcome.denoised.reshape((1,) * len(job.plane) + outcome.denoised.shape),
            provenance(job, outcome, uses_range=outcome.uses_range),
            translate=translate_of_part(layer, first),
            **changes,
        )
        self.status_changed.emit("")

    def _fail(self, message: str) -> None:
        # The next change of the view tries again, even in the same place.
        self._place = None
        self._remove_layer()
        self.status_changed.emit(message)

    def _remove_layer(self) -> None:
        shown, self._shown = self._shown, None
        if shown is not None:
            remove_output(self._viewer, shown, "preview")

    def _on_layer_removed(self, _: Any) -> None:
        if self._shown is None or self._shown not in self._viewer.layers:
            return
        if find_output(self._viewer, self._shown, "preview") is None:
            self._shown = None
            self.dismissed.emit()


def _is_within(
    region: tuple[slice, slice] | None, other: tuple[slice, slice] | None
) -> bool:
    """Return whether rows and columns lie within others."""
    if region is None or other is None:
        return False
    return all(
        whole.start <= part.start and part.stop <= whole.stop
        for part, whole in zip(region, other, strict=True)
    )
