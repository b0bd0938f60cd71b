"""The dock widget that denoises an image layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import napari.layers
import numpy as np
from magicgui.widgets import (
    ComboBox,
    Container,
    Label,
    ProgressBar,
    PushButton,
    create_widget,
)
from napari.qt.threading import GeneratorWorker, thread_worker
from napari.utils.notifications import show_error, show_warning

from ..builtin import builtin_models
from ..errors import DenoiseAEError
from .layers import add_denoised_layer, layer_axes

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from ..inference import Progress


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a worker brings back: a result, or what a user did wrong."""

    denoised: NDArray[Any] | None = None
    misfits: tuple[str, ...] = ()
    error: str = ""


class DenoiseWidget(Container):  # type: ignore[type-arg]
    """Denoise an image layer with a built-in model, outside the GUI thread.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are; napari passes it.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._worker: GeneratorWorker | None = None
        # magicgui fills it with the viewer's image layers by itself.
        self._layer: Any = create_widget(
            annotation=napari.layers.Image,
            label="layer",
            options={"tooltip": "Image layer to denoise; it is not changed."},
        )
        self._model = ComboBox(
            label="model", choices=builtin_models(), tooltip="Built-in model."
        )
        self._run = PushButton(text="Denoise")
        self._cancel = PushButton(text="Cancel", enabled=False)
        self._progress = ProgressBar(label="progress", value=0, min=0, max=1)
        self._status = Label(value="")
        self.extend(
            [
                self._layer,
                self._model,
                self._run,
                self._cancel,
                self._progress,
                self._status,
            ]
        )
        self._run.changed.connect(self._start)
        self._cancel.changed.connect(self._stop)
        self.native.destroyed.connect(self._stop)

    def _start(self) -> None:
        layer = self._layer.value
        if layer is None:
            show_error("There is no image layer to denoise. Open an image first.")
            return
        try:
            axes = layer_axes(layer)
        except DenoiseAEError as error:
            show_error(str(error))
            return
        self._set_running(True)
        worker = _denoise(layer.data, axes, self._model.value)
        worker.yielded.connect(self._show_progress)
        worker.returned.connect(lambda outcome: self._finish(layer, outcome))
        worker.aborted.connect(lambda: self._set_running(False, "cancelled"))
        # What nobody foresaw: napari shows it by itself.
        worker.errored.connect(lambda _: self._set_running(False, "failed"))
        self._worker = worker
        worker.start()

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.quit()

    def _show_progress(self, progress: Progress) -> None:
        if self._worker is not None:
            self._progress.max = progress.total
            self._progress.value = progress.done

    def _finish(self, layer: napari.layers.Image, outcome: Outcome) -> None:
        if outcome.denoised is None:
            self._set_running(False, "failed")
            show_error(outcome.error)
            return
        self._set_running(False, "done")
        for message in outcome.misfits:
            show_warning(message)
        if layer not in self._viewer.layers:
            show_warning(f"The layer {layer.name!r} is gone, so is its result.")
            return
        add_denoised_layer(self._viewer, layer, outcome.denoised)

    def _set_running(self, running: bool, status: str = "running") -> None:
        if not running:
            self._worker = None
        self._run.enabled = not running
        self._cancel.enabled = running
        self._progress.value = 0
        self._status.value = status


@thread_worker(ignore_errors=True)  # type: ignore[untyped-decorator]
def _denoise(data: Any, axes: str, model: str) -> Generator[Progress, None, Outcome]:
    # torch is imported here, not when napari starts.
    from ..checkpoint import load_checkpoint
    from ..devices import choose_device
    from ..inference import Denoiser, Denoising

    try:
        denoiser = Denoiser(load_checkpoint(model), choose_device())
        run = Denoising(np.asarray(data), denoiser, axes=axes)
        yield from run
        return Outcome(run.result, tuple(run.misfits()))
    except DenoiseAEError as error:
        return Outcome(error=str(error))
    except RuntimeError as error:
        # torch's own; napari's workers end without a word on one.
        return Outcome(error=f"Denoising failed: {error}")
