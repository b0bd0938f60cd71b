"""Denoise the listed files one after another and show the progress."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Signal

from ...files.steps import PART, FileOutcome, FileProgress, FileRemark
from ..shared.layout import breakable
from ..shared.worker import Failed, Task, format_duration
from .job import denoise_in_turn
from .table import WAITING

if TYPE_CHECKING:
    from pathlib import Path

    from ...files.steps import BatchStep
    from .job import FilesJob
    from .table import FilesTable

# Steps of the progress bar for each file.
_STEPS_PER_FILE = 1000
# Maximum number of reasons shown below the bar.
_MAX_REASONS = 5


@dataclass(slots=True, eq=False)
class _Run:
    """State of a run."""

    job: FilesJob
    task: Task
    started: float = field(default_factory=time.monotonic)
    latest: FileProgress | None = None
    outcomes: list[FileOutcome] = field(default_factory=list)
    remarks: list[FileRemark] = field(default_factory=list)
    # Index of the file that the table was last scrolled to.
    scrolled_to: int = -1
    is_cancelled: bool = False

    def add(self, step: BatchStep) -> None:
        """Record a step."""
        if isinstance(step, FileProgress):
            self.latest = step
        elif isinstance(step, FileRemark):
            self.remarks.append(step)
        else:
            self.outcomes.append(step)
            self.latest = None
            if step.reason:
                self.remarks.append(FileRemark(step.input, step.reason))

    @property
    def current(self) -> Path | None:
        """The file that is being denoised."""
        n_done = len(self.outcomes)
        return self.job.inputs[n_done] if n_done < len(self.job.inputs) else None

    @property
    def fraction_done(self) -> float:
        """The denoised fraction of the current file, 0 to 1."""
        if self.latest is None or self.latest.unit == PART:
            return 0.0
        return self.latest.done / self.latest.total

    @property
    def n_computed(self) -> int:
        """Number of files that were processed, not skipped."""
        return sum(step.outcome != "skipped" for step in self.outcomes)

    @property
    def counts(self) -> list[str]:
        """The number of files with each outcome, such as ``"3 done"``."""
        outcomes = [step.outcome for step in self.outcomes]
        kinds = ("done", "skipped", "failed")
        return [f"{outcomes.count(kind)} {kind}" for kind in kinds if kind in outcomes]

    @property
    def reasons(self) -> dict[str, list[str]]:
        """The names of the files by the text of their remark."""
        reasons: dict[str, list[str]] = {}
        for remark in self.remarks:
            reasons.setdefault(remark.text, []).append(remark.input.name)
        return reasons

    def remarks_on(self, file: Path) -> list[str]:
        """Return the remarks on a file, including the reason if it failed."""
        return [remark.text for remark in self.remarks if remark.input == file]


class FilesRun(QObject):  # type: ignore[misc]
    """Run of the Denoise files widget, outside the GUI thread.

    Parameters
    ----------
    table : FilesTable
        Shows the state of each file.

    Attributes
    ----------
    busy : Signal
        Emitted with True when a run starts and False when it ends.
    status_changed : Signal
        Emitted with the status of the run as text.
    noted : Signal
        Emitted with the remarks on files, such as why they failed, as text.
    progressed : Signal
        Emitted with the value and the maximum of a progress bar.
    """

    busy = Signal(bool)
    status_changed = Signal(str)
    noted = Signal(str)
    progressed = Signal(int, int)

    def __init__(self, table: FilesTable) -> None:
        super().__init__()
        self._table = table
        self._run: _Run | None = None

    @property
    def is_running(self) -> bool:
        """Whether files are being denoised."""
        return self._run is not None

    def start(self, job: FilesJob) -> None:
        """Start a run; the previous one must have ended."""
        self._table.reset_states()
        self.noted.emit("")
        task = Task(
            denoise_in_turn,
            job,
            yielded=self._show_step,
            returned=self._finish,
            # napari shows unexpected errors.
            errored=lambda: self._finish(None),
            ended=self._finish_cancelled,
        )
        self._run = _Run(job, task)
        self.busy.emit(True)
        self._show_progress()
        self.status_changed.emit("loading the model")

    def cancel(self) -> None:
        """Stop the run at the next tile."""
        if self._run is not None:
            self._run.is_cancelled = True
            self._run.task.stop()
            self.status_changed.emit("stopping at the next tile…")

    def drop(self) -> None:
        """Stop the run without emitting anything."""
        run, self._run = self._run, None
        if run is not None:
            run.task.drop()

    def _show_step(self, step: BatchStep) -> None:
        run = self._run
        if run is None:
            return
        run.add(step)
        if isinstance(step, FileOutcome):
            remarks = "\n".join(run.remarks_on(step.input))
            self._table.show_state(step.input, step.outcome, remarks)
        if not isinstance(step, FileProgress):
            self._show_reasons(run.reasons)
        self._show_progress()

    def _show_reasons(self, reasons: dict[str, list[str]]) -> None:
        """Show each reason once, with the file or the number of files."""
        notes = []
        for reason, names in list(reasons.items())[:_MAX_REASONS]:
            files = names[0] if len(names) == 1 else f"{len(names)} files"
            notes.append(breakable(f"⚠ {files}: {reason}"))
        if len(reasons) > _MAX_REASONS:
            notes.append("More: hover over the state of a file.")
        self.noted.emit("\n".join(notes))

    def _show_progress(self) -> None:
        """Show the progress of the current file, and of all files."""
        run = self._run
        if run is None or run.current is None or run.is_cancelled:
            return
        n_files, n_done = len(run.job.inputs), len(run.outcomes)
        part = run.fraction_done
        self._table.show_state(run.current, f"{part:.0%}" if part else "reading")
        if run.scrolled_to != n_done:
            # Only once for each file, so that the user can scroll.
            self._table.scroll_to(run.current)
            run.scrolled_to = n_done
        self.progressed.emit(
            round(_STEPS_PER_FILE * (n_done + part)), _STEPS_PER_FILE * n_files
        )
        text = f"file {n_done + 1} of {n_files}"
        if run.n_computed + part > 0:
            left = (n_files - n_done - part) / (run.n_computed + part)
            seconds = (time.monotonic() - run.started) * left
            text = f"{text}, about {format_duration(seconds)} left"
        self.status_changed.emit(text)

    def _finish_cancelled(self) -> None:
        # A run that ended otherwise has already been finished.
        if self._run is not None and self._run.is_cancelled:
            self._finish(None)

    def _finish(self, outcome: Failed | None) -> None:
        run = self._run
        if run is None:
            return
        counts = run.counts
        if run.is_cancelled:
            counts.insert(0, "cancelled")
        elif isinstance(outcome, Failed):
            counts = ["failed"]
            show_error(outcome.message)
        elif run.current is not None:
            counts.insert(0, "failed")
        if run.current is not None:
            self._table.show_state(run.current, WAITING)
        self._run = None
        self.busy.emit(False)
        self.status_changed.emit(", ".join(counts))
