"""Inspect the chosen layer and model, and show the facts in the Denoise form."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from ...errors import DenoiseAEError
from ...models.builtin import suits_any_noise
from ..shared.model_facts import load_model_facts
from ..shared.worker import Failed, Task
from ..viewer.axes import axes_note, describe_layer, plan_of
from .inspect_job import inspect_layer
from .lazy_job import inspect_lazy_layer

if TYPE_CHECKING:
    from ..shared.model_choice import ModelChoice
    from ..shared.model_facts import ModelFacts
    from .form import DenoiseForm
    from .inspect_job import LayerFacts
    from .job import LayerScan
    from .job_maker import JobMaker

# Delay after the last change of a setting, in milliseconds: a first preview, which may
# start at once, is usually done by then.
_DELAY = 400


class LayerInspector(QObject):  # type: ignore[misc]
    """Inspects the layer and the model outside the GUI thread.

    Parameters
    ----------
    form : DenoiseForm
        The form with the chosen layer, which shows the facts.
    models : ModelChoice
        The chosen model.
    jobs : JobMaker
        Makes the job to inspect.

    Attributes
    ----------
    warned : Signal
        Emitted with a list of reasons why the model may not fit the layer, which is
        empty if it fits.
    fields_changed : Signal
        Emitted after the form has changed its fields for another kind of model.
    """

    warned = Signal(list)
    fields_changed = Signal()

    def __init__(self, form: DenoiseForm, models: ModelChoice, jobs: JobMaker) -> None:
        # The timer must not outlive the fields it reads, so the form is the parent.
        super().__init__(form)
        self._form, self._models, self._jobs = form, models, jobs
        self._layer_task: Task | None = None
        self._scan: LayerScan | None = None
        self._model_task: Task | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY)
        self._timer.timeout.connect(self._inspect_layer)

    def update_layer(self) -> None:
        """Update the form after another layer is chosen or its pixels have changed."""
        if self._layer_task is not None:
            # It inspects the previous pixels.
            self._layer_task.drop()
        self._scan = None
        self._form.facts.setText(describe_layer(self._form.source))
        self._form.update_for_layer()
        self.show_plan()
        self.schedule()

    def schedule(self) -> None:
        """Inspect the layer after a short delay without further changes."""
        self._timer.start()

    def show_plan(self) -> None:
        """Show what denoising will do with the layer."""
        form = self._form
        plan = plan_of(
            form.source,
            takes_noise_level=form.takes_noise_level,
            range_of=form.measured_in,
            dtype=form.result_dtype,
        )
        form.facts.explain(plan)
        form.axes_note.setText(axes_note(form.source))

    def update_model(self) -> None:
        """Update the form after another model is chosen."""
        if self._model_task is not None:
            self._model_task.drop()
        model = self._models.chosen
        # A guess for checkpoints, which is corrected when the file has been read.
        is_told = suits_any_noise(model)
        self._adapt(takes_noise_level=is_told, uses_range=not is_told)
        self._model_task = Task(
            load_model_facts, model, returned=self._show_description
        )

    def stop(self) -> None:
        """Cancel a scheduled inspection."""
        self._timer.stop()

    def drop(self) -> None:
        """Drop running inspections; works even if Qt has deleted the timer."""
        for task in (self._layer_task, self._model_task):
            if task is not None:
                task.drop()

    def _inspect_layer(self) -> None:
        if self._layer_task is not None:
            self._layer_task.drop()
        try:
            job = self._jobs.job()
        except DenoiseAEError as error:
            self.warned.emit([str(error)] if self._form.source is not None else [])
            return
        if self._scan is not None and self._scan.matches(job):
            job = replace(job, scan=self._scan)
        inspect = inspect_lazy_layer if job.levels else inspect_layer
        self._layer_task = Task(
            inspect, job, yielded=self._store_scan, returned=self._show_facts
        )

    def _store_scan(self, step: LayerScan | None) -> None:
        if step is not None:
            self._scan = step

    def _show_facts(self, facts: LayerFacts | Failed) -> None:
        if isinstance(facts, Failed):
            self.warned.emit([facts.message])
            return
        form, known = self._form, describe_layer(self._form.source)
        if not math.isnan(facts.noise):
            known = f"{known}, estimated noise {facts.noise:.1%} of the range"
        elif facts.layer_noise is None:
            known = f"{known}, estimated noise unknown"
        form.facts.setText(known)
        form.to_remove.show_estimate(
            facts.layer_noise, per_image=form.measured_in == "image"
        )
        self.warned.emit(list(facts.incompatibilities))

    def _show_description(self, facts: ModelFacts | Failed) -> None:
        if isinstance(facts, Failed):
            self._form.model.mark(facts.message)
            return
        self._form.describe_model(facts.description)
        self._adapt(
            takes_noise_level=facts.takes_noise_level, uses_range=facts.uses_range
        )

    def _adapt(self, *, takes_noise_level: bool, uses_range: bool) -> None:
        form = self._form
        if (takes_noise_level, uses_range) != (form.takes_noise_level, form.uses_range):
            form.adapt_to_model(
                takes_noise_level=takes_noise_level, uses_range=uses_range
            )
            self.show_plan()
            self.fields_changed.emit()
