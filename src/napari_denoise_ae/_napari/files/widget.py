"""The dock widget that denoises files into a folder, one after another."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...errors import DenoiseAEError, InvalidInputError
from ...models.builtin import suits_any_noise
from ...noise.setting import NoiseSetting
from ..shared.fields import Field, PathEdit, make_combo
from ..shared.layout import DockScroll, Note, breakable, make_form, make_row
from ..shared.model_choice import model_choice, unwrapped
from ..shared.model_facts import look_at_model
from ..shared.noise_form import NoiseForm
from ..shared.open_checkpoint import ask_for_checkpoint
from ..shared.preferences import device_choices, preferred_device
from ..shared.worker import Failed, Running, say_duration
from .job import FilesJob, FileWatch, denoise_in_turn, list_images
from .table import WAITING, FilesTable

if TYPE_CHECKING:
    import napari.viewer

    from ...files.batch import BatchStep
    from ..shared.model_facts import ModelFacts

# How often it is looked how far a file is, in milliseconds.
_EVERY = 200
# Parts of the progress bar that a file has.
_PARTS = 1000
# As many reasons as stand below the bar.
_MOST_REASONS = 5


@dataclass(slots=True, eq=False)
class _Run:
    """Files that are being denoised."""

    job: FilesJob
    watch: FileWatch
    running: Running
    began: float = field(default_factory=time.monotonic)
    steps: list[BatchStep] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    in_sight: int = -1

    @property
    def current(self) -> Path | None:
        """The file that is being denoised."""
        n_done = len(self.steps)
        return self.job.inputs[n_done] if n_done < len(self.job.inputs) else None

    @property
    def n_computed(self) -> int:
        """Files that took time."""
        return sum(step.outcome != "skipped" for step in self.steps)

    def count(self, outcome: str) -> int:
        """Return how many files came to an end of a kind."""
        return sum(step.outcome == outcome for step in self.steps)


class FilesWidget(QWidget):  # type: ignore[misc]
    """Denoise files into a folder, outside the GUI thread.

    What is done and unchanged is skipped, and a bad file ends nothing.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Whose chosen model is used; napari passes it.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer = unwrapped(viewer)
        self._models = model_choice(viewer)
        self._run: _Run | None = None
        self._describing: Running | None = None
        self._listing: list[Running] = []
        # Of a file it is not known before it is read.
        self._takes_noise_level: bool | None = None
        self._closing = ExitStack()
        self._build()
        self._lay_out()
        self._connect()
        self._refresh_models()
        self._set_run(None)

    def event(self, event: QEvent) -> bool:
        """Stop when napari takes the widget out of a dock that is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._closing.close()
        return bool(super().event(event))

    @property
    def is_running(self) -> bool:
        """Whether files are being denoised."""
        return self._run is not None

    # --- what it is made of

    def _build(self) -> None:
        self.table = FilesTable()
        self.add_files = _button("Add files…", "PNG, JPEG and TIFF files.")
        self.add_folder = _button(
            "Add folder…", "All images in a folder; or an OME-Zarr."
        )
        self.remove = _button(
            "Remove", "Remove the selected files from the list; all, if none is."
        )
        self.output = Field(
            PathEdit("", self._ask_for_output),
            "output folder",
            "Where the results go, under the names of the files. It is made if it is "
            "not there.",
        )
        self.model = Field(
            make_combo(()),
            "model",
            "auto: the built-in rgb for colors, gray for all others. Default: that of "
            "the Denoise widget.",
        )
        self.open_model = _button("Open a checkpoint…", "A .pt file.")
        self.noise = NoiseForm(shows_found=False)
        axes = QLineEdit()
        axes.setPlaceholderText("as the files say")
        self.axes = Field(
            axes,
            "axes",
            "A letter for each axis, such as TYX or CYX, where the files do not say "
            "it. Default: as the files say.",
        )
        self.device = Field(
            make_combo(device_choices()),
            "device",
            "auto takes CUDA, else MPS, else the CPU. Default: that of the "
            "preferences, auto at first.",
        )
        self.device.value = preferred_device()
        self.overwrite = QCheckBox("replace other files")
        self.overwrite.setToolTip(
            "<qt>Also replace what has the name of a result and was not made by an "
            "earlier run; but no OME-Zarr of another program. Default: off.</qt>"
        )
        self.run_button = QPushButton("Denoise files")
        self.cancel_button = _button(
            "Cancel",
            "Stop. The files that are done stay; an OME-Zarr that is not goes on where "
            "it stopped, of others nothing is left.",
        )
        self.bar = QProgressBar()
        self.status, self.notes = Note(), Note()

    def _lay_out(self) -> None:
        form = make_form()
        for entry in (self.output, self.model):
            form.addRow(entry.label, entry)
        form.addRow(self.open_model)
        form.addRow(self.noise)
        for entry in (self.axes, self.device):
            form.addRow(entry.label, entry)
        form.addRow(self.overwrite)
        content = QWidget()
        column = QVBoxLayout(content)
        column.addWidget(self.table, 1)
        column.addLayout(make_row(self.add_files, self.add_folder, self.remove))
        column.addLayout(form)
        column.addLayout(make_row(self.run_button, self.cancel_button))
        for widget in (self.bar, self.status, self.notes):
            column.addWidget(widget)
        QVBoxLayout(self).addWidget(DockScroll(content))
        self.layout().setContentsMargins(0, 0, 0, 0)

    def _connect(self) -> None:
        self.add_files.clicked.connect(self._ask_for_files)
        self.add_folder.clicked.connect(self._ask_for_folder)
        self.remove.clicked.connect(self._remove)
        self.model.changed.connect(self._on_model_chosen)
        self.open_model.clicked.connect(self._open_model)
        self.run_button.clicked.connect(self._start)
        self.cancel_button.clicked.connect(self._cancel)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY)
        self._timer.timeout.connect(self._show_progress)
        self._models.changed.connect(self._refresh_models)
        self._closing.callback(self._models.changed.disconnect, self._refresh_models)
        self._closing.callback(self._drop_all)
        # The stack lives on when Qt has deleted the widget.
        self.destroyed.connect(self._closing.close)

    # --- which files

    def _ask_for_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(
            self, "Files to denoise", "", "Images (*.png *.jpg *.jpeg *.tif *.tiff)"
        )
        self.add([Path(file) for file in files])

    def _ask_for_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of files to denoise")
        if folder:
            self._listing.append(
                Running(
                    list_images,
                    Path(folder),
                    Path(self.output.value),
                    returned=self._add_found,
                )
            )

    def _ask_for_output(self) -> str:
        return str(QFileDialog.getExistingDirectory(self, "Folder for the results"))

    def _add_found(self, found: list[Path] | Failed) -> None:
        if isinstance(found, Failed):
            show_error(found.message)
        else:
            self.add(found)

    def add(self, files: list[Path]) -> None:
        """Add files to the list, and propose a folder beside the first."""
        self.table.add(files)
        if self.table.files and not self.output.value:
            self.output.value = str(self.table.files[0].parent / "denoised")
        self._show_number()

    def _remove(self) -> None:
        self.table.remove_selected()
        self._show_number()

    def _show_number(self) -> None:
        number = len(self.table.files)
        self.run_button.setText(f"Denoise {number} file{'s' * (number != 1)}")
        is_ready = self._takes_noise_level is not None and self._run is None
        self.run_button.setEnabled(number > 0 and is_ready)

    # --- which model

    def _refresh_models(self) -> None:
        combo, titles = self.model.editor, self._models.titles()
        combo.blockSignals(True)
        combo.clear()
        for model, title in titles.items():
            combo.addItem(title, model)
        combo.setCurrentText(titles[self._models.chosen])
        combo.blockSignals(False)
        self._describe_model()

    def _on_model_chosen(self) -> None:
        self._models.choose(self.model.editor.currentData())

    def _open_model(self) -> None:
        ask_for_checkpoint(self, self._viewer)

    def _describe_model(self) -> None:
        if self._describing is not None:
            self._describing.drop()
        model = self._models.chosen
        self.model.mark("")
        if suits_any_noise(model):
            self._fit_to_model(True)
            return
        self._fit_to_model(None)
        self._describing = Running(look_at_model, model, returned=self._on_facts)

    def _on_facts(self, facts: ModelFacts | Failed) -> None:
        if isinstance(facts, Failed):
            self.model.mark(facts.message)
        else:
            self._fit_to_model(facts.takes_noise_level)

    def _fit_to_model(self, takes_noise_level: bool | None) -> None:
        self._takes_noise_level = takes_noise_level
        self.noise.setVisible(bool(takes_noise_level))
        self._show_number()

    # --- denoising

    def _job(self) -> FilesJob:
        """Return what the form says, or raise what is wrong with it."""
        if not self.output.value:
            raise InvalidInputError("Choose a folder for the results.")
        setting = self.noise.value if self._takes_noise_level else NoiseSetting()
        return FilesJob(
            inputs=self.table.files,
            output=Path(self.output.value),
            model=self._models.chosen,
            device=self.device.value,
            axes=self.axes.value or None,
            setting=setting,
            overwrite=self.overwrite.isChecked(),
        )

    def _start(self) -> None:
        try:
            job = self._job()
        except DenoiseAEError as error:
            show_error(str(error))
            return
        self.table.all_wait()
        self.notes.setText("")
        watch = FileWatch()
        running = Running(
            denoise_in_turn,
            job,
            watch,
            yielded=self._show_step,
            returned=self._finish,
            # napari shows what nobody foresaw by itself.
            errored=lambda: self._finish(None),
        )
        watch.is_unwanted = lambda: running.is_stopping
        self._set_run(_Run(job, watch, running))
        self.status.setText("loading the model")
        self._timer.start()

    def _show_step(self, step: BatchStep) -> None:
        if self._run is None:
            return
        self._run.steps.append(step)
        remarks = [remark for remark in (step.reason, *step.remarks) if remark]
        self.table.show_state(step.input, step.outcome, "\n".join(remarks))
        for remark in remarks:
            self._run.reasons.setdefault(remark, []).append(step.input.name)
        self._show_reasons(self._run)
        self._show_progress()

    def _show_reasons(self, run: _Run) -> None:
        """Say what went wrong, once for all files of which it is true."""
        notes = []
        for reason, names in list(run.reasons.items())[:_MOST_REASONS]:
            whose = names[0] if len(names) == 1 else f"{len(names)} files"
            notes.append(breakable(f"⚠ {whose}: {reason}"))
        if len(run.reasons) > _MOST_REASONS:
            notes.append("More: rest the mouse on the state of a file.")
        self.notes.setText("\n".join(notes))

    def _show_progress(self) -> None:
        """Show how far the file is that is being denoised, and all of them."""
        run = self._run
        if run is None or run.current is None or run.watch.stop.is_set():
            return
        n_files, n_done, latest = len(run.job.inputs), len(run.steps), run.watch.latest
        part = latest.done / latest.total if latest is not None else 0.0
        self.table.show_state(run.current, f"{part:.0%}" if latest else "reading")
        if run.in_sight != n_done:
            # Once for each file: the table is the user's to scroll.
            self.table.bring_into_sight(run.current)
            run.in_sight = n_done
        self.bar.setRange(0, _PARTS * n_files)
        self.bar.setValue(round(_PARTS * (n_done + part)))
        text = f"file {n_done + 1} of {n_files}"
        if run.n_computed + part > 0:
            left = (n_files - n_done - part) / (run.n_computed + part)
            seconds = (time.monotonic() - run.began) * left
            text = f"{text}, about {say_duration(seconds)} left"
        self.status.setText(text)

    def _cancel(self) -> None:
        if self._run is not None:
            self._run.watch.stop.set()
            self.cancel_button.setEnabled(False)
            self.status.setText("stopping at the next tile…")

    def _finish(self, outcome: Failed | None) -> None:
        run = self._run
        if run is None:
            return
        kinds = ("done", "skipped", "failed")
        counts = [f"{run.count(kind)} {kind}" for kind in kinds if run.count(kind)]
        if run.watch.stop.is_set():
            counts.insert(0, "cancelled")
        elif isinstance(outcome, Failed):
            counts = ["failed"]
            show_error(outcome.message)
        elif run.current is not None:
            counts.insert(0, "failed")
        if run.current is not None:
            self.table.show_state(run.current, WAITING)
        self._set_run(None)
        self.status.setText(", ".join(counts))

    def _set_run(self, run: _Run | None) -> None:
        self._run = run
        is_idle = run is None
        if is_idle:
            self._timer.stop()
        for widget in (self.add_files, self.add_folder, self.remove):
            widget.setEnabled(is_idle)
        self.cancel_button.setEnabled(not is_idle)
        self.bar.setVisible(not is_idle)
        self.bar.setRange(0, 0)
        self._show_number()

    def _drop_all(self) -> None:
        for running in (self._describing, *self._listing):
            if running is not None:
                running.drop()
        run, self._run = self._run, None
        if run is not None:
            run.watch.stop.set()
            run.running.drop()


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(f"<qt>{tooltip}</qt>")
    return button
