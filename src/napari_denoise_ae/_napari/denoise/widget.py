"""Dock widget that denoises an image layer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_info
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...errors import DenoiseAEError
from ..shared.layout import Collapsible, DockScroll, Note, make_row
from ..shared.model_choice import model_choice, unwrap_proxy
from ..shared.open_checkpoint import ask_for_checkpoint
from ..viewer.view import current_plane
from .before_after import SideBySide, flip
from .compare_panel import ComparePanel
from .form import DenoiseForm
from .job_maker import JobMaker
from .layer_facts import LayerInspector
from .preview import Preview
from .python_code import python_code
from .readout import Readout
from .run import DenoiseRun
from .source_layer import SourceLayer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari.viewer
    from napari.layers import Image

    from .job import DenoiseJob
    from .result import Denoised

_FLIP_KEY = "Alt-B"


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
        self._preview = Preview(viewer, lambda: self.form.source, self._jobs.job)
        self._side_by_side = SideBySide(viewer)
        self._build()
        self._arrange()
        self._on_busy(False)
        self._clear_result()
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
            self._inspector.stop()
            self.preview_box.setChecked(False)
            self._closing.close()
        return bool(super().event(event))

    # --- widgets

    def _build(self) -> None:
        self.warning = Note()
        self.preview_box = QCheckBox("Preview what is visible")
        self.preview_box.setToolTip(
            "Denoise only the visible region, and follow the view. Default: off."
        )
        self.preview_note = Note()
        self.run_button = QPushButton("Denoise")
        self.cancel_button = QPushButton("Cancel")
        self.keep_button = QPushButton("Keep finished")
        self.keep_button.setToolTip("Stop and keep the finished planes.")
        self.bar = QProgressBar()
        self.status = Note()
        self.readout = Readout()
        self.copy_figures = QPushButton("Copy figures")
        self.copy_python = QPushButton("Copy as Python")
        self.copy_python.setToolTip("Copy equivalent code, for napari's console.")
        self.side_by_side = QCheckBox("Side by side")
        self.side_by_side.setToolTip("Grid with linked contrast limits. Default: off.")
        self.compare = ComparePanel(self._viewer, self._models, self._jobs.comparison)
        self.compare_section = Collapsible("Compare models", self.compare)

    def _arrange(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        for widget in (self.form, self.warning, self.preview_box, self.preview_note):
            column.addWidget(widget)
        column.addLayout(
            make_row(self.run_button, self.cancel_button, self.keep_button)
        )
        for widget in (self.bar, self.status, self.readout, self.readout.note):
            column.addWidget(widget)
        column.addLayout(make_row(self.copy_figures, self.copy_python))
        flip = QLabel(f"{_FLIP_KEY}: before / after")
        column.addLayout(make_row(self.side_by_side, flip))
        column.addWidget(self.compare_section)
        column.addStretch()
        self._scroll = DockScroll(content)
        QVBoxLayout(self).addWidget(self._scroll)
        self.layout().setContentsMargins(0, 0, 0, 0)

    def _connect_form(self) -> None:
        form = self.form
        form.model.changed.connect(self._on_model_chosen)
        form.open_model.clicked.connect(lambda: ask_for_checkpoint(self, self._viewer))
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
            form.intensity_range,
            form.to_remove,
        )
        for field in settings:
            field.changed.connect(self._on_setting_changed)
        form.to_remove.strength_changed.connect(self._preview.refresh)

    def _connect_buttons(self) -> None:
        self.preview_box.toggled.connect(self._preview.set_on)
        self.run_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._run.cancel)
        self.keep_button.clicked.connect(self._run.stop_and_keep)
        self.copy_figures.clicked.connect(self.readout.copy)
        self.copy_python.clicked.connect(self._copy_python)
        self.side_by_side.toggled.connect(self._set_side_by_side)

    def _connect_workers(self) -> None:
        self._source.changed.connect(self._on_layer_changed)
        self._inspector.warned.connect(self._warn)
        self._inspector.fields_changed.connect(self._on_setting_changed)
        self._preview.status_changed.connect(self.preview_note.setText)
        self._preview.dismissed.connect(lambda: self.preview_box.setChecked(False))
        self._run.busy.connect(self._on_busy)
        self._run.status_changed.connect(self.status.setText)
        self._run.progressed.connect(self._show_progress)
        self._run.keepable.connect(lambda: self.keep_button.setEnabled(True))
        self._run.shown.connect(self._on_outputs_shown)
        self._run.finished.connect(self._on_finished)
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
            (self._viewer.dims.events.current_step, self._show_plane),
            (self._viewer.events.theme, self._apply_theme),
            (self._models.changed, self.form.refresh_models),
            (self._models.changed, self.compare.refresh_models),
        )
        for event, listener in listeners:
            event.connect(listener)
            self._closing.callback(event.disconnect, listener)
        self._viewer.bind_key(_FLIP_KEY, self._flip, overwrite=True)
        self._closing.callback(self._viewer.bind_key, _FLIP_KEY, None)
        self._closing.callback(self._source.close)
        self._closing.callback(self._preview.close)
        for part in (self._inspector, self._run, self.compare):
            self._closing.callback(part.drop)
        # The exit stack outlives the widget that Qt deletes.
        self.destroyed.connect(self._closing.close)

    # --- layer and model

    def _on_layer_changed(self) -> None:
        self._clear_result()
        self.compare.clear_result()
        self._preview.reset()
        self._inspector.update_layer()

    def _on_setting_changed(self) -> None:
        self._preview.refresh()
        self._inspector.schedule()

    def _warn(self, messages: Sequence[str]) -> None:
        self.warning.setText("\n".join(f"⚠ {message}" for message in messages))

    def _on_model_chosen(self) -> None:
        if self.form.model.value != self._models.chosen:
            self._models.choose(self.form.model.value)
        self._inspector.update_model()

    def _apply_theme(self) -> None:
        theme = get_theme(self._viewer.theme)
        self.form.to_remove.plot.set_colors(
            theme.background.as_hex(), theme.text.as_hex()
        )

    # --- denoising

    def _start(self) -> None:
        try:
            layer, job = self._jobs.source(), self._jobs.job_in_scope()
        except DenoiseAEError as error:
            show_error(str(error))
            return
        self._clear_result()
        self._run.start(layer, job)

    def _on_busy(self, busy: bool) -> None:
        self.run_button.setEnabled(not busy)
        self.compare.block(busy)
        self.cancel_button.setEnabled(busy)
        self.keep_button.setEnabled(False)
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)

    def _show_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def _on_outputs_shown(self) -> None:
        self.preview_box.setChecked(False)
        if self.side_by_side.isChecked():
            self._set_side_by_side(True)

    def _on_finished(self, layer: Image, job: DenoiseJob, result: Denoised) -> None:
        is_chosen = layer is self.form.source
        if not is_chosen:
            return
        plane = current_plane(self._viewer, layer)
        self.readout.show_result(result, layer.name, plane, job.part)
        self.copy_figures.setEnabled(True)
        self._warn(result.incompatibilities)
        self._scroll.scroll_to_soon(self.readout, self.readout.note)

    def _on_compared(self) -> None:
        self._on_outputs_shown()
        self._scroll.scroll_to_soon(self.compare.table, self.compare.table.note)

    def _clear_result(self) -> None:
        self.readout.clear_result()
        self.copy_figures.setEnabled(False)

    def _show_plane(self) -> None:
        if (layer := self.form.source) is not None:
            self.readout.show_plane(current_plane(self._viewer, layer))

    def _set_side_by_side(self, on: bool) -> None:
        if on:
            roles = ("noisy", "denoised", *self.compare.roles)
            self._side_by_side.show(self.form.source, roles)
        else:
            self._side_by_side.end()

    def _flip(self, _: napari.viewer.Viewer) -> None:
        flip(self._viewer, self.form.source)

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
