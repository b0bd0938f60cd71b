"""Dock widget that denoises files into a folder, one after another."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from ...denoising.options import DenoiseOptions
from ...errors import DenoiseAEError, InvalidInputError
from ...models.builtin import suits_any_noise
from ...noise.setting import NoiseSetting
from ..shared.dock_tab import DockTab
from ..shared.fields import add_fields, align_labels
from ..shared.layout import DockScroll, Note, make_button, make_form, make_row
from ..shared.model_choice import model_choice, unwrap_proxy
from ..shared.model_facts import load_model_facts
from ..shared.noise_form import NoiseForm
from ..shared.open_checkpoint import MODEL_FILES_NOTE, ask_for_checkpoint
from ..shared.worker import Failed, Task
from .form import AXES, DEVICE, DTYPE, FRAMES, MODEL, OVERWRITE, output_field
from .job import FilesJob, list_images
from .run import FilesRun
from .table import FilesTable

if TYPE_CHECKING:
    import napari.viewer
    from qtpy.QtWidgets import QFormLayout

    from ..shared.model_facts import ModelFacts


class FilesWidget(QWidget):  # type: ignore[misc]
    """Denoise files into a folder, outside the GUI thread.

    Files that are denoised and unchanged are skipped. If a file fails, the run
    continues.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer, passed by napari. Its widgets share the chosen model.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer = unwrap_proxy(viewer)
        self._models = model_choice(viewer)
        self._model_task: Task | None = None
        self._listing_tasks: list[Task] = []
        # None until a checkpoint has been read.
        self._takes_noise_level: bool | None = None
        self._closing = ExitStack()
        self._build()
        self._arrange()
        DockTab(self)
        self._run = FilesRun(self.table)
        self._connect()
        self._refresh_models()
        self._on_busy(False)

    def event(self, event: QEvent) -> bool:
        """Stop when napari removes the widget from its closed dock."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._closing.close()
        return bool(super().event(event))

    @property
    def is_running(self) -> bool:
        """Whether files are being denoised."""
        return self._run.is_running

    # --- widgets

    def _build(self) -> None:
        self.table = FilesTable()
        self.add_files = make_button("Add files…", "Files of any format but OME-Zarr.")
        self.add_folder = make_button(
            "Add folder…", "All images in a folder, or an OME-Zarr folder."
        )
        self.remove = make_button(
            "Remove",
            "Remove the selected files from the list, or all if none is selected.",
        )
        self.open_model = make_button(
            "Open a model…", f"A model file: {MODEL_FILES_NOTE}."
        )
        self.noise = NoiseForm(shows_estimate=False)
        self.run_button = make_button(
            "Denoise files",
            "Denoise the listed files, one after another, into the output folder.",
        )
        self.cancel_button = make_button(
            "Cancel",
            "Stop at the next tile. Finished files stay. An unfinished OME-Zarr is "
            "continued by the next run; no other unfinished file is left behind.",
        )
        self.bar = QProgressBar()
        self.status, self.notes = Note(), Note()

    def _arrange(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.addWidget(self.table, 1)
        column.addLayout(make_row(self.add_files, self.add_folder, self.remove))
        column.addLayout(self._make_form())
        column.addLayout(make_row(self.run_button, self.cancel_button))
        for widget in (self.bar, self.status, self.notes):
            column.addWidget(widget)
        QVBoxLayout(self).addWidget(DockScroll(content))
        self.layout().setContentsMargins(0, 0, 0, 0)

    def _make_form(self) -> QFormLayout:
        form = make_form()
        rows = (
            output_field(self._ask_for_output),
            MODEL,
            self.open_model,
            self.noise,
            self.noise.hot_pixels,
            AXES,
            DEVICE,
            FRAMES,
            DTYPE,
            OVERWRITE,
        )
        fields = add_fields(form, rows)
        align_labels(fields.values())
        self.output, self.model = fields["output"], fields["model"]
        self.axes, self.device = fields["axes"], fields["device"]
        self.frames, self.dtype = fields["frames"], fields["dtype"]
        self.overwrite = fields["overwrite"]
        return form

    def _connect(self) -> None:
        self.add_files.clicked.connect(self._ask_for_files)
        self.add_folder.clicked.connect(self._ask_for_folder)
        self.remove.clicked.connect(self._remove)
        self.model.changed.connect(self._on_model_chosen)
        self.open_model.clicked.connect(self._open_model)
        self.run_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._cancel)
        self._run.busy.connect(self._on_busy)
        self._run.status_changed.connect(self.status.setText)
        self._run.noted.connect(self.notes.setText)
        self._run.progressed.connect(self._show_progress)
        self._models.changed.connect(self._refresh_models)
        self._closing.callback(self._models.changed.disconnect, self._refresh_models)
        self._closing.callback(self._drop_tasks)
        # The exit stack outlives the widget that Qt deletes.
        self.destroyed.connect(self._closing.close)

    # --- files

    def _ask_for_files(self) -> None:
        from ...io.source import ZARR, readable_suffixes

        names = " ".join(
            f"*{suffix}" for suffix in readable_suffixes() if suffix != ZARR
        )
        files, _ = QFileDialog.getOpenFileNames(
            self, "Files to denoise", "", f"Images ({names})"
        )
        self.add([Path(file) for file in files])

    def _ask_for_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of files to denoise")
        if folder:
            self._listing_tasks.append(
                Task(
                    list_images,
                    Path(folder),
                    Path(self.output.value),
                    returned=self._add_listed,
                )
            )

    def _ask_for_output(self) -> str:
        return str(QFileDialog.getExistingDirectory(self, "Folder for the results"))

    def _add_listed(self, files: list[Path] | Failed) -> None:
        if isinstance(files, Failed):
            show_error(files.message)
        else:
            self.add(files)

    def add(self, files: list[Path]) -> None:
        """Add files to the list, and suggest an output folder beside the first."""
        self.table.add(files)
        if self.table.files and not self.output.value:
            self.output.value = str(self.table.files[0].parent / "denoised")
        self._update_run_button()

    def _remove(self) -> None:
        self.table.remove_selected()
        self._update_run_button()

    def _update_run_button(self) -> None:
        number = len(self.table.files)
        self.run_button.setText(f"Denoise {number} file{'s' * (number != 1)}")
        is_ready = self._takes_noise_level is not None and not self.is_running
        self.run_button.setEnabled(number > 0 and is_ready)

    # --- model

    def _refresh_models(self) -> None:
        choices = ((title, model) for model, title in self._models.titles().items())
        self.model.editor.set_choices(choices, self._models.chosen)
        self._describe_model()

    def _on_model_chosen(self) -> None:
        if self.model.value != self._models.chosen:
            self._models.choose(self.model.value)

    def _open_model(self) -> None:
        ask_for_checkpoint(self, self._viewer)

    def _describe_model(self) -> None:
        if self._model_task is not None:
            self._model_task.drop()
        model = self._models.chosen
        self.model.mark("")
        if suits_any_noise(model):
            self._set_takes_noise_level(True)
            return
        self._set_takes_noise_level(None)
        self._model_task = Task(load_model_facts, model, returned=self._on_facts)

    def _on_facts(self, facts: ModelFacts | Failed) -> None:
        if isinstance(facts, Failed):
            self.model.mark(facts.message)
        else:
            self._set_takes_noise_level(facts.takes_noise_level)

    def _set_takes_noise_level(self, takes_noise_level: bool | None) -> None:
        self._takes_noise_level = takes_noise_level
        self.noise.setVisible(bool(takes_noise_level))
        self.frames.show_if(bool(takes_noise_level))
        self._update_run_button()

    # --- denoising

    def _job(self) -> FilesJob:
        """Return the job of the form; raise an error if a field is invalid."""
        if not self.output.value:
            raise InvalidInputError("Choose a folder for the results.")
        noise = self.noise.value if self._takes_noise_level else NoiseSetting()
        return FilesJob(
            inputs=self.table.files,
            output=Path(self.output.value),
            model=self._models.chosen,
            options=DenoiseOptions(
                **asdict(noise),
                axes=self.axes.value or None,
                frames=self.frames.value if self._takes_noise_level else 0,
                dtype=self.dtype.value,
                device=self.device.value,
            ),
            overwrite=self.overwrite.value,
        )

    def _start(self) -> None:
        try:
            job = self._job()
        except DenoiseAEError as error:
            show_error(str(error))
            return
        self._run.start(job)

    def _cancel(self) -> None:
        self.cancel_button.setEnabled(False)
        self._run.cancel()

    def _on_busy(self, busy: bool) -> None:
        for widget in (self.add_files, self.add_folder, self.remove):
            widget.setEnabled(not busy)
        self.cancel_button.setEnabled(busy)
        self.bar.setVisible(busy)
        self.bar.setRange(0, 0)
        self._update_run_button()

    def _show_progress(self, value: int, maximum: int) -> None:
        self.bar.setRange(0, maximum)
        self.bar.setValue(value)

    def _drop_tasks(self) -> None:
        for task in (self._model_task, *self._listing_tasks):
            if task is not None:
                task.drop()
        self._run.drop()
