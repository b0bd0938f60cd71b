"""Show what came out of the runs: their status, figures and lazy progress."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from ...errors import DenoiseAEError, InvalidInputError
from ..shared.scope_edit import SLICE
from ..viewer.outputs import find_output
from ..viewer.view import current_plane
from .lazy_progress import LazyProgress
from .outcomes import Outcomes
from .trust_target import trust_target

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from .form import DenoiseForm
    from .job import DenoiseJob
    from .job_maker import JobMaker
    from .outcomes import Outcome
    from .result import Denoised
    from .run import DenoiseRun
    from .run_panel import RunPanel
    from .trust_job import TrustJob


class OutcomeView(QObject):  # type: ignore[misc]
    """Shows the outcome for the chosen layer and settings, if there is one.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    form : DenoiseForm
        The form with the chosen layer and the settings.
    jobs : JobMaker
        Makes the job that the form describes.
    run : DenoiseRun
        The runs.
    panel : RunPanel
        The panel that shows the outcome.

    Attributes
    ----------
    changed : Signal
        Emitted after another outcome is shown, or none.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: Viewer,
        form: DenoiseForm,
        jobs: JobMaker,
        run: DenoiseRun,
        panel: RunPanel,
    ) -> None:
        super().__init__(panel)
        self._viewer, self._form, self._jobs = viewer, form, jobs
        self._run, self._panel = run, panel
        self._tiles = LazyProgress(viewer)
        self._outcomes = Outcomes()
        self._shown: Outcome | None = None
        self._tiles.busy.connect(panel.set_computing)
        self._tiles.status_changed.connect(panel.status.setText)
        self._tiles.progressed.connect(panel.show_progress)
        run.finished.connect(self._on_finished)
        run.lazily_shown.connect(self._on_lazily_shown)
        viewer.layers.events.removed.connect(self._on_removed)

    def refresh(self) -> None:
        """Show the outcome of the last run of this layer with these settings."""
        if self._run.is_running:
            return
        self.clear()
        self._panel.set_computing(False)
        self._show(self._find(), self._form.source)
        self.changed.emit()

    def _show(self, outcome: Outcome | None, layer: Image | None) -> None:
        self._shown = outcome
        self._panel.show_status(outcome)
        if outcome is None or layer is None:
            return
        if outcome.figures is None:
            if (result := find_output(self._viewer, layer, "denoised")) is not None:
                self._tiles.watch(result)
            return
        plane = current_plane(self._viewer, layer)
        self._panel.show_figures(outcome, layer.name, plane)

    def target(self) -> tuple[Image, Image, TrustJob]:
        """Return the layer, its result with these settings, and what to assess.

        Raises
        ------
        InvalidInputError
            If there is no such result.
        """
        layer = self._form.source
        if layer is None or self._find() is None:
            raise InvalidInputError("Denoise the layer with these settings first.")
        return layer, *trust_target(self._viewer, layer, self._jobs.job_in_scope())

    def show_plane(self) -> None:
        """Adapt to another displayed plane."""
        if self._form.scope.value == SLICE:
            self.refresh()
        elif (layer := self._form.source) is not None:
            self._panel.readout.show_plane(current_plane(self._viewer, layer))

    def clear(self) -> None:
        """Show no outcome."""
        self._shown = None
        self._tiles.drop()
        self._panel.clear_result()

    def cancel(self) -> None:
        """Compute no more tiles of a lazy result, until the user looks at others."""
        self._tiles.cancel()

    def close(self) -> None:
        """Disconnect from the viewer."""
        self._tiles.close()
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    def _find(self) -> Outcome | None:
        if (layer := self._form.source) is not None:
            with suppress(DenoiseAEError):
                job = self._jobs.job_in_scope()
                shown = find_output(self._viewer, layer, "denoised")
                return self._outcomes.find(layer, job, shown)
        return None

    def _on_removed(self, _: object) -> None:
        """Do not describe a result that the user has removed."""
        if self._shown is not None and self._find() is None:
            self.refresh()

    def _on_finished(self, layer: Image, job: DenoiseJob, result: Denoised) -> None:
        self._store(layer, job, result, self._panel.status.text())
        self.refresh()
        if self._panel.readout.result is not None:
            self._panel.warn(result.incompatibilities)

    def _on_lazily_shown(self, layer: Image, job: DenoiseJob) -> None:
        self._store(layer, job, None, "")
        self.refresh()

    def _store(
        self, layer: Image, job: DenoiseJob, result: Denoised | None, status: str
    ) -> None:
        shown = find_output(self._viewer, layer, "denoised")
        if shown is not None:
            self._outcomes.store(layer, job, shown, result, status)
