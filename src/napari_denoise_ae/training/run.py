"""A complete training run as one generator, for every interface.

Its steps are the download of the data, the batches and epochs of training, the
gallery, and the scores of the test set.
"""

from __future__ import annotations

import math
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ..errors import DenoiseAEError
from ..evaluation.score import Score
from ..evaluation.test_set import score_test_set
from ..io.cifar10 import ImageSet
from ..io.download import ensure_cifar10
from ..io.lock import locked
from ..io.source import close_volumes
from ..io.temporary import remove
from ..models.devices import choose_device
from ..models.training_state import load_training_state
from .backup import RunBackup
from .estimate import estimate_run
from .gallery import denoise_examples, gallery_title, save_gallery
from .prepare import prepare_training
from .results import (
    EpochResult,
    FinalExamples,
    TrainingResult,
    TrainingStart,
    ValidationExamples,
)
from .resume import (
    how_to_train_longer,
    require_same_start,
    resume_training,
    resumed_config,
)
from .run_config import run_config_text
from .saved import SavedTraining
from .trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .estimate import RunEstimate
    from .job import TrainingJob
    from .results import RunStep, TrainerStep
    from .workload import Workload

# Number of validation images to yield after each epoch.
_N_EXAMPLES = 4


class TrainingRun:
    """A training run from its data to its scores.

    Iterate over `steps` to run it, and read `result` at any time. Set `stop` to end it
    early. After an exception such as `KeyboardInterrupt`, set `stop` and iterate over
    `steps` again to write the remaining files.

    Parameters
    ----------
    job : TrainingJob
        The settings.
    stop : threading.Event, optional
        Set it from any thread to end the run after the current batch. The files and
        the gallery of the best epoch are still written, but it is not scored. A first
        epoch is validated and kept even if it is not finished; resuming the run
        repeats it from its beginning.
    cancel : threading.Event, optional
        Set it before `stop` to end the run as if it had never started: its files are
        removed, and those that it replaced are restored.

    Attributes
    ----------
    device : DeviceChoice
        Training device.
    files : RunFiles
        Paths of the run's files.
    stop, cancel : threading.Event
        See above.

    Raises
    ------
    DeviceError
        If the device is not available.
    InvalidInputError, OutputError, CheckpointError
        If the output cannot be written, or the run cannot be resumed.

    Examples
    --------
    >>> from napari_denoise_ae.training.job import TrainingJob
    >>> job = TrainingJob(data="data", output="model.pt", settings={"epochs": 5})
    >>> run = TrainingRun(job)  # doctest: +SKIP
    >>> for step in run.steps():  # doctest: +SKIP
    ...     print(step)
    >>> run.result.best_epoch  # doctest: +SKIP
    """

    def __init__(
        self, job: TrainingJob, stop: Event | None = None, cancel: Event | None = None
    ) -> None:
        # Check everything that can be checked before the download and training.
        self.device = choose_device(job.device)
        self.files = job.files
        self.files.require_usable(resume=job.resume, overwrite=job.overwrite)
        self.stop = Event() if stop is None else stop
        self.cancel = Event() if cancel is None else cancel
        self._job = job
        self._state = load_training_state(self.files.state) if job.resume else None
        self._training: SavedTraining | None = None
        self._workload: Workload | None = None
        self._backup = RunBackup(self.files)
        self._was_over = False
        self._has_gallery = False
        self._scores: tuple[Score, ...] = ()
        self._scoring_error = ""

    @property
    def result(self) -> TrainingResult | None:
        """The result so far; None before the first epoch, and if it was canceled."""
        if self._training is None or not self._training.trainer.history:
            return None
        trainer = self._training.trainer
        return TrainingResult(
            checkpoint=trainer.checkpoint(),
            history=tuple(trainer.history),
            files=self.files,
            stop_reason=self.stop_reason,
            judgment=trainer.judgment,
            test_scores=self._scores,
            scoring_error=self._scoring_error,
        )

    @property
    def learning_rate(self) -> float:
        """Current learning rate; NaN before training begins."""
        training = self._training
        return math.nan if training is None else training.trainer.learning_rate

    @property
    def stop_reason(self) -> str:
        """Why training ended, or when it would be interrupted if it ended now."""
        if self.cancel.is_set():
            return "canceled"
        if self._training is None:
            return "interrupted before training began"
        trainer = self._training.trainer
        if not trainer.history:
            return "interrupted before the first batch was trained"
        if self._was_over:
            return (
                f"{trainer.stop_reason}, so nothing was left to train; to train "
                f"longer, {how_to_train_longer(trainer)}"
            )
        done = len(trainer.history)
        return trainer.stop_reason or f"interrupted after epoch {done}"

    def estimate(self) -> RunEstimate | None:
        """Estimate the time and the memory of the epochs that are left.

        Returns
        -------
        RunEstimate or None
            See `estimate_run`; None before the images are loaded.
        """
        if self._training is None or self._workload is None:
            return None
        trainer = self._training.trainer
        return estimate_run(
            trainer.config, self._workload, self.device.device, len(trainer.history)
        )

    def steps(self) -> Iterator[RunStep]:
        """Do the run, or the rest of it after an exception.

        Yields
        ------
        RunStep
            `DownloadProgress` if the data is downloaded; `TrainingStart`;
            `BatchResult` after each batch; `SmallerBatches` if memory runs out;
            `EpochResult` and `ValidationExamples`
            after each epoch, once its files are written; `FinalExamples`; and
            `ScoringProgress`.

        Raises
        ------
        DatasetError, InvalidInputError, OutputError, TrainingError
            If the data, the settings, a file, or the training itself fails. Errors
            of the gallery and of scoring are not raised; `result` holds their text.
        """
        with locked(self.files.checkpoint):
            try:
                yield from self._steps()
            finally:
                close_volumes()
                if self.cancel.is_set():
                    self._training = None
                    self._backup.restore()
                self._backup.discard()

    def _steps(self) -> Iterator[RunStep]:
        if self._training is None and not self.stop.is_set():
            yield from self._load()
        if self._training is None:
            return
        if not self.stop.is_set():
            yield from self._train(self._training.steps(self.stop))
        if self.stop.is_set() and not self.cancel.is_set():
            yield from self._train(self._training.keep_unfinished_epoch())
        if self._training.trainer.history and not self.cancel.is_set():
            self._training.trainer.judge()
            self._training.write_end()
            yield from self._test(self._training.trainer)

    def _load(self) -> Iterator[RunStep]:
        folder = self._cifar10_folder
        if folder is not None:
            yield from ensure_cifar10(folder, self.stop, download=self._job.download)
        if self.stop.is_set():
            return
        trainer = self._prepare()
        run_config = run_config_text(self._job, trainer.config)
        self._training = SavedTraining(trainer, self.files, run_config)
        self._was_over = bool(trainer.stop_reason)
        self._backup.save()
        yield TrainingStart(
            device=str(trainer.device),
            noise=trainer.noise,
            network=trainer.config.network,
            n_parameters=trainer.n_parameters,
            n_train=trainer.n_train,
            n_val=trainer.n_val,
            n_batches=trainer.n_batches,
            epochs=trainer.config.epochs,
            config=trainer.config,
            dataset_sha256=trainer.dataset_sha256,
            has_truth=trainer.has_truth,
            history=tuple(trainer.history),
            notes=trainer.notes,
        )
        yield ValidationExamples(trainer.example_images(_N_EXAMPLES))

    @property
    def _cifar10_folder(self) -> Path | None:
        """Folder of CIFAR-10; None for other images."""
        data = self._job.data
        return None if data is None or isinstance(data, ImageSet) else Path(data)

    def _prepare(self) -> Trainer:
        device, state = self.device, self._state
        if state is not None:
            config = resumed_config(state.record.config, self._job.changes)
            prepared = prepare_training(self._job, device.device, config)
            self._workload = prepared.workload
            require_same_start(self._job.start_from, prepared, state.record)
            return resume_training(state, prepared, device)
        prepared = prepare_training(self._job, device.device)
        self._workload = prepared.workload
        return Trainer(
            prepared.config, prepared.source, device, None, prepared.start_from
        )

    def _train(self, results: Iterator[TrainerStep]) -> Iterator[RunStep]:
        for result in results:
            yield result
            if isinstance(result, EpochResult) and self._training is not None:
                examples = self._training.trainer.example_images(_N_EXAMPLES)
                yield ValidationExamples(examples)

    def _test(self, trainer: Trainer) -> Iterator[RunStep]:
        """Draw the gallery, and score the test set unless the run was stopped."""
        folder = self._cifar10_folder
        # An error from here on must not lose the trained model.
        try:
            if not self._has_gallery:
                yield from self._draw_gallery(trainer, folder)
            if folder is not None and not self.stop.is_set():
                yield from self._score(trainer, folder)
        # RuntimeError is raised by torch.
        except (DenoiseAEError, RuntimeError, MemoryError, OSError) as error:
            self._scoring_error = str(error)

    def _draw_gallery(self, trainer: Trainer, folder: Path | None) -> Iterator[RunStep]:
        # If drawing fails, an earlier gallery must not be mistaken for this one.
        remove(self.files.gallery)
        examples = denoise_examples(trainer, folder)
        yield FinalExamples(examples)
        title = gallery_title(trainer, is_test=folder is not None)
        save_gallery(examples, self.files.gallery, title)
        self._has_gallery = True

    def _score(self, trainer: Trainer, folder: Path) -> Iterator[RunStep]:
        scores = []
        for step in score_test_set(
            trainer.checkpoint(), folder, trainer.device, stop=self.stop
        ):
            if isinstance(step, Score):
                scores.append(step)
            else:
                yield step
        self._scores = tuple(scores)
