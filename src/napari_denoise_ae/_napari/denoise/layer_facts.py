"""Find out about the chosen layer and model, and show it in the Denoise form."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from ...errors import DenoiseAEError
from ...models.builtin import suits_any_noise
from ..shared.model_facts import load_model_facts
from ..shared.worker import Failed, Task
from ..viewer.axes import describe_layer, plan_of
from .inspect_job import inspect_layer
from .lazy_job import inspect_lazy_layer

if TYPE_CHECKING:
    from ..shared.model_choice import ModelChoice
    from ..shared.model_facts import ModelFacts
    from .form import DenoiseForm
    from .inspect_job import LayerFacts
    from .job import LayerScan
    from .job_maker import JobMaker

# How long the settings must rest before the layer is looked at, in milliseconds.
_REST = 200


class LayerInspector(QObject):  # type: ignore[misc]
    """Looks at the layer and the model outside the GUI thread.

    Parameters
    ----------
    form : DenoiseForm
        Names the layer, and shows the facts.
    models : ModelChoice
        Names the model.
    jobs : JobMaker
        Makes the job to look at.

    Attributes
    ----------
    warned : Signal
        Emitted with a list of reasons why the model may not fit the layer; an
        empty one if it does.
    refitted : Signal
        Emitted after the form has changed its fields for another kind of model.
    """

    warned = Signal(list)
    refitted = Signal()

    def __init__(self, form: DenoiseForm, models: ModelChoice, jobs: JobMaker) -> None:
        # The timer must not outlive the fields that it reads.
        super().__init__(form)
        self._form, self._models, self._jobs = form, models, jobs
        self._looking: Task | None = None
        self._scan: LayerScan | None = None
        self._describing: Task | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST)
        self._timer.timeout.connect(self._look_at_layer)

    def take_layer(self) -> None:
        """Show another layer, or the same with other pixels, and look at it."""
        if self._looking is not None:
            # Its facts would be those of other pixels.
            self._looking.drop()
        self._scan = None
        self._form.facts.setText(describe_layer(self._form.source))
        self._form.show_layer()
        self.show_plan()
        self.look()

    def look(self) -> None:
        """Look at the layer as soon as the settings rest."""
        self._timer.start()

    def show_plan(self) -> None:
        """Show what will be done with the layer."""
        form = self._form
        plan = plan_of(
            form.source,
            takes_noise_level=form.takes_noise_level,
            range_of=form.measured_in,
            dtype=form.result_dtype,
        )
        form.plan.setText(plan)

    def take_model(self) -> None:
        """Describe the chosen model, and fit the form to it."""
        if self._describing is not None:
            self._describing.drop()
        model = self._models.chosen
        # Whether a file's model takes a noise level is known once it is read.
        self._fit_to_model(suits_any_noise(model))
        self._describing = Task(
            load_model_facts, model, returned=self._show_description
        )

    def stop(self) -> None:
        """Begin to look at nothing more, until it is asked to again."""
        self._timer.stop()

    def drop(self) -> None:
        """Drop what is being looked at; Qt may have deleted the timer by then."""
        for running in (self._looking, self._describing):
            if running is not None:
                running.drop()

    def _look_at_layer(self) -> None:
        if self._looking is not None:
            self._looking.drop()
        try:
            job = self._jobs.job()
        except DenoiseAEError as error:
            self.warned.emit([str(error)] if self._form.source is not None else [])
            return
        if self._scan is not None and self._scan.matches(job):
            job = replace(job, scan=self._scan)
        look = inspect_lazy_layer if job.levels else inspect_layer
        self._looking = Task(
            look, job, yielded=self._keep_scan, returned=self._show_facts
        )

    def _keep_scan(self, step: LayerScan | None) -> None:
        if step is not None:
            self._scan = step

    def _show_facts(self, facts: LayerFacts | Failed) -> None:
        if isinstance(facts, Failed):
            self.warned.emit([facts.message])
            return
        form, known = self._form, describe_layer(self._form.source)
        if not math.isnan(facts.noise):
            known = f"{known}, estimated noise {facts.noise:.1%} of the range"
        elif facts.noise_estimate is None:
            known = f"{known}, estimated noise unknown"
        form.facts.setText(known)
        form.to_remove.show_estimate(
            facts.noise_estimate, per_image=form.measured_in == "image"
        )
        self.warned.emit(list(facts.incompatibilities))

    def _show_description(self, facts: ModelFacts | Failed) -> None:
        if isinstance(facts, Failed):
            self._form.description.setText(facts.message)
            return
        self._form.description.setText(facts.description)
        self._fit_to_model(facts.takes_noise_level)

    def _fit_to_model(self, takes_noise_level: bool) -> None:
        if takes_noise_level != self._form.takes_noise_level:
            self._form.fit_to_model(takes_noise_level)
            self.show_plan()
            self.refitted.emit()
