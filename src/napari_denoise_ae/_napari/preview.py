"""The preview: what the canvas shows, denoised, in a layer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QObject, QTimer, Signal

from .layers import (
    OutputLayers,
    shown_side_on,
    translate_of_part,
    visible_region,
)
from .workers import Denoised, DenoiseJob, Failed, run_denoising

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image
    from napari.viewer import Viewer

# How long the view must rest before it is denoised, in milliseconds.
_REST = 150


class Preview(QObject):  # type: ignore[misc]
    """Denoises what is visible, and follows the view and the settings.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer.
    outputs : OutputLayers
        Where its layer is kept.
    source : callable
        Returns the layer to denoise, or None.
    job : callable
        Returns what to do with it; takes changes to it.

    Attributes
    ----------
    told : Signal
        What a user has to know, as text.
    """

    told = Signal(str)

    def __init__(
        self,
        viewer: Viewer,
        outputs: OutputLayers,
        source: Callable[[], Image | None],
        job: Callable[..., DenoiseJob | None],
    ) -> None:
        super().__init__()
        self._viewer, self._outputs = viewer, outputs
        self._source, self._make_job = source, job
        self._shown: Image | None = None
        self._worker: GeneratorWorker | None = None
        self._on = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST)
        self._timer.timeout.connect(self._start)
        for event in (
            viewer.camera.events.center,
            viewer.camera.events.zoom,
            viewer.dims.events.current_step,
            viewer.dims.events.ndisplay,
            viewer.dims.events.order,
        ):
            event.connect(self.refresh)

    def set_on(self, on: bool) -> None:
        """Switch it on or off; off removes its layer."""
        self._on = on
        if on:
            self.refresh()
        else:
            self.close()

    def refresh(self) -> None:
        """Denoise anew as soon as the view rests."""
        if self._on:
            self._timer.start()

    def close(self) -> None:
        """Stop, and remove its layer."""
        self._on = False
        self._timer.stop()
        if self._worker is not None:
            self._worker.quit()
        self._remove_layer()

    def _start(self) -> None:
        layer = self._source()
        if layer is not self._shown:
            self._remove_layer()
        if layer is None:
            return
        if reason := shown_side_on(self._viewer):
            self._remove_layer()
            self.told.emit(f"Preview is {reason}.")
            return
        if self._worker is not None:
            # It looks again when that one has ended.
            self._worker.quit()
            return
        region = visible_region(layer)
        job = self._make_job(region=region)
        if job is None:
            return
        self._shown = layer
        worker = create_worker(run_denoising, job)
        worker.returned.connect(lambda outcome: self._show(layer, job, outcome))
        worker.aborted.connect(self._ended)
        worker.errored.connect(lambda _: self._ended())
        self._worker = worker
        worker.start()

    def _ended(self) -> None:
        self._worker = None
        self.refresh()

    def _show(self, layer: Image, job: DenoiseJob, outcome: Denoised | Failed) -> None:
        self._worker = None
        if not self._on or layer not in self._viewer.layers or job.region is None:
            return
        if isinstance(outcome, Failed):
            self.told.emit(outcome.message)
            return
        rows, columns = job.region
        first = (*job.plane, rows.start, columns.start)
        data = outcome.denoised.reshape((1,) * len(job.plane) + outcome.denoised.shape)
        self._outputs.show(
            layer,
            "preview",
            data,
            {"model": job.model, "noise": job.noise, "seed": job.seed},
            translate=translate_of_part(layer, first),
        )

    def _remove_layer(self) -> None:
        if self._shown is not None:
            self._outputs.remove(self._shown, "preview")
            self._shown = None
