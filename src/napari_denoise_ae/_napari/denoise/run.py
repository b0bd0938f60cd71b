"""Denoise a layer outside the GUI thread and show the result as layers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes
from napari.utils import progress
from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QObject, Signal

from ..shared.worker import Failed, Task, format_duration
from ..viewer.outputs import (
    METADATA_KEY,
    find_output,
    finished_planes,
    keep_outputs,
    remove_output,
    show_lazy_output,
    show_output,
)
from ..viewer.view import place_of_part
from .denoise_job import Started, run_denoising
from .lazy_job import denoise_levels
from .provenance import provenance
from .result import residual_limits

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from ...denoising.array import Denoising, Progress
    from .job import DenoiseJob
    from .lazy_job import LazyDenoised
    from .result import Denoised


@dataclass(slots=True, eq=False)
class _Run:
    """State of a run."""

    layer: Image
    job: DenoiseJob
    task: Task
    activity: progress[Any]
    denoising: Denoising | None = None
    started: float = 0.0


class DenoiseRun(QObject):  # type: ignore[misc]
    """Denoises one layer at a time and adds the result to the viewer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.

    Attributes
    ----------
    busy : Signal
        Emitted with True when a run starts and False when it ends.
    status_changed : Signal
        Emitted with the status of the run as text.
    progressed : Signal
        Emitted with the number of finished tiles and of all tiles.
    keepable : Signal
        Emitted when finished planes can be kept.
    abandoned : Signal
        Emitted with the name of the layer if it was removed during its run.
    shown : Signal
        Emitted after the layers of the result have been added or updated.
    finished : Signal
        Emitted after `shown`, with the layer, the `DenoiseJob` and its `Denoised`;
        not for lazy layers.
    lazily_shown : Signal
        Emitted after `shown`, with the lazy layer and the `DenoiseJob`.
    """

    busy = Signal(bool)
    status_changed = Signal(str)
    progressed = Signal(int, int)
    keepable = Signal()
    abandoned = Signal(str)
    shown = Signal()
    finished = Signal(object, object, object)
    lazily_shown = Signal(object, object)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._run: _Run | None = None
        viewer.layers.events.removed.connect(self._on_removed)

    def close(self) -> None:
        """Stop for good, without emitting anything."""
        self.drop()
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    @property
    def is_running(self) -> bool:
        """Whether a layer is being denoised."""
        return self._run is not None

    def start(self, layer: Image, job: DenoiseJob) -> None:
        """Start a run; the previous one must have ended."""
        self.busy.emit(True)
        self.status_changed.emit("starting")
        is_lazy = bool(job.levels)
        self._run = _Run(
            layer=layer,
            job=job,
            activity=progress(total=0, desc=f"Denoising {layer.name}"),
            task=Task(
                denoise_levels if is_lazy else run_denoising,
                job,
                yielded=self._show_step,
                returned=self._finish_lazily if is_lazy else self._finish,
                # napari shows unexpected errors.
                errored=self._on_error,
            ),
        )

    def cancel(self) -> None:
        """Stop the run without adding layers."""
        self._end("cancelled")

    def stop_and_keep(self) -> None:
        """Stop the run and show the finished planes."""
        run = self._end("stopped")
        if run is None or run.denoising is None or run.layer not in self._viewer.layers:
            return
        if not self._still_fits(run):
            return
        n_planes = run.denoising.planes_done
        data = finished_planes(run.denoising.result, len(run.job.plane), n_planes)
        known = provenance(run.job) | {"planes_denoised": n_planes}
        data = data[run.job.part_of_planes]
        place = place_of_part(run.layer, run.job.part)
        _keep_other_results(self._viewer, run.layer, run.job, known)
        show_output(self._viewer, run.layer, "denoised", data, known, **place)
        self._look_at_plane(run, n_planes - 1)
        self.status_changed.emit(f"stopped: the first {n_planes} planes are denoised")

    def _look_at_plane(self, run: _Run, number: int) -> None:
        """Show the last finished plane; those after it are 0."""
        layer, n_stacked = run.layer, len(run.job.plane)
        part = run.job.part or tuple(slice(0, n) for n in run.job.data.shape)
        shape = [cut.stop - cut.start for cut in part[:n_stacked]]
        within = np.unravel_index(max(number, 0), shape)
        first = [cut.start for cut in part[:n_stacked]]
        plane = (*np.add(first, within), 0, 0)
        dims = self._viewer.dims
        for axis, position in enumerate(layer.data_to_world(plane)[:n_stacked]):
            dims.set_point(dims.ndim - layer.ndim + axis, position)

    def drop(self) -> None:
        """Stop the run without emitting anything."""
        if self._run is not None:
            self._run.task.drop()
            self._run.activity.close()
            self._run = None

    def _end(self, status: str) -> _Run | None:
        """Drop the run and return it; its thread may still be finishing a step."""
        run = self._run
        self.drop()
        self.busy.emit(False)
        self.status_changed.emit(status)
        return run

    def _show_step(self, step: str | Started | Progress) -> None:
        run = self._run
        if run is None:
            return
        if isinstance(step, str):
            self.status_changed.emit(step)
        elif isinstance(step, Started):
            run.denoising, run.started = step.denoising, time.monotonic()
            if run.job.plane:
                self.keepable.emit()
        else:
            self._show_progress(run, step)

    def _show_progress(self, run: _Run, step: Progress) -> None:
        self.progressed.emit(step.done, step.total)
        seconds = (time.monotonic() - run.started) * (step.total / step.done - 1)
        left = format_duration(seconds)
        self.status_changed.emit(f"{step.done} of {step.total} tiles, {left} left")
        run.activity.total = step.total
        run.activity.update(1)

    def _finish(self, outcome: Denoised | Failed) -> None:
        if isinstance(outcome, Failed):
            self._fail(outcome)
            return
        device = outcome.device.partition(" ")[0]
        run = self._end(f"done on {device} in {outcome.seconds:.1f} s")
        if run is None or not self._still_fits(run):
            return
        _show_result(self._viewer, run.layer, run.job, outcome)
        self.shown.emit()
        self.finished.emit(run.layer, run.job, outcome)

    def _finish_lazily(self, outcome: LazyDenoised | Failed) -> None:
        if isinstance(outcome, Failed):
            self._fail(outcome)
            return
        run = self._end("")
        if run is None or not self._still_fits(run):
            return
        _show_lazy_result(self._viewer, run.layer, run.job, outcome)
        self.shown.emit()
        self.lazily_shown.emit(run.layer, run.job)

    def _still_fits(self, run: _Run) -> bool:
        """Warn if the pixels were replaced; return whether the result has their shape.

        A result of another shape could not be placed.
        """
        name, data = run.layer.name, run.layer.data
        if data is run.job.data:
            return True
        fits = bool(data.shape == run.job.data.shape)
        result = "is that of the earlier pixels" if fits else "was discarded"
        show_warning(
            f"The pixels of {name!r} were replaced during its run. The result {result}."
        )
        if not fits:
            self.status_changed.emit("not shown: the layer has another shape now")
        return fits

    def _on_error(self) -> None:
        self._end("failed")

    def _fail(self, outcome: Failed) -> None:
        self._end("failed")
        show_error(outcome.message)

    def _on_removed(self, _: object) -> None:
        run = self._run
        if run is not None and run.layer not in self._viewer.layers:
            self._end("the layer was removed")
            self.abandoned.emit(run.layer.name)


def _show_result(
    viewer: Viewer, layer: Image, job: DenoiseJob, result: Denoised
) -> None:
    known, place = provenance(job, result), place_of_part(layer, job.part)
    _keep_other_results(viewer, layer, job, known)
    if job.noise is None:
        remove_output(viewer, layer, "noisy")
    else:
        show_output(viewer, layer, "noisy", result.noisy, known, **place)
    if result.residual is None:
        remove_output(viewer, layer, "residual")
    else:
        limits = residual_limits(result.residual)
        style = {"contrast_limits": limits, "colormap": "gray", **place}
        # Added before the denoised layer, so that it does not hide it.
        show_output(viewer, layer, "residual", result.residual, known, **style)
    shown = show_output(viewer, layer, "denoised", result.denoised, known, **place)
    shown.visible = True
    _raise_above_shapes(viewer, shown)
    viewer.layers.selection.active = shown


def _show_lazy_result(
    viewer: Viewer, layer: Image, job: DenoiseJob, result: LazyDenoised
) -> None:
    known = provenance(job, uses_range=result.uses_range)
    place = place_of_part(layer, job.part)
    _keep_other_results(viewer, layer, job, known)
    remove_output(viewer, layer, "noisy")
    remove_output(viewer, layer, "residual")
    shown = show_lazy_output(
        viewer, layer, result.levels, result.sources, job.axes, known, **place
    )
    _raise_above_shapes(viewer, shown)
    viewer.layers.selection.active = shown


def _keep_other_results(
    viewer: Viewer, layer: Image, job: DenoiseJob, known: dict[str, Any]
) -> None:
    """Keep the last results if runs add layers, or if they are of another part."""
    last = find_output(viewer, layer, "denoised")
    if last is None:
        return
    is_other = last.metadata[METADATA_KEY].get("part") != known.get("part")
    if is_other or not job.replaces:
        keep_outputs(viewer, layer, "noisy", "residual", "denoised")


def _raise_above_shapes(viewer: Viewer, shown: Image) -> None:
    """Move a result above the rectangle that was drawn for it, which would hide it."""
    layers = viewer.layers
    index = layers.index(shown)
    if any(isinstance(each, Shapes) for each in layers[index + 1 :]):
        layers.move(index, len(layers))
