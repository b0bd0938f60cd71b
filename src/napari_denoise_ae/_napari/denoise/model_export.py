"""Export the chosen model from the window."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QFileDialog, QInputDialog, QProgressBar, QVBoxLayout, QWidget

from ...models.builtin import builtin_models
from ..shared.layout import Note, breakable, make_button, make_row
from ..shared.worker import Failed, Task
from .export_job import PACKAGE, ExportJob, export_model

_ONNX, _STANDALONE, _PACKAGE = (
    "ONNX, for normalized images (*.onnx)",
    "ONNX, for any intensities (*.onnx)",
    "bioimage.io package (*.zip)",
)
_SUFFIX = ".onnx"
# Licenses that are offered first; others can be typed.
_LICENSES = ("CC-BY-4.0", "CC0-1.0", "BSD-3-Clause", "MIT")


class ModelExport(QWidget):  # type: ignore[misc]
    """Asks for a file, exports a model to it, and shows the progress.

    Hidden while there is nothing to show.
    """

    def __init__(self) -> None:
        super().__init__()
        self._task: Task | None = None
        self.note, self.bar = Note(), QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setToolTip("The export is running; its duration is not known.")
        self.cancel_button = make_button(
            "Cancel", "Stop after the current step. No file is written."
        )
        self.cancel_button.clicked.connect(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.note)
        column.addLayout(make_row(self.bar, self.cancel_button))
        self._set_busy(False)
        self.hide()

    @property
    def is_running(self) -> bool:
        """Whether an export is running."""
        return self._task is not None

    def ask(self, model: str) -> None:
        """Ask where to export a model to, and begin."""
        if self.is_running:
            show_info("An export is running. Wait for it, or cancel it.")
            return
        start = f"{Path(model).stem}{_SUFFIX}"
        path, kind = QFileDialog.getSaveFileName(
            self,
            "Export the model",
            start,
            ";;".join((_ONNX, _STANDALONE, _PACKAGE)),
        )
        if not path:
            return
        job = _job_of(model, Path(path), kind)
        # The dialog has asked only whether to replace the file that was named in it.
        if job.path != Path(path) and job.path.exists():
            show_error(f"{job.path} exists. To replace it, choose this name.")
            return
        if job.path.suffix == PACKAGE and model not in builtin_models():
            asked = self._ask_for_origin(job)
            if asked is None:
                return
            job = asked
        self.start(job)

    def start(self, job: ExportJob) -> None:
        """Begin an export."""

        def show_step(step: str) -> None:
            self._show(f"Exporting {Path(job.model).name}: {step.lower()}…")

        self._set_busy(True)
        show_step("starting")
        self._task = Task(
            export_model,
            job,
            returned=self._on_returned,
            yielded=show_step,
            errored=self._on_error,
        )

    def cancel(self) -> None:
        """Stop after the current step, and say so at once."""
        if self._task is not None:
            self.drop()
            self._set_busy(False)
            self._show("The export was canceled. No file was written.")

    def clear(self) -> None:
        """Hide the message of a finished export."""
        if not self.is_running:
            self.hide()

    def drop(self) -> None:
        """Stop after the current step. The widget may have been deleted by Qt."""
        if self._task is not None:
            self._task.drop()
            self._task = None

    def _ask_for_origin(self, job: ExportJob) -> ExportJob | None:
        """Ask for the authors and the license of a model; None if that is canceled."""
        names, is_given = QInputDialog.getText(
            self,
            "Authors of the model",
            "A package names the authors of its model. Separate names with commas.",
        )
        if not is_given:
            return None
        spdx, is_given = QInputDialog.getItem(
            self,
            "License of the model",
            "The SPDX identifier of the license of its weights:",
            _LICENSES,
            0,
            True,
        )
        if not is_given:
            return None
        authors = tuple(name.strip() for name in names.split(",") if name.strip())
        return ExportJob(
            model=job.model, path=job.path, authors=authors, license=spdx.strip()
        )

    def _on_returned(self, outcome: Path | Failed) -> None:
        self._task = None
        self._set_busy(False)
        if isinstance(outcome, Failed):
            self._show(f"Not exported: {outcome.message}")
            show_error(outcome.message)
            return
        self._show(f"Exported to {outcome.absolute()}")

    def _on_error(self) -> None:
        self._task = None
        self._set_busy(False)
        self._show("Not exported: see napari's notification.")

    def _set_busy(self, busy: bool) -> None:
        self.bar.setVisible(busy)
        self.cancel_button.setVisible(busy)

    def _show(self, text: str) -> None:
        self.note.setText(breakable(text))
        self.show()


def _job_of(model: str, path: Path, kind: str) -> ExportJob:
    """Return the job for a file name and the kind of file that was chosen.

    It is a package if either says so, because the dialog proposes an ONNX file.
    """
    is_package = path.suffix == PACKAGE or kind == _PACKAGE
    if is_package and path.suffix == _SUFFIX:
        path = path.with_suffix(PACKAGE)
    elif path.suffix not in (_SUFFIX, PACKAGE):
        path = path.with_name(path.name + (PACKAGE if is_package else _SUFFIX))
    return ExportJob(model=model, path=path, standalone=kind == _STANDALONE)
