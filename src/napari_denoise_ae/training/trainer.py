"""The training loop: a generator of frozen results.

The loop is independent of files and interfaces. The caller iterates over it, and the
`Trainer` holds the state, so stopping at any point loses only the unfinished epoch.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from ..errors import TrainingError
from ..models.checkpoint import Checkpoint
from ..models.devices import is_lack_of_memory
from ..models.training_state import TrainingState
from .checks import require_trainable
from .epoch import Epoch
from .initial import build_initial_network, copy_state_dict
from .record import begin_record, update_record
from .results import EpochResult, best_epoch_of, is_improvement
from .step import TrainingStep
from .validation import denoise_validation_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from torch import Tensor

    from ..models.config import TrainingConfig
    from ..models.devices import DeviceChoice
    from ..models.record import TrainingRecord
    from .results import Examples, TrainerStep
    from .sources.base import TrainingSource

# Number of noisy validation images from which the record's noise level is estimated.
_N_NOISE_IMAGES = 256


class Trainer:
    """Train a network on the batches of a source.

    Parameters
    ----------
    config : TrainingConfig
        The settings.
    source : TrainingSource
        Yields the batches to train on and to validate with, on `device`.
    device : DeviceChoice
        Training device.
    resume_from : TrainingState, optional
        State to resume from. Only `epochs`, `patience`, and `min_delta` of
        `config` may differ from those of that run. None starts a new run.
    start_from : Checkpoint, optional
        Trained network to start from, of the config's network and options. None
        starts from random weights.

    Attributes
    ----------
    config : TrainingConfig
        The settings.
    history : list of EpochResult
        Finished epochs.
    device : DeviceChoice
        Training device.
    n_train, n_val, n_batches, has_truth, notes, noise
        See `TrainingSource`.
    dataset_sha256 : str
        Checksum of the images before the split.
    n_parameters : int
        Number of trainable parameters.
    judgment : str
        How the model compares with another one, see `judge`; empty before.

    Raises
    ------
    InvalidInputError
        If the network's options are invalid or incompatible with other settings.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_denoise_ae.models.config import TrainingConfig
    >>> from napari_denoise_ae.io.cifar10 import ImageSet
    >>> from napari_denoise_ae.models.devices import choose_device
    >>> from napari_denoise_ae.training.sources.image_set import ImageSetSource
    >>> data = ImageSet("black", np.zeros((20, 8, 8, 3), dtype=np.uint8))
    >>> config, device = TrainingConfig(epochs=1), choose_device("cpu")
    >>> source = ImageSetSource(data, config, device.device)
    >>> trainer = Trainer(config, source, device)
    >>> for result in trainer.run():
    ...     print(type(result).__name__, result.epoch)
    BatchResult 1
    EpochResult 1
    """

    def __init__(
        self,
        config: TrainingConfig,
        source: TrainingSource,
        device: DeviceChoice,
        resume_from: TrainingState | None = None,
        start_from: Checkpoint | None = None,
    ) -> None:
        require_trainable(config)
        self.config = config
        self.history: list[EpochResult] = []
        self.device = device
        self._device = device.device
        self._source = source
        self.n_train, self.n_val = source.n_train, source.n_val
        self.n_batches, self.has_truth = source.n_batches, source.has_truth
        self.notes, self.noise = source.notes, source.noise
        self.dataset_sha256 = source.sha256
        self._network = build_initial_network(config, device.device, start_from)
        parameters = self._network.parameters()
        self.n_parameters = sum(parameter.numel() for parameter in parameters)
        self._step = TrainingStep(self._network, config, device.device)
        self.judgment = ""
        self._best_state_dict: dict[str, Tensor] = {}
        self._epoch: Epoch | None = None
        # Of a first epoch that was not finished: its initial weights, and its batches.
        self._first_state_dict: dict[str, Tensor] = {}
        self._n_unfinished = 0
        if resume_from is not None:
            self._restore(resume_from)
        noisy = self.example_images(_N_NOISE_IMAGES).noisy
        self._first_record = begin_record(
            config, source, self._network, self._device, noisy, start_from
        )
        if resume_from is not None:
            self._first_record = replace(
                self._first_record, started_from=resume_from.record.started_from
            )

    @property
    def learning_rate(self) -> float:
        """Current learning rate."""
        return self._step.learning_rate

    @property
    def stop_reason(self) -> str:
        """Why training ended; empty if it has not."""
        config, done = self.config, len(self.history)
        if self._n_unfinished:
            return (
                f"interrupted in epoch 1, after {self._n_unfinished:,} of "
                f"{self.n_batches:,} batches"
            )
        if done and done - self.best_epoch.epoch >= config.patience:
            return f"patience of {config.patience} used up at epoch {done}"
        if done >= config.epochs:
            return "all epochs are done"
        return ""

    @property
    def best_epoch(self) -> EpochResult:
        """The best epoch; at least one must be finished."""
        return best_epoch_of(self.history)

    def run(self, stop: Event | None = None) -> Iterator[TrainerStep]:
        """Train until the last epoch or until early stopping, see `stop_reason`.

        Parameters
        ----------
        stop : threading.Event, optional
            Set it from any thread to end training, or validation, after the
            current batch. The unfinished epoch is not added to `history`, see
            `keep_unfinished_epoch`.

        Yields
        ------
        BatchResult, SmallerBatches, or EpochResult
            A `BatchResult` after each batch, and an `EpochResult` after each epoch.
            `SmallerBatches` if memory ran out.

        Raises
        ------
        DatasetError
            If an image has changed since the start. Finished epochs are kept.
        TrainingError
            If the loss is no longer finite, or the device runs out of memory.
        """
        try:
            while not self.stop_reason and not _is_set(stop):
                yield from self._run_epoch(len(self.history) + 1, stop)
        except (RuntimeError, MemoryError) as error:
            if not is_lack_of_memory(error):
                raise
            raise TrainingError(self._step.out_of_memory_message) from error

    def keep_unfinished_epoch(self) -> EpochResult | None:
        """Validate a first epoch that was interrupted, and add it to `history`.

        Training cannot be continued then, but resumed from `state`, which repeats the
        epoch from its beginning.

        Returns
        -------
        EpochResult or None
            Its result; None if an epoch is finished or no batch was trained.

        Raises
        ------
        TrainingError
            If the loss is not finite.
        """
        epoch = self._epoch
        if self.history or epoch is None or not epoch.n_batches:
            return None
        if epoch.n_batches < self.n_batches:
            self._n_unfinished = epoch.n_batches
        result = epoch.validate()
        return None if result is None else self._add(result)

    def checkpoint(self) -> Checkpoint:
        """Return the best epoch so far; at least one must be finished."""
        return Checkpoint(
            name=self.config.preset,
            network=self.config.network,
            network_options=self.config.network_options,
            state_dict=self._best_state_dict,
            record=self._record(),
        )

    def judge(self) -> None:
        """Compare the best epoch with another model, see `TrainingSource.judge`.

        If other weights are better, such as those that the run started from, they
        replace those of the best epoch. The text is in `judgment`. Call it at the end
        of a run, of which at least one epoch must be finished.
        """
        found = self._source.judge(self.checkpoint())
        self._source.require_unchanged()
        if found is None:
            return
        self.judgment = found.text
        if found.kept is not None:
            self._best_state_dict = dict(found.kept.state_dict)

    def state(self) -> TrainingState:
        """Return the state to resume from; call it only between epochs."""
        state = TrainingState(
            best=self.checkpoint(),
            record=self._record(),
            state_dict=copy_state_dict(self._network),
            optimizer=self._step.optimizer.state_dict(),
            history=[asdict(result) for result in self.history],
        )
        if not self._n_unfinished:
            return state
        optimizer = {**state.optimizer, "state": {}}
        first = self._first_state_dict
        return replace(state, state_dict=first, optimizer=optimizer, history=[])

    def example_images(self, n_images: int, *, best: bool = False) -> Examples:
        """Denoise some validation images, always the same.

        Parameters
        ----------
        n_images : int
            Their number, at most; patches of the user's own images.
        best : bool
            Use the best epoch instead of the current network.
        """
        network = self.checkpoint().build(self._device) if best else self._network
        return denoise_validation_images(self._step, self._source, network, n_images)

    def _run_epoch(self, number: int, stop: Event | None) -> Iterator[TrainerStep]:
        if number == 1:
            self._first_state_dict = copy_state_dict(self._network)
        self._source.require_unchanged()
        self._epoch = Epoch(number, self._step, self._source, self.config)
        yield from self._epoch.train(stop)
        if _is_set(stop):
            return
        result = self._epoch.validate(stop)
        if result is not None:
            yield self._add(result)

    def _add(self, result: EpochResult) -> EpochResult:
        """Add an epoch to the history, and return its result.

        Raises
        ------
        DatasetError
            If an image has changed meanwhile; the epoch is not kept.
        """
        self._source.require_unchanged()
        is_best = is_improvement([*self.history, result], self.config)
        result = replace(result, is_best=is_best)
        state_dict = (
            copy_state_dict(self._network) if is_best else self._best_state_dict
        )
        if not self._n_unfinished:
            self._first_state_dict = {}
        # Assign both at once, so that an interrupt cannot separate them.
        self.history, self._best_state_dict = [*self.history, result], state_dict
        return result

    def _restore(self, state: TrainingState) -> None:
        self._network.load_state_dict(state.state_dict)
        self._step.optimizer.load_state_dict(dict(state.optimizer))
        self.history = [EpochResult(**result) for result in state.history]
        self._best_state_dict = dict(state.best.state_dict)

    def _record(self) -> TrainingRecord:
        reasons = [text for text in (self.stop_reason, self.judgment) if text]
        return update_record(
            self._first_record, self.history, self.best_epoch, "; ".join(reasons)
        )


def _is_set(stop: Event | None) -> bool:
    return stop is not None and stop.is_set()
