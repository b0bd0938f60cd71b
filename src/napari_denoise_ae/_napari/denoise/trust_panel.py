"""The section *Can I believe it?* of the Denoise widget."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QLabel, QProgressBar, QWidget

from ...errors import DenoiseAEError
from ..shared.layout import Note, make_button, make_column, make_row
from ..shared.worker import Failed, Task
from ..viewer.trust_layers import ERROR_ROLE, STRUCTURE_ROLE, show_maps
from .trust_job import assess_result, plane_maps
from .trust_text import finding_text, light_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image
    from napari.viewer import Viewer

    from ...denoising.array import Progress
    from ...evaluation.trust.report import TransferCurve, TrustReport
    from .trust_job import TrustJob
    from .trust_plot import TransferPlot

    Reports = tuple[TrustReport, ...]


class TrustPanel(QWidget):  # type: ignore[misc]
    """Assess the last result on demand, without a clean image.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    find_job : callable
        Returns the chosen layer, its result and what to assess. Raises a
        `DenoiseAEError` if there is no result of the present settings.

    Attributes
    ----------
    shown : Signal
        Emitted after a report has been shown.
    reports : tuple of TrustReport
        The reports that are shown, one for each channel.
    """

    shown = Signal()

    def __init__(
        self, viewer: Viewer, find_job: Callable[[], tuple[Image, Image, TrustJob]]
    ) -> None:
        super().__init__()
        self._viewer, self._find_job = viewer, find_job
        # By result, so that a report comes back with it and never outlives it.
        self._reports: WeakKeyDictionary[Image, tuple[object, Reports]]
        self._reports = WeakKeyDictionary()
        self._task: Task | None = None
        self.reports: Reports = ()
        self.assess_button = make_button(
            "Assess the result",
            "Run the model a few more times on parts of the layer, and report noise, "
            "resolution kept, expected error and structure in what was removed. Adds "
            "layers with the expected error, and with removed structure if there is "
            "any. Takes some seconds.",
        )
        self.cancel_button = make_button("Cancel", "Stop, and add nothing.")
        self.copy_button = make_button("Copy report", "Copy the report as text.")
        self.bar, self.status, self.light = QProgressBar(), Note(), Note()
        self._findings, self._place = QWidget(), QWidget()
        make_column(self._findings)
        make_column(self._place)
        self._plot: TransferPlot | None = None
        self._colors = ("#000000", "#ffffff")
        self._arrange()
        self._show(())

    def refresh(self) -> None:
        """Show the report of the present result, if there is one."""
        self._drop()
        self._show(())
        try:
            _, result, _ = self._find_job()
        except DenoiseAEError as error:
            self.assess_button.setEnabled(False)
            self.status.setText(str(error))
            return
        self.assess_button.setEnabled(True)
        self.status.setText("")
        data, reports = self._reports.get(result, (None, ()))
        if data is result.data:
            self._show(reports)

    def set_colors(self, background: str, text: str) -> None:
        """Set the colors of the plot, as ``#rrggbb``."""
        self._colors = (background, text)
        if self._plot is not None:
            self._plot.set_colors(background, text)

    def drop(self) -> None:
        """Stop without emitting anything."""
        if self._task is not None:
            self._task.drop()
            self._task = None

    def _arrange(self) -> None:
        column = make_column(self)
        column.addLayout(make_row(self.assess_button, self.cancel_button))
        parts = (self.bar, self.status, self.light, self._findings, self._place)
        for widget in parts:
            column.addWidget(widget)
        column.addWidget(self.copy_button)
        self.assess_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._cancel)
        self.copy_button.clicked.connect(self._copy)

    def _start(self) -> None:
        try:
            layer, result, job = self._find_job()
        except DenoiseAEError as error:
            self.status.setText(str(error))
            return
        self._show(())
        self._set_busy(True)
        self.status.setText("loading the model")
        self._task = Task(
            assess_result,
            job,
            yielded=self._show_progress,
            returned=lambda outcome: self._finish(layer, result, outcome),
            errored=lambda: self._end("failed"),
        )

    def _cancel(self) -> None:
        self.drop()
        self._end("cancelled")

    def _drop(self) -> None:
        self.drop()
        self._set_busy(False)

    def _end(self, status: str) -> None:
        self._task = None
        self._set_busy(False)
        self.status.setText(status)

    def _set_busy(self, busy: bool) -> None:
        self.assess_button.setEnabled(not busy)
        self.cancel_button.setEnabled(busy)
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)

    def _show_progress(self, step: Progress | None) -> None:
        if step is not None:
            self.bar.setRange(0, step.total)
            self.bar.setValue(step.done)
            self.status.setText(f"step {step.done} of {step.total}")

    def _finish(self, layer: Image, result: Image, outcome: Reports | Failed) -> None:
        if isinstance(outcome, Failed):
            self._end(outcome.message)
            return
        if result not in self._viewer.layers:
            self._end("the result was removed")
            return
        self._end(outcome[0].sampled)
        self._reports[result] = (result.data, outcome)
        self._show(outcome)
        rows, columns = result.data.shape[result.ndim - 2 : result.ndim]
        for name, role in (("error", ERROR_ROLE), ("structure", STRUCTURE_ROLE)):
            is_shown = name == "error" or _has_structure(outcome)
            maps = plane_maps(outcome, name, (rows, columns)) if is_shown else []
            show_maps(self._viewer, layer, result, role, maps)
        self.shown.emit()

    def _show(self, reports: Reports) -> None:
        self.reports = reports
        layout = self._findings.layout()
        while (item := layout.takeAt(0)) is not None:
            item.widget().deleteLater()
        for number, report in enumerate(reports):
            if len(reports) > 1:
                layout.addWidget(QLabel(f"Channel {number}"))
            for finding in report.findings:
                note = Note()
                note.setText(finding_text(finding))
                note.setToolTip(f"<qt>{finding.validity}</qt>")
                layout.addWidget(note)
        self.light.setText(light_text(reports) if reports else "")
        self._show_curves([each.curve for each in reports if each.curve is not None])
        self.copy_button.setVisible(bool(reports))

    def _show_curves(self, curves: list[TransferCurve]) -> None:
        self._place.setVisible(bool(curves))
        if not curves:
            return
        if self._plot is None:
            # Importing pyqtgraph takes half of the time to open the widget.
            from .trust_plot import TransferPlot

            self._plot = TransferPlot()
            self._plot.set_colors(*self._colors)
            self._plot.setToolTip(
                "<qt>How much of the image the result keeps, from coarse details on "
                "the left to the finest on the right. 1: all. Below the line at 0.5, "
                "details are weakened by half or more.</qt>"
            )
            self._place.layout().addWidget(self._plot)
        self._plot.set_curves(curves)

    def _copy(self) -> None:
        QApplication.clipboard().setText("\n\n".join(map(str, self.reports)))


def _has_structure(reports: Reports) -> bool:
    """Return whether structure was found in what was removed."""
    return any(
        finding.name == "structure" and finding.light != "fine"
        for report in reports
        for finding in report.findings
    )
