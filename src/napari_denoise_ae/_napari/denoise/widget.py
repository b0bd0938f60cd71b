"""Dock widget that denoises an image layer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_info
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from ...errors import DenoiseAEError
from ...models.builtin import fitting_model
from ..shared.dock_tab import DockTab
from ..shared.layout import Collapsible, DockScroll, make_column, set_tab_order
from ..shared.model_choice import model_choice, unwrap_proxy
from ..shared.open_checkpoint import ModelDrop, ask_for_checkpoint
from .compare_panel import ComparePanel
from .form import DenoiseForm
from .job_maker import JobMaker
from .layer_facts import LayerInspector
from .layer_queue import LayerQueue
from .outcome_view import OutcomeView
from .preview import Preview
from .python_code import python_code
from .result_view import ResultView
from .run import DenoiseRun
from .run_panel import RunPanel
from .source_layer import SourceLayer
from .trust_panel import TrustPanel

if TYPE_CHECKING:
    import napari.viewer

# Height of the form below which the window grows, in pixels.
_LEAST_HEIGHT = 120


class DenoiseWidget(QWidget):  # type: ignore[misc]
    """Denoise an image layer outside the GUI thread.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer, passed by napari.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer = unwrap_proxy(viewer)
        self._models = model_choice(viewer)
        self._closing = ExitStack()
        self.form = DenoiseForm(viewer)
        self._source = SourceLayer(self.form, viewer)
        self._jobs = JobMaker(self.form, viewer)
        self._inspector = LayerInspector(self.form, self._models, self._jobs)
        self._run = DenoiseRun(viewer)
        self._queue = LayerQueue(self.form, viewer)
        self._preview = Preview(viewer, lambda: self.form.source, self._jobs.job)
        self._build()
        self._arrange()
        DockTab(self)
        ModelDrop(self, viewer)
        self._view = ResultView(viewer, self.form, self.panel)
        self.panel.clear_result()
        self.trust.refresh()
        self._connect_form()
        self._connect_buttons()
        self._connect_workers()
        self._connect_viewer()
        self._source.follow_active()
        self._source.watch()
        self._inspector.update_model()
        self._apply_theme()

    def event(self, event: QEvent) -> bool:
        """Clean up when napari removes the widget from its closed dock."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._scroll.stop()
            self._queue.clear()
            self._inspector.stop()
            self.preview_box.setChecked(False)
            self._closing.close()
        return bool(super().event(event))

    # --- widgets

    def _build(self) -> None:
        form = self.form
        self.preview_box, self.preview_note = form.preview.editor, form.preview_note
        self.copy_python = form.copy_python
        panel = self.panel = RunPanel()
        self._outcome = OutcomeView(self._viewer, form, self._jobs, self._run, panel)
        self.compare = ComparePanel(self._viewer, self._models, self._jobs.comparison)
        self.compare_section = Collapsible(
            "Compare models",
            self.compare,
            "Denoise the layer with several models, and compare the results.",
        )
        self.trust = TrustPanel(self._viewer, self._outcome.target)
        self.trust_section = Collapsible(
            "Can I believe it?",
            self.trust,
            "Check the result without a clean image: what was kept, and what may be "
            "wrong.",
        )
        self.warning, self.status, self.bar = panel.warning, panel.status, panel.bar
        self.run_button, self.cancel_button = panel.run_button, panel.cancel_button
        self.keep_button, self.readout = panel.keep_button, panel.readout
        self.copy_figures, self.side_by_side = panel.copy_figures, panel.side_by_side

    def _arrange(self) -> None:
        content = QWidget()
        upper = QVBoxLayout(content)
        upper.addWidget(self.form)
        upper.addWidget(self.trust_section)
        upper.addWidget(self.compare_section)
        upper.addStretch()
        self._scroll = DockScroll(content)
        self._scroll.setMinimumHeight(_LEAST_HEIGHT)
        lower = QWidget()
        QVBoxLayout(lower).addWidget(self.panel)
        column = make_column(self)
        column.addWidget(self._scroll, 1)
        column.addWidget(lower)
        set_tab_order(self)

    def _connect_form(self) -> None:
        form = self.form
        form.model.changed.connect(self._on_model_chosen)
        form.open_model.triggered.connect(self._open_model)
        form.export_model.triggered.connect(self._export_model)
        for field in (form.range_of, form.dtype):
            field.changed.connect(self._inspector.show_plan)
        settings = (
            form.noise,
            form.seed,
            form.kind,
            form.model,
            form.device,
            form.range_of,
            form.frames,
            form.dtype,
            form.precision,
            form.intensity_range,
            form.to_remove,
        )
        for field in (form.scope, form.reference):
            field.changed.connect(self._outcome.refresh)
        for field in settings:
            field.changed.connect(self._on_setting_changed)
        form.to_remove.strength_changed.connect(self._preview.refresh)
        form.to_remove.strength_changed.connect(self._outcome.refresh)

    def _connect_buttons(self) -> None:
        self.preview_box.toggled.connect(self._preview.set_on)
        self.run_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._cancel)
        self.keep_button.clicked.connect(self._keep)
        self.copy_figures.clicked.connect(self.readout.copy)
        self.copy_python.clicked.connect(self._copy_python)

    def _connect_workers(self) -> None:
        self._source.changed.connect(self._on_layer_changed)
        self._inspector.warned.connect(self.panel.warn)
        self._inspector.fields_changed.connect(self._on_setting_changed)
        self._preview.status_changed.connect(self.preview_note.setText)
        self._preview.dismissed.connect(lambda: self.preview_box.setChecked(False))
        self._run.busy.connect(self._on_busy)
        self._run.status_changed.connect(self.status.setText)
        self._run.progressed.connect(self.panel.show_progress)
        self._run.keepable.connect(lambda: self.keep_button.setEnabled(True))
        self._run.shown.connect(self._on_outputs_shown)
        self._queue.next_chosen.connect(self._start_run)
        self._outcome.changed.connect(self.trust.refresh)
        self.trust.shown.connect(self._on_assessed)
        self.compare.busy.connect(lambda busy: self.run_button.setEnabled(not busy))
        self.compare.shown.connect(self._on_compared)

    def _connect_viewer(self) -> None:
        """Connect to objects that outlive the widget, and disconnect when it closes."""
        layers = self._viewer.layers
        listeners = (
            (layers.events.inserted, self._source.refresh),
            (layers.events.removed, self._source.refresh),
            (layers.events.renamed, self._source.refresh),
            (layers.selection.events.active, self._source.follow_active),
            (self._viewer.dims.events.current_step, self._outcome.show_plane),
            (self._viewer.events.theme, self._apply_theme),
            (self._models.changed, self._on_models_changed),
            (self._models.changed, self.compare.refresh_models),
        )
        for event, listener in listeners:
            event.connect(listener)
            self._closing.callback(event.disconnect, listener)
        self._closing.callback(self._view.close)
        self._closing.callback(self._source.close)
        self._closing.callback(self._preview.close)
        self._closing.callback(self._outcome.close)
        self._closing.callback(self._run.close)
        for part in (self._inspector, self.compare, self.trust, self.form.export):
            self._closing.callback(part.drop)
        # The exit stack outlives the widget that Qt deletes.
        self.destroyed.connect(self._closing.close)

    # --- layer and model

    def _on_layer_changed(self) -> None:
        self._view.end_swipe()
        self._outcome.refresh()
        self.compare.clear_result()
        self._preview.reset()
        self._inspector.update_layer()

    def _on_setting_changed(self) -> None:
        self._outcome.refresh()
        self._preview.refresh()
        self._inspector.schedule()

    def _on_model_chosen(self) -> None:
        if self.form.model.value != self._models.chosen:
            self._models.choose(self.form.model.value)
        self.form.export.clear()
        self._inspector.update_model()

    def _on_models_changed(self) -> None:
        before = self.form.model.value
        self.form.refresh_models()
        if self.form.model.value == before:
            # Its file may be new, as after another training.
            self._inspector.update_model()
            self._preview.refresh()

    def _open_model(self) -> None:
        ask_for_checkpoint(self, self._viewer)

    def _export_model(self) -> None:
        n_colors = 3 if getattr(self.form.source, "rgb", False) else 1
        self.form.export.ask(fitting_model(self.form.model.value, n_colors))

    def _apply_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        for part in (self.form.to_remove, self.trust):
            part.set_colors(theme.background.as_hex(), theme.text.as_hex())

    # --- denoising

    def _start(self) -> None:
        """Denoise the chosen layer, and then the others that are selected."""
        self._queue.fill()
        self._start_run()

    def _start_run(self) -> None:
        self._outcome.clear()
        try:
            layer, job = self._jobs.source(), self._jobs.job_in_scope()
        except DenoiseAEError as error:
            self.status.setText(f"not denoised: {error}")
            show_error(str(error))
            self._queue.advance()
            return
        self._run.start(layer, job)

    def _cancel(self) -> None:
        self._queue.clear()
        if self._run.is_running:
            self._run.cancel()
        else:
            self._outcome.cancel()

    def _keep(self) -> None:
        self._queue.clear()
        self._run.stop_and_keep()

    def _on_busy(self, busy: bool) -> None:
        self.panel.set_busy(busy)
        self.compare.block(busy)
        if not busy:
            self._queue.advance()

    def _on_outputs_shown(self) -> None:
        self.preview_box.setChecked(False)
        self._view.refresh()

    def _on_assessed(self) -> None:
        self._scroll.scroll_to_soon(self.trust)

    def _on_compared(self) -> None:
        self._on_outputs_shown()
        self._scroll.scroll_to_soon(self.compare.table, self.compare.table.note)

    def _copy_python(self) -> None:
        try:
            job = self._jobs.job_in_scope()
        except DenoiseAEError as error:
            show_error(str(error))
            return
        found = self.form.to_remove.found
        code = python_code(self.form.source_name, job, found=found)
        QApplication.clipboard().setText(code)
        show_info("The call is on the clipboard.")
