"""The dock widget that denoises an image layer."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.utils import progress
from napari.utils.notifications import show_error, show_info, show_warning
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...errors import DenoiseAEError, InvalidInputError
from ...models.builtin import suits_any_noise
from ...noise.spec import parse_noise
from ..shared.fields import Folded, Note, make_row, make_scroll
from ..shared.model_choice import model_choice, unwrapped
from ..shared.model_facts import look_at_model
from ..shared.open_checkpoint import ask_for_checkpoint
from ..shared.worker import Failed, Running, say_duration
from ..viewer.axes import describe_layer, layer_axes, plan_of
from ..viewer.layers import lazy_levels
from ..viewer.outputs import (
    find_output,
    finished_planes,
    remove_output,
    show_lazy_output,
    show_output,
)
from ..viewer.view import current_plane, part_in_scope, place_of_part
from .compare_panel import ComparePanel
from .form import DenoiseForm
from .job import DenoiseJob, Started, part_of_planes, residual_limits, run_denoising
from .lazy_job import denoise_levels, look_at_lazy_layer
from .look_job import look_at_layer
from .preview import Preview
from .provenance import provenance
from .python_code import python_code
from .readout import Readout

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari.viewer
    from napari.layers import Image

    from ...denoising.array import Denoising, Progress
    from ..shared.model_facts import ModelFacts
    from .job import Denoised
    from .lazy_job import LazyDenoised
    from .look_job import LayerFacts

_FLIP_KEY = "Alt-B"
# How long new widgets may take to find their place, in milliseconds.
_SETTLING = 100
# How long the settings must rest before the layer is looked at, in milliseconds.
_REST = 200


@dataclass(slots=True, eq=False)
class _Run:
    """A whole layer being denoised."""

    layer: Image
    job: DenoiseJob
    running: Running
    activity: progress[Any]
    denoising: Denoising | None = None
    began: float = 0.0


class DenoiseWidget(QWidget):  # type: ignore[misc]
    """Denoise an image layer, outside the GUI thread.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are; napari passes it.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer = unwrapped(viewer)
        self._models = model_choice(viewer)
        self._run: _Run | None = None
        self._looking: Running | None = None
        self._describing: Running | None = None
        self._result: Denoised | None = None
        self._result_part: tuple[slice, ...] | None = None
        self._linked: list[Image] = []
        self._new: tuple[QWidget, ...] = ()
        self._watched = ExitStack()
        self._closing = ExitStack()
        self._build()
        self._preview = Preview(viewer, lambda: self.form.source, self._job)
        self._connect()
        self._connect_viewer()
        self._follow_active()
        self._on_layer_chosen()
        self._describe_model()
        self._take_theme()

    def event(self, event: QEvent) -> bool:
        """Close when napari takes the widget out of a dock that is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._look_timer.stop()
            self._scroll_timer.stop()
            self.preview_box.setChecked(False)
            self._closing.close()
        return bool(super().event(event))

    # --- what it is made of

    def _build(self) -> None:
        self.form = DenoiseForm(self._viewer)
        self.warning = Note()
        self.preview_box = QCheckBox("Preview what is visible")
        self.preview_box.setToolTip(
            "Denoises only what the canvas shows, and follows it. Default: off."
        )
        self.preview_note = Note()
        self.run_button = QPushButton("Denoise")
        self.cancel_button = QPushButton("Cancel")
        self.keep_button = QPushButton("Keep finished")
        self.keep_button.setToolTip("Stop, and keep the planes that are finished.")
        self.bar = QProgressBar()
        self.status = Note()
        self.readout = Readout()
        self.copy_figures = QPushButton("Copy figures")
        self.copy_python = QPushButton("Copy as Python")
        self.copy_python.setToolTip("The same as a call, for napari's console.")
        self.side_by_side = QCheckBox("Side by side")
        self.side_by_side.setToolTip("Grid with linked contrast limits. Default: off.")
        self.compare = ComparePanel(self._viewer, self._models, self._comparison)
        self._lay_out()
        self._set_running(False)
        self._clear_result()

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.addWidget(self.form.native)
        column.addWidget(self.warning)
        column.addWidget(self.preview_box)
        column.addWidget(self.preview_note)
        column.addLayout(
            make_row(self.run_button, self.cancel_button, self.keep_button)
        )
        column.addWidget(self.bar)
        column.addWidget(self.status)
        column.addWidget(self.readout)
        column.addWidget(self.readout.note)
        column.addLayout(make_row(self.copy_figures, self.copy_python))
        flip = QLabel(f"{_FLIP_KEY}: before / after")
        column.addLayout(make_row(self.side_by_side, flip))
        self.folded = Folded("Compare models", self.compare)
        column.addWidget(self.folded)
        column.addStretch()
        self._scroll = make_scroll(content)
        QVBoxLayout(self).addWidget(self._scroll)
        self.layout().setContentsMargins(0, 0, 0, 0)

    def _connect(self) -> None:
        form = self.form
        form.layer.native.activated.connect(self._pin)
        form.layer.changed.connect(self._on_layer_chosen)
        form.follow.changed.connect(self._follow_active)
        form.model.changed.connect(self._on_model_chosen)
        form.open_model.changed.connect(self._open_model)
        for field in (form.noise, form.seed, form.kind, form.model, form.device):
            field.changed.connect(self._on_setting_changed)
        form.range_of.changed.connect(self._show_plan)
        form.range_of.changed.connect(self._on_setting_changed)
        for part in (form.intensity_range, form.to_remove):
            part.changed.connect(self._on_setting_changed)
        form.to_remove.strength_changed.connect(self._preview.refresh)
        self.preview_box.toggled.connect(self._preview.set_on)
        self._preview.told.connect(self.preview_note.setText)
        self._preview.dismissed.connect(lambda: self.preview_box.setChecked(False))
        self.run_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._cancel)
        self.keep_button.clicked.connect(self._stop_and_keep)
        self.copy_figures.clicked.connect(self.readout.copy)
        self.copy_python.clicked.connect(self._copy_python)
        self.side_by_side.toggled.connect(self._set_side_by_side)
        self.compare.busy.connect(self._on_comparing)
        self.compare.shown.connect(self._on_compared)
        self._look_timer = self._timer(_REST, self._look_at_layer)
        self._scroll_timer = self._timer(_SETTLING, self._scroll_to_new)

    def _timer(self, milliseconds: int, function: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(function)
        return timer

    def _connect_viewer(self) -> None:
        """Listen to what outlives the widget, until it closes."""
        layers = self._viewer.layers
        listeners = (
            (layers.events.inserted, self._on_layers_changed),
            (layers.events.removed, self._on_layers_changed),
            (layers.events.renamed, self._on_layers_changed),
            (layers.selection.events.active, self._follow_active),
            (self._viewer.dims.events.current_step, self._show_figures),
            (self._viewer.events.theme, self._take_theme),
            (self._models.changed, self.form.refresh_models),
            (self._models.changed, self.compare.refresh_models),
        )
        for event, listener in listeners:
            event.connect(listener)
            self._closing.callback(event.disconnect, listener)
        self._viewer.bind_key(_FLIP_KEY, self._flip, overwrite=True)
        self._closing.callback(self._viewer.bind_key, _FLIP_KEY, None)
        self._closing.push(self._watched)
        self._closing.callback(self._preview.close)
        self._closing.callback(self._drop_all)
        # The stack lives on when Qt has deleted the widget.
        self.destroyed.connect(self._closing.close)

    # --- which layer and which model

    def _on_layers_changed(self) -> None:
        self.form.refresh_layers()
        self._follow_active()

    def _follow_active(self) -> None:
        form, active = self.form, self._viewer.layers.selection.active
        if form.source is None:
            # The layer that was pinned is gone, or nothing is chosen yet.
            form.follow.value = True
        if not form.follow.value:
            return
        sources = form.sources()
        if active in sources:
            form.layer.value = active
        elif form.source is None and sources:
            form.layer.value = sources[-1]

    def _pin(self) -> None:
        self.form.follow.value = False

    def _on_layer_chosen(self) -> None:
        layer = self.form.source
        self._watched.close()
        if layer is not None:
            for event in (layer.events.data, layer.events.axis_labels):
                event.connect(self._on_data_changed)
                self._watched.callback(event.disconnect, self._on_data_changed)
        self.form.refresh_references()
        self._on_data_changed()

    def _on_data_changed(self) -> None:
        if self._looking is not None:
            # What it finds is not true of these pixels.
            self._looking.drop()
        self._clear_result()
        self.compare.clear_result()
        self._preview.forget()
        self.form.facts.setText(describe_layer(self.form.source))
        self.form.show_layer()
        self._show_plan()
        self._look_timer.start()

    def _show_plan(self) -> None:
        form = self.form
        plan = plan_of(
            form.source,
            takes_noise_level=form.takes_noise_level,
            range_of=form.measured_in,
        )
        form.plan.setText(plan)

    def _on_setting_changed(self) -> None:
        self._preview.refresh()
        self._look_timer.start()

    def _look_at_layer(self) -> None:
        if self._looking is not None:
            self._looking.drop()
        try:
            job = self._job()
        except DenoiseAEError as error:
            self._warn((str(error),) if self.form.source is not None else ())
            return
        look = look_at_lazy_layer if job.levels else look_at_layer
        self._looking = Running(look, job, returned=self._show_facts)

    def _show_facts(self, facts: LayerFacts | Failed) -> None:
        if isinstance(facts, Failed):
            self._warn((facts.message,))
            return
        form, known = self.form, describe_layer(self.form.source)
        if not math.isnan(facts.noise):
            known = f"{known}, estimated noise {facts.noise:.1%} of the range"
        elif facts.found is None:
            known = f"{known}, estimated noise unknown"
        form.facts.setText(known)
        form.to_remove.show_found(facts.found, of_each=form.measured_in == "image")
        self._warn(facts.misfits)

    def _warn(self, messages: tuple[str, ...]) -> None:
        self.warning.setText("\n".join(f"⚠ {message}" for message in messages))

    def _on_model_chosen(self, model: str) -> None:
        if model and model != self._models.chosen:
            self._models.choose(model)
        self._describe_model()

    def _open_model(self) -> None:
        ask_for_checkpoint(self, self._viewer)

    def _describe_model(self) -> None:
        if self._describing is not None:
            self._describing.drop()
        model = self._models.chosen
        # Of a file it is known as soon as it is read.
        self._fit_to_model(suits_any_noise(model))
        self._describing = Running(
            look_at_model, model, returned=self._show_description
        )

    def _show_description(self, facts: ModelFacts | Failed) -> None:
        if isinstance(facts, Failed):
            self.form.description.setText(facts.message)
            return
        self.form.description.setText(facts.description)
        self._fit_to_model(facts.takes_noise_level)

    def _fit_to_model(self, takes_noise_level: bool) -> None:
        if takes_noise_level != self.form.takes_noise_level:
            self.form.fit_to_model(takes_noise_level)
            self._show_plan()
            self._on_setting_changed()

    def _take_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.form.to_remove.plot.set_colors(
            theme.background.as_hex(), theme.text.as_hex()
        )

    # --- denoising

    def _source(self) -> Image:
        if (layer := self.form.source) is None:
            raise InvalidInputError("There is no image layer to denoise.")
        return layer

    def _job(self, **changes: Any) -> DenoiseJob:
        """Return what the form says, or raise what is wrong with it."""
        form, layer, reference = self.form, self._source(), self.form.reference_layer
        axes = layer_axes(layer)
        if form.noise_to_add is not None:
            parse_noise(form.noise_to_add)
        if reference is not None and reference.data.shape != layer.data.shape:
            raise InvalidInputError(
                f"The clean reference has the shape {reference.data.shape}, the layer "
                f"{layer.data.shape}: choose one of the same shape."
            )
        levels = lazy_levels(layer)
        if levels and form.noise_to_add is not None:
            raise InvalidInputError(
                "Noise can be added only to a layer that is in memory, and this one is "
                "lazy. Choose 'this layer is: noisy'."
            )
        settings = {
            "data": layer.data,
            "axes": axes,
            "model": self._models.chosen,
            "device": form.device.value,
            "noise": form.noise_to_add,
            "seed": form.seed.value,
            "reference": None if reference is None else reference.data,
            "plane": current_plane(self._viewer, layer),
            "residual": form.residual.value,
            "levels": levels,
            "intensity_range": form.given_range,
            "setting": form.setting,
            "range_of": form.measured_in,
        }
        return DenoiseJob(**{**settings, **changes})

    def _part(self) -> tuple[slice, ...] | None:
        """Return the part that the form says, or raise what is wrong with it."""
        scope = self.form.scope
        return part_in_scope(
            self._viewer,
            self._source(),
            scope.value,
            scope.first.value(),
            scope.last.value(),
        )

    def _start(self) -> None:
        layer = self.form.source
        try:
            job = self._job(part=self._part())
        except DenoiseAEError as error:
            show_error(str(error))
            return
        self._clear_result()
        self._set_running(True)
        is_lazy = bool(job.levels)
        self._run = _Run(
            layer=layer,
            job=job,
            activity=progress(
                total=0, desc=f"Denoising {self.form.layer.current_choice}"
            ),
            running=Running(
                denoise_levels if is_lazy else run_denoising,
                job,
                yielded=self._show_step,
                returned=self._finish_lazily if is_lazy else self._finish,
                # napari shows what nobody foresaw by itself.
                errored=self._fail,
            ),
        )

    def _show_step(self, step: str | Started | Progress) -> None:
        run = self._run
        if run is None:
            return
        if isinstance(step, str):
            self.status.setText(step)
        elif isinstance(step, Started):
            run.denoising, run.began = step.run, time.monotonic()
            self.keep_button.setEnabled(len(run.job.plane) > 0)
        else:
            self._show_progress(run, step)

    def _show_progress(self, run: _Run, step: Progress) -> None:
        self.bar.setRange(0, step.total)
        self.bar.setValue(step.done)
        seconds = (time.monotonic() - run.began) * (step.total / step.done - 1)
        self.status.setText(
            f"{step.done} of {step.total} tiles, {say_duration(seconds)} left"
        )
        run.activity.total = step.total
        run.activity.update(1)

    def _cancel(self) -> None:
        self._end("cancelled")

    def _stop_and_keep(self) -> None:
        run = self._end("stopped")
        if run is None or run.denoising is None or run.layer not in self._viewer.layers:
            return
        n_planes = run.denoising.planes_done
        data = finished_planes(run.denoising.result, len(run.job.plane), n_planes)
        known = provenance(run.job) | {"planes_denoised": n_planes}
        data = data[part_of_planes(run.job)]
        place = place_of_part(run.layer, run.job.part)
        show_output(self._viewer, run.layer, "denoised", data, known, **place)
        self.status.setText(f"stopped: the first {n_planes} planes are denoised")

    def _drop_all(self) -> None:
        for running in (self._looking, self._describing):
            if running is not None:
                running.drop()
        self.compare.drop()
        self._drop_run()

    def _drop_run(self) -> None:
        if self._run is not None:
            self._run.running.drop()
            self._run.activity.close()
            self._run = None

    def _end(self, status: str) -> _Run | None:
        """Take leave of a run; whatever it still does is not heard of any more."""
        run = self._run
        self._drop_run()
        self._set_running(False, status)
        return run

    def _fail(self) -> None:
        self._end("failed")

    def _finish(self, outcome: Denoised | Failed) -> None:
        if isinstance(outcome, Failed):
            self._end("failed")
            show_error(outcome.message)
            return
        run = self._end(f"done on {outcome.device}")
        if run is None:
            return
        if run.layer not in self._viewer.layers:
            self.status.setText("the layer is gone")
            show_warning(
                f"The layer {run.layer.name!r} is gone, and its result with it."
            )
            return
        self._show_layers(run.layer, run.job, outcome)
        if run.layer is self.form.source:
            self._result, self._result_part = outcome, run.job.part
            self._show_figures()
            self._warn(outcome.misfits)
            self._scroll_to(self.readout, self.readout.note)

    def _finish_lazily(self, outcome: LazyDenoised | Failed) -> None:
        if isinstance(outcome, Failed):
            self._end("failed")
            show_error(outcome.message)
            return
        run = self._end("done: what you look at is computed")
        if run is None or run.layer not in self._viewer.layers:
            return
        viewer, layer, job = self._viewer, run.layer, run.job
        self.preview_box.setChecked(False)
        remove_output(viewer, layer, "noisy")
        remove_output(viewer, layer, "residual")
        known = provenance(job)
        place = place_of_part(layer, job.part)
        shown = show_lazy_output(
            viewer, layer, outcome.levels, job.axes, known, **place
        )
        viewer.layers.selection.active = shown
        if self.side_by_side.isChecked():
            self._set_side_by_side(True)

    def _show_layers(self, layer: Image, job: DenoiseJob, result: Denoised) -> None:
        viewer, known = self._viewer, provenance(job, result)
        place = place_of_part(layer, job.part)
        self.preview_box.setChecked(False)
        if job.noise is None:
            remove_output(viewer, layer, "noisy")
        else:
            show_output(viewer, layer, "noisy", result.noisy, known, **place)
        if result.residual is None:
            remove_output(viewer, layer, "residual")
        else:
            limits = residual_limits(result.residual)
            look = {"contrast_limits": limits, "colormap": "gray", **place}
            # Below the result, which it would hide.
            show_output(viewer, layer, "residual", result.residual, known, **look)
        shown = show_output(viewer, layer, "denoised", result.denoised, known, **place)
        viewer.layers.selection.active = shown
        if self.side_by_side.isChecked():
            self._set_side_by_side(True)

    def _set_running(self, running: bool, status: str = "") -> None:
        self.run_button.setEnabled(not running)
        self.compare.block(running)
        self.cancel_button.setEnabled(running)
        self.keep_button.setEnabled(False)
        self.bar.setVisible(running)
        self.bar.setRange(0, 0)
        self.status.setText("starting" if running else status)

    # --- several models

    def _comparison(self) -> tuple[Image, DenoiseJob]:
        """Return what is to be compared, or raise what is wrong with it."""
        layer, job = self._source(), self._job(residual=False)
        if job.levels:
            raise InvalidInputError(
                f"Models are compared on layers in memory, and {layer.name!r} is lazy. "
                "Add a part of it as a layer of its own."
            )
        return layer, job

    def _on_comparing(self, busy: bool) -> None:
        self.run_button.setEnabled(not busy)

    def _on_compared(self) -> None:
        self.preview_box.setChecked(False)
        if self.side_by_side.isChecked():
            self._set_side_by_side(True)
        self._scroll_to(self.compare.table, self.compare.table.note)

    # --- looking at it, and taking it along

    def _scroll_to(self, *widgets: QWidget) -> None:
        """Bring what is new into sight, once it has its place."""
        self._new = widgets
        self._scroll_timer.start()

    def _scroll_to_new(self) -> None:
        for widget in self._new:
            self._scroll.ensureWidgetVisible(widget, 0, 0)
        # Up and down only: what is too wide must not cut off all the rest.
        self._scroll.horizontalScrollBar().setValue(0)

    def _clear_result(self) -> None:
        self._result = None
        self.readout.clear_result()
        self.copy_figures.setEnabled(False)

    def _show_figures(self) -> None:
        layer, result = self.form.source, self._result
        if layer is None or result is None:
            return
        plane = self._plane_of_result(layer)
        self.readout.show_result(result, layer.name, plane)
        self.copy_figures.setEnabled(True)

    def _plane_of_result(self, layer: Image) -> tuple[int, ...]:
        """Return the index in the last result of the plane that is shown."""
        plane = current_plane(self._viewer, layer)
        if self._result_part is None:
            return plane
        return tuple(
            min(max(index - cut.start, 0), cut.stop - cut.start - 1)
            for index, cut in zip(plane, self._result_part, strict=False)
        )

    def _set_side_by_side(self, on: bool) -> None:
        viewer, layer = self._viewer, self.form.source
        viewer.canvas.grid.enabled = on
        if self._linked:
            viewer.layers.unlink_layers(self._linked, ("contrast_limits",))
        self._linked = []
        if not on or layer is None or layer.rgb:
            return
        roles = ("noisy", "denoised", *self.compare.roles)
        outputs = (find_output(viewer, layer, role) for role in roles)
        self._linked = [layer, *(output for output in outputs if output is not None)]
        viewer.layers.link_layers(self._linked, ("contrast_limits",))

    def _flip(self, _: napari.viewer.Viewer) -> None:
        layer = self.form.source
        after = None if layer is None else find_output(self._viewer, layer, "denoised")
        if after is not None:
            after.visible = not after.visible

    def _copy_python(self) -> None:
        try:
            job = self._job(part=self._part())
        except DenoiseAEError as error:
            show_error(str(error))
            return
        QApplication.clipboard().setText(python_code(self.form.source_name, job))
        show_info("The call is on the clipboard.")
