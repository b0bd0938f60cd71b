"""The dock widget that denoises an image layer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari.qt.threading import GeneratorWorker, create_worker
from napari.utils import progress
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from .. import __version__
from ..errors import DenoiseAEError
from ..noise import parse_noise
from .denoise_form import DenoiseForm
from .layers import OutputLayers, current_plane, is_output, layer_axes, residual
from .preview import Preview
from .readout import Readout
from .state import model_choice
from .workers import (
    Denoised,
    DenoiseJob,
    Failed,
    LayerFacts,
    Started,
    look_at_layer,
    look_at_model,
    run_denoising,
)

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from ..inference import Denoising, Progress

_FLIP_KEY = "Alt-B"


class DenoiseWidget(QWidget):  # type: ignore[misc]
    """Denoise an image layer, outside the GUI thread.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are; napari passes it.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._models = model_choice(viewer)
        self._outputs = OutputLayers(viewer)
        self._worker: GeneratorWorker | None = None
        self._run: Denoising | None = None
        self._activity: progress[Any] | None = None
        self._began = 0.0
        self._keep = False
        self._build()
        self._preview = Preview(
            viewer, self._outputs, lambda: self.form.source, self._job
        )
        self._connect()
        self._follow_active()
        self._describe_model()

    # --- what it is made of

    def _build(self) -> None:
        self.form = DenoiseForm(self._viewer)
        self.preview_box = QCheckBox("Preview what is visible")
        self.preview_box.setToolTip(
            "Denoises only what the canvas shows, and follows it. Default: off."
        )
        self.run_button = QPushButton("Denoise")
        self.cancel_button = QPushButton("Cancel")
        self.keep_button = QPushButton("Keep finished")
        self.keep_button.setToolTip("Stop, and keep the planes that are finished.")
        self.bar = QProgressBar()
        self.status = QLabel()
        self.warning = QLabel()
        self.readout = Readout()
        self.copy_figures = QPushButton("Copy figures")
        self.copy_python = QPushButton("Copy as Python")
        self.side_by_side = QCheckBox("Side by side")
        self.side_by_side.setToolTip("Grid with linked contrast limits. Default: off.")
        for label in (self.status, self.warning):
            label.setWordWrap(True)
        self.warning.setVisible(False)
        self._lay_out()
        self._set_running(False)

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.addWidget(self.form.native)
        column.addWidget(self.warning)
        column.addWidget(self.preview_box)
        column.addLayout(_row(self.run_button, self.cancel_button, self.keep_button))
        column.addWidget(self.bar)
        column.addWidget(self.status)
        column.addWidget(self.readout)
        column.addWidget(self.readout.note)
        column.addLayout(_row(self.copy_figures, self.copy_python))
        flip = QLabel(f"{_FLIP_KEY}: before / after")
        column.addLayout(_row(self.side_by_side, flip))
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidget(content)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar_width = scroll.verticalScrollBar().sizeHint().width()
        scroll.setMinimumWidth(content.minimumSizeHint().width() + bar_width)
        QVBoxLayout(self).addWidget(scroll)
        self.layout().setContentsMargins(0, 0, 0, 0)

    def _connect(self) -> None:
        layers = self._viewer.layers
        for event in (layers.events.inserted, layers.events.removed):
            event.connect(self._on_layers_changed)
        layers.selection.events.active.connect(self._follow_active)
        self._models.changed.connect(self.form.refresh_models)
        form = self.form
        form.layer.native.activated.connect(self._pin)
        form.layer.changed.connect(self._look_at_layer)
        form.model.changed.connect(self._on_model_chosen)
        form.open_model.changed.connect(self._open_model)
        for field in (form.noise, form.seed, form.kind, form.model, form.device):
            field.changed.connect(self._preview.refresh)
        self.preview_box.toggled.connect(self._preview.set_on)
        self._preview.told.connect(self.status.setText)
        self.run_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._cancel)
        self.keep_button.clicked.connect(self._stop_and_keep)
        self.copy_figures.clicked.connect(self.readout.copy)
        self.copy_python.clicked.connect(self._copy_python)
        self.side_by_side.toggled.connect(self._set_side_by_side)
        self._viewer.bind_key(_FLIP_KEY, self._flip, overwrite=True)
        self.destroyed.connect(self._preview.close)

    # --- which layer and which model

    def _on_layers_changed(self) -> None:
        self.form.refresh_layers()
        self._follow_active()

    def _follow_active(self) -> None:
        active = self._viewer.layers.selection.active
        if not self.form.follow.value or active is None or is_output(active):
            return
        if active in self.form.layer.choices:
            self.form.layer.value = active

    def _pin(self) -> None:
        self.form.follow.value = False

    def _look_at_layer(self) -> None:
        self.readout.clear_result()
        self._preview.refresh()
        layer = self.form.source
        if layer is None:
            self.form.facts.setText("no image layer")
            return
        shape = " x ".join(str(length) for length in layer.data.shape)
        plain = f"{shape}, {layer.data.dtype}{', RGB' if layer.rgb else ''}"
        self.form.facts.setText(plain)
        try:
            axes = layer_axes(layer)
        except DenoiseAEError as error:
            self.form.facts.setText(str(error))
            return
        worker = create_worker(look_at_layer, layer.data, axes)
        worker.returned.connect(lambda facts: self._show_facts(layer, plain, facts))
        worker.start()

    def _show_facts(self, layer: Image, plain: str, facts: LayerFacts | Failed) -> None:
        if layer is not self.form.source:
            return
        if isinstance(facts, Failed):
            self.form.facts.setText(f"{plain}. {facts.message}")
            return
        known = facts.noise == facts.noise  # not NaN
        noise = f"{facts.noise:.1%} of the range" if known else "unknown"
        self.form.facts.setText(f"{plain}, estimated noise {noise}")

    def _on_model_chosen(self, model: str) -> None:
        if model and model != self._models.chosen:
            self._models.choose(model)
        self._describe_model()

    def _open_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a checkpoint", "", "Checkpoints (*.pt)"
        )
        if path:
            self._models.choose(path)

    def _describe_model(self) -> None:
        model = self._models.chosen
        worker = create_worker(look_at_model, model)
        worker.returned.connect(lambda text: self._show_description(model, text))
        worker.start()

    def _show_description(self, model: str, text: str | Failed) -> None:
        if model == self._models.chosen:
            shown = text.message if isinstance(text, Failed) else text
            self.form.description.setText(shown)

    # --- denoising

    def _job(self, **changes: Any) -> DenoiseJob | None:
        """Return what the form says, or tell what is wrong with it."""
        layer, reference = self.form.source, self.form.reference_layer
        if layer is None:
            self.status.setText("There is no image layer to denoise.")
            return None
        try:
            axes = layer_axes(layer)
            if self.form.noise_to_add is not None:
                parse_noise(self.form.noise_to_add)
        except DenoiseAEError as error:
            self.status.setText(str(error))
            return None
        if reference is not None and reference.data.shape != layer.data.shape:
            self.status.setText(
                f"The clean reference has the shape {reference.data.shape}, the layer "
                f"{layer.data.shape}: choose one of the same shape."
            )
            return None
        settings = {
            "data": layer.data,
            "axes": axes,
            "model": self._models.chosen,
            "device": self.form.device.value,
            "noise": self.form.noise_to_add,
            "seed": self.form.seed.value,
            "reference": None if reference is None else reference.data,
            "plane": current_plane(self._viewer, layer),
        }
        return DenoiseJob(**{**settings, **changes})

    def _start(self) -> None:
        layer, job = self.form.source, self._job()
        if layer is None or job is None:
            show_error(self.status.text())
            return
        self.readout.clear_result()
        self._set_running(True)
        self._keep = False
        self._began = time.monotonic()
        self._activity = progress(total=0, desc=f"Denoising {layer.name}")
        worker = create_worker(run_denoising, job)
        worker.yielded.connect(self._show_progress)
        worker.returned.connect(lambda outcome: self._finish(layer, job, outcome))
        worker.aborted.connect(lambda: self._end_early(layer, job))
        # What nobody foresaw: napari shows it by itself.
        worker.errored.connect(lambda _: self._set_running(False, "failed"))
        self.destroyed.connect(worker.quit)
        self._worker = worker
        worker.start()

    def _show_progress(self, step: Started | Progress) -> None:
        if self._worker is None or self._activity is None:
            return
        if isinstance(step, Started):
            self._run = step.run
            self.keep_button.setEnabled(self._run.result.ndim > 2)
            return
        self.bar.setMaximum(step.total)
        self.bar.setValue(step.done)
        elapsed = time.monotonic() - self._began
        left = elapsed * (step.total - step.done) / step.done
        self.status.setText(f"{step.done} of {step.total} tiles, {left:.0f} s left")
        self._activity.total = step.total
        self._activity.update(1)

    def _cancel(self) -> None:
        if self._worker is not None:
            self._worker.quit()

    def _stop_and_keep(self) -> None:
        self._keep = True
        self._cancel()

    def _end_early(self, layer: Image, job: DenoiseJob) -> None:
        run, keep = self._run, self._keep
        self._set_running(False, "cancelled")
        if keep and run is not None and layer in self._viewer.layers:
            provenance = self._provenance(job) | {"unfinished": True}
            self._outputs.show(layer, "denoised", run.result, provenance)
            self.status.setText(f"stopped: {run.planes_done} planes are denoised")

    def _finish(
        self, layer: Image, job: DenoiseJob, outcome: Denoised | Failed
    ) -> None:
        if isinstance(outcome, Failed):
            self._set_running(False, "failed")
            show_error(outcome.message)
            return
        self._set_running(False, f"done on {outcome.device}")
        if layer not in self._viewer.layers:
            show_warning(f"The layer {layer.name!r} is gone, and its result with it.")
            return
        self._show_layers(layer, job, outcome)
        self.readout.show_result(outcome, layer.name)
        self.warning.setText("\n".join(outcome.misfits))
        self.warning.setVisible(bool(outcome.misfits))

    def _show_layers(self, layer: Image, job: DenoiseJob, result: Denoised) -> None:
        provenance = self._provenance(job) | _figures(result)
        self._outputs.remove(layer, "preview")
        if job.noise is not None:
            self._outputs.show(layer, "noisy", result.noisy, provenance)
        shown = self._outputs.show(layer, "denoised", result.denoised, provenance)
        if self.form.residual.value:
            removed, look = residual(layer, result.noisy, result.denoised)
            self._outputs.show(layer, "residual", removed, provenance, **look)
        self._viewer.layers.selection.active = shown
        self._set_side_by_side(self.side_by_side.isChecked())

    def _provenance(self, job: DenoiseJob) -> dict[str, Any]:
        return {
            "version": __version__,
            "model": job.model,
            "axes": job.axes,
            "noise": job.noise,
            "seed": job.seed,
        }

    def _set_running(self, running: bool, status: str = "") -> None:
        if not running:
            self._worker = self._run = None
            if self._activity is not None:
                self._activity.close()
                self._activity = None
        self.run_button.setEnabled(not running)
        self.cancel_button.setEnabled(running)
        self.keep_button.setEnabled(False)
        self.bar.setVisible(running)
        self.bar.setRange(0, 0)
        self.status.setText("starting" if running else status)

    # --- looking at it, and taking it along

    def _set_side_by_side(self, on: bool) -> None:
        layer = self.form.source
        self._viewer.canvas.grid.enabled = on
        if layer is None:
            return
        roles = ("noisy", "denoised")
        group = [layer, *(self._outputs.get(layer, role) for role in roles)]
        group = [member for member in group if member is not None]
        if layer.rgb or len(group) < 2:
            return
        if on:
            self._viewer.layers.link_layers(group, ("contrast_limits",))
        else:
            self._viewer.layers.unlink_layers(group, ("contrast_limits",))

    def _flip(self, _: Viewer) -> None:
        layer = self.form.source
        after = None if layer is None else self._outputs.get(layer, "denoised")
        if after is not None:
            after.visible = not after.visible

    def _copy_python(self) -> None:
        layer, job = self.form.source, self._job()
        if layer is None or job is None:
            show_error(self.status.text())
            return
        QApplication.clipboard().setText(python_code(layer.name, job))
        show_info("The call is on the clipboard.")


def python_code(name: str, job: DenoiseJob) -> str:
    """Return lines that give in napari's console what a job gives."""
    lines = [f"image = viewer.layers[{name!r}].data"]
    settings = f"model={job.model!r}, axes={job.axes!r}, device={job.device!r}"
    if job.noise is None:
        lines.insert(0, "from napari_denoise_ae import denoise")
        lines.append(f"denoised = denoise(image, {settings})")
        return "\n".join(lines)
    colours = "image[..., :3]" if "S" in job.axes else "image"
    lines = [
        "from napari_denoise_ae import add_noise, denoise",
        "from napari_denoise_ae.intensity import resolve_intensity_range",
        *lines,
        f"limits = resolve_intensity_range({colours})",
        f"noisy = add_noise(image, {job.noise!r}, rng={job.seed}, axes={job.axes!r})",
        f"denoised = denoise(noisy, {settings}, intensity_range=limits)",
    ]
    return "\n".join(lines)


def _figures(result: Denoised) -> dict[str, Any]:
    scale = result.intensity_range
    figures: dict[str, Any] = {"intensity_range": (scale.low, scale.high)}
    if result.mean is not None:
        figures |= {
            "psnr_noisy": result.mean.psnr_noisy,
            "psnr_denoised": result.mean.psnr_denoised,
            "ssim_noisy": result.mean.ssim_noisy,
            "ssim_denoised": result.mean.ssim_denoised,
        }
    return figures


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
