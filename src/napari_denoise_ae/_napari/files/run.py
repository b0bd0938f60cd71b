"""Denoise the files of the list one after another, and show how far it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, QTimer, Signal

from ..shared.layout import breakable
from ..shared.worker import Failed, Running, say_duration
from .job import FileWatch, denoise_in_turn
from .table import WAITING

if TYPE_CHECKING:
    from pathlib import Path

    from ...files.batch import BatchStep
    from .job import FilesJob
    from .table import FilesTable

# How often the progress of a file is looked at, in milliseconds.
_EVERY = 200
# Parts of the progress bar for each file.
_PARTS = 1000
# Reasons that are shown below the bar.
_MOST_REASONS = 5


@dataclass(slots=True, eq=False)
class _Run:
    """Files that are being denoised."""

    job: FilesJob
    watch: FileWatch
    running: Running
    began: float = field(default_factory=time.monotonic)
    steps: list[BatchStep] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    in_sight: int = -1

    @property
    def current(self) -> Path | None:
        """The file that is being denoised."""
        n_done = len(self.steps)
        return self.job.inputs[n_done] if n_done < len(self.job.inputs) else None

    @property
    def n_computed(self) -> int:
        """Files that took time."""
        return sum(step.outcome != "skipped" for step in self.steps)

    @property
    def counts(self) -> list[str]:
        """The number of files with each outcome, as text."""
        outcomes = [step.outcome for step in self.steps]
        kinds = ("done", "skipped", "failed")
        return [f"{outcomes.count(kind)} {kind}" for kind in kinds if kind in outcomes]


class FilesRun(QObject):  # type: ignore[misc]
    """Denoises a list of files outside the GUI thread.

    Parameters
    ----------
    table : FilesTable
        Shows the state of each file.

    Attributes
    ----------
    busy : Signal
        Emitted with whether files are being denoised, when that changes.
    told : Signal
        Emitted with the state of the run as text.
    noted : Signal
        Emitted with the reasons why files failed or were skipped, as text.
    progressed : Signal
        Emitted with the value and the maximum of a progress bar.
    """

    busy = Signal(bool)
    told = Signal(str)
    noted = Signal(str)
    progressed = Signal(int, int)

    def __init__(self, table: FilesTable) -> None:
        super().__init__()
        self._table = table
        self._run: _Run | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY)
        self._timer.timeout.connect(self._show_progress)

    @property
    def is_running(self) -> bool:
        """Whether files are being denoised."""
        return self._run is not None

    def start(self, job: FilesJob) -> None:
        """Denoise files; an earlier run must have ended."""
        self._table.all_wait()
        self.noted.emit("")
        watch = FileWatch()
        running = Running(
            denoise_in_turn,
            job,
            watch,
            yielded=self._show_step,
            returned=self._finish,
            # napari itself shows unexpected errors.
            errored=lambda: self._finish(None),
        )
        watch.is_unwanted = lambda: running.is_stopping
        self._run = _Run(job, watch, running)
        self.busy.emit(True)
        self.told.emit("loading the model")
        self._timer.start()

    def cancel(self) -> None:
        """End the run at the next tile."""
        if self._run is not None:
            self._run.watch.stop.set()
            self.told.emit("stopping at the next tile…")

    def drop(self) -> None:
        """End the run without a word to others."""
        self._timer.stop()
        run, self._run = self._run, None
        if run is not None:
            run.watch.stop.set()
            run.running.drop()

    def _show_step(self, step: BatchStep) -> None:
        if self._run is None:
            return
        self._run.steps.append(step)
        remarks = [remark for remark in (step.reason, *step.remarks) if remark]
        self._table.show_state(step.input, step.outcome, "\n".join(remarks))
        for remark in remarks:
            self._run.reasons.setdefault(remark, []).append(step.input.name)
        self._show_reasons(self._run)
        self._show_progress()

    def _show_reasons(self, run: _Run) -> None:
        """Show each reason once, with the file or the number of files."""
        notes = []
        for reason, names in list(run.reasons.items())[:_MOST_REASONS]:
            whose = names[0] if len(names) == 1 else f"{len(names)} files"
            notes.append(breakable(f"⚠ {whose}: {reason}"))
        if len(run.reasons) > _MOST_REASONS:
            notes.append("More: rest the mouse on the state of a file.")
        self.noted.emit("\n".join(notes))

    def _show_progress(self) -> None:
        """Show the progress of the current file, and of all files."""
        run = self._run
        if run is None or run.current is None or run.watch.stop.is_set():
            return
        n_files, n_done, latest = len(run.job.inputs), len(run.steps), run.watch.latest
        part = latest.done / latest.total if latest is not None else 0.0
        self._table.show_state(run.current, f"{part:.0%}" if latest else "reading")
        if run.in_sight != n_done:
            # Once for each file: the table is the user's to scroll.
            self._table.bring_into_sight(run.current)
            run.in_sight = n_done
        self.progressed.emit(round(_PARTS * (n_done + part)), _PARTS * n_files)
        text = f"file {n_done + 1} of {n_files}"
        if run.n_computed + part > 0:
            left = (n_files - n_done - part) / (run.n_computed + part)
            seconds = (time.monotonic() - run.began) * left
            text = f"{text}, about {say_duration(seconds)} left"
        self.told.emit(text)

    def _finish(self, outcome: Failed | None) -> None:
        run = self._run
        if run is None:
            return
        counts = run.counts
        if run.watch.stop.is_set():
            counts.insert(0, "cancelled")
        elif isinstance(outcome, Failed):
            counts = ["failed"]
            show_error(outcome.message)
        elif run.current is not None:
            counts.insert(0, "failed")
        if run.current is not None:
            self._table.show_state(run.current, WAITING)
        self._run = None
        self._timer.stop()
        self.busy.emit(False)
        self.told.emit(", ".join(counts))
