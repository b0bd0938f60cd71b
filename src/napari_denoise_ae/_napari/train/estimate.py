"""Propose settings and estimate a run in a worker thread, before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from ...errors import DenoiseAEError
from ..shared.noise_part import capitalize
from ..shared.worker import Failed, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from qtpy.QtWidgets import QWidget

    from ...models.config import TrainingConfig
    from ...training.job import TrainingJob

# Time without changes after which a run is estimated, in milliseconds.
_DELAY = 700
_DEVICES = {"cpu": "the CPU", "cuda": "the GPU", "mps": "the GPU"}
# torch raises RuntimeError.
_FAILURES = (DenoiseAEError, RuntimeError, MemoryError, OSError)


@dataclass(frozen=True, slots=True)
class Estimated:
    """The proposed settings of a run, and its time and memory.

    Parameters
    ----------
    job : TrainingJob
        The run.
    config : TrainingConfig
        All its settings.
    text : str
        Sentences on the time, the memory, and the noise.
    """

    job: TrainingJob
    config: TrainingConfig
    text: str


def estimate(job: TrainingJob) -> Generator[None, None, Estimated | Failed]:
    """Propose the settings of a run that it does not give, and estimate the run."""
    yield
    # Imported here, because they import torch.
    from ...models.devices import choose_device
    from ...training.estimate import estimate_run
    from ...training.proposal import propose_training

    try:
        proposal = propose_training(job)
        yield
        device = choose_device(job.device).device
        run = estimate_run(proposal.config, proposal.workload, device)
    except _FAILURES as error:
        return Failed(str(error))
    n_epochs, n_batches = proposal.config.epochs, proposal.workload.n_batches
    text = (
        f"{capitalize(str(run))} on {_DEVICES.get(device.type, device.type)}, "
        f"for {n_epochs:,} epoch{'s' * (n_epochs != 1)} of {n_batches:,} "
        f"batch{'es' * (n_batches != 1)}."
    )
    if job.kind not in ("data", "images"):
        text += f" Noise, {proposal.noise}."
    return Estimated(job, proposal.config, text)


class Estimator(QObject):  # type: ignore[misc]
    """Estimates a run when nothing that describes it has changed for a moment.

    Parameters
    ----------
    owner : QWidget
        The widget that shows the estimate; nothing is estimated while it is hidden.
    make_job : callable
        Returns the run; None if it cannot be described yet.

    Attributes
    ----------
    estimated : Signal
        Emitted with an `Estimated` or a `Failed`, and with None when it is outdated.
    """

    estimated = Signal(object)

    def __init__(
        self, owner: QWidget, make_job: Callable[[], TrainingJob | None]
    ) -> None:
        super().__init__(owner)
        self._owner, self._make_job = owner, make_job
        self._key: Any = None
        self._task: Task | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY)
        self._timer.timeout.connect(self._start)
        self.destroyed.connect(lambda _: self._drop_task())

    def update(self, key: Any) -> None:
        """Estimate the run soon, unless this key is the same as before.

        Parameters
        ----------
        key : object
            All that describes the run, to compare.
        """
        if key == self._key:
            return
        self.stop()
        self._key = key
        self.estimated.emit(None)
        self._timer.start()

    def stop(self) -> None:
        """Stop estimating until something changes."""
        self._timer.stop()
        self._drop_task()

    def _drop_task(self) -> None:
        if self._task is not None:
            self._task.drop()
            self._task = None

    def _start(self) -> None:
        if not self._owner.isVisible():
            # To be estimated when the widget is shown.
            self._key = None
            return
        job = self._make_job()
        if job is not None:
            self._task = Task(estimate, job, returned=self._finish)

    def _finish(self, outcome: Estimated | Failed) -> None:
        self._task = None
        self.estimated.emit(outcome)
