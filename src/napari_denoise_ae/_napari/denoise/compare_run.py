"""Denoise a layer with one model after another and show the results as layers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QObject, Signal

from ..shared.layout import breakable
from ..shared.worker import Task, format_duration
from ..viewer.outputs import remove_output, show_output
from .compare_job import ModelDone, ModelFailed, ModelStarted, run_comparison
from .denoise_job import Started
from .provenance import provenance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari.layers import Image
    from napari.viewer import Viewer

    from ...denoising.array import Progress
    from ..shared.worker import Failed
    from .job import DenoiseJob

    Step = str | ModelStarted | Started | Progress | ModelDone | ModelFailed

# Steps of the progress bar for each model.
_STEPS_PER_MODEL = 1000


@dataclass(slots=True, eq=False)
class _Comparison:
    """State of a comparison."""

    layer: Image
    titles: Mapping[str, str]
    task: Task
    started: float = 0.0
    finished: list[str] = field(default_factory=list)
    current: str = ""


class CompareRun(QObject):  # type: ignore[misc]
    """Runs one comparison at a time.

    The layer of each model is added as soon as the model is done, and stays even if
    other models fail.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer of the layers.

    Attributes
    ----------
    busy : Signal
        Emitted with True when a comparison starts and False when it ends.
    status_changed : Signal
        Emitted with the status of the run as text.
    progressed : Signal
        Emitted with the value and the maximum of a progress bar.
    added : Signal
        Emitted with the title of a model, its `Denoised` and the name of the denoised
        layer, after the result has been added.
    failed : Signal
        Emitted with the title of a model and the reason why it failed.
    roles : list of str
        Roles of the layers made by the last comparison.
    """

    busy = Signal(bool)
    status_changed = Signal(str)
    progressed = Signal(int, int)
    added = Signal(str, object, str)
    failed = Signal(str, str)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._run: _Comparison | None = None
        self.roles: list[str] = []

    @property
    def is_running(self) -> bool:
        """Whether models are being compared."""
        return self._run is not None

    def start(self, layer: Image, job: DenoiseJob, titles: Mapping[str, str]) -> None:
        """Compare the models in `titles`; the previous comparison must have ended."""
        self.roles = []
        task = Task(
            run_comparison,
            job,
            list(titles),
            yielded=self._show_step,
            returned=self._finish,
            # napari shows unexpected errors.
            errored=lambda: self._end("failed"),
        )
        self._run = _Comparison(layer, titles, task)
        self.busy.emit(True)
        self.status_changed.emit("starting")
        if job.noise is None:
            # The noisy layer of an earlier run has nothing to do with this one.
            remove_output(self._viewer, layer, "noisy")

    def cancel(self) -> None:
        """Stop the run and keep the results of the finished models."""
        if self._run is not None:
            n_done, n_models = len(self._run.finished), len(self._run.titles)
            self._end(f"cancelled: {n_done} of {n_models} models are done")

    def drop(self) -> None:
        """Stop the run without emitting anything."""
        run, self._run = self._run, None
        if run is not None:
            run.task.drop()

    def _show_step(self, step: Step) -> None:
        run = self._run
        if run is None:
            return
        if isinstance(step, ModelDone):
            self._show_result(run, step)
        elif isinstance(step, ModelFailed):
            run.finished.append(step.model)
            self.failed.emit(run.titles[step.model], step.message)
        elif isinstance(step, ModelStarted):
            run.current = step.model
        elif isinstance(step, Started):
            run.started = run.started or time.monotonic()
        elif isinstance(step, str):
            self._emit_status(run, step)
        else:
            self._show_progress(run, step)

    def _show_progress(self, run: _Comparison, step: Progress) -> None:
        part = (len(run.finished) + step.done / step.total) / len(run.titles)
        maximum = _STEPS_PER_MODEL * len(run.titles)
        self.progressed.emit(round(part * maximum), maximum)
        seconds = (time.monotonic() - run.started) * (1 / part - 1)
        self._emit_status(
            run, f"{step.done} of {step.total} tiles, {format_duration(seconds)} left"
        )

    def _emit_status(self, run: _Comparison, text: str) -> None:
        if run.current:
            number = len(run.finished) + 1
            text = f"{run.titles[run.current]}, {number} of {len(run.titles)}: {text}"
        self.status_changed.emit(breakable(text))

    def _show_result(self, run: _Comparison, done: ModelDone) -> None:
        viewer, layer, result = self._viewer, run.layer, done.result
        if layer not in viewer.layers:
            self._end("the layer was removed")
            show_warning(f"The layer {layer.name!r} was removed; its results are lost.")
            return
        if layer.data is not done.job.data:
            self._end("the pixels of the layer were replaced")
            show_warning(
                f"The pixels of {layer.name!r} were replaced during the comparison, "
                "which was stopped."
            )
            return
        title, known = run.titles[done.job.model], provenance(done.job, result)
        if done.job.noise is not None and not self.roles:
            show_output(viewer, layer, "noisy", result.noisy, known)
        # "by" distinguishes the model "residual" from the residual layer.
        role = f"by {title}"
        show_output(viewer, layer, role, result.denoised, known)
        self.roles.append(role)
        run.finished.append(done.job.model)
        self.added.emit(title, result, layer.name)

    def _finish(self, outcome: Failed | None) -> None:
        if outcome is None:
            self._end("done")
            return
        self._end("failed")
        show_error(outcome.message)

    def _end(self, status: str) -> None:
        self.drop()
        self.busy.emit(False)
        self.status_changed.emit(status)
