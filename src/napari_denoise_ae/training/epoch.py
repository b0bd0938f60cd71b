"""One epoch: the batches of training, then validation."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from .checks import require_finite
from .results import BatchResult, EpochResult, SmallerBatches
from .validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    import torch

    from ..models.config import TrainingConfig
    from .sources.base import TrainingSource
    from .step import TrainingStep


class Epoch:
    """An epoch of a run, which may be left unfinished.

    Parameters
    ----------
    number : int
        Number of the epoch, from 1.
    step : TrainingStep
        Trains the network.
    source : TrainingSource
        Yields the batches.
    config : TrainingConfig
        The settings.

    Attributes
    ----------
    n_batches : int
        Number of batches that have been trained.
    """

    def __init__(
        self,
        number: int,
        step: TrainingStep,
        source: TrainingSource,
        config: TrainingConfig,
    ) -> None:
        self.n_batches = 0
        self._number, self._config = number, config
        self._step, self._source = step, source
        self._start = time.perf_counter()
        # Of the losses of all images so far.
        self._loss_sum: torch.Tensor | float = 0.0
        self._n_images = 0

    def train(self, stop: Event | None) -> Iterator[BatchResult | SmallerBatches]:
        """Train on the batches of the epoch.

        Parameters
        ----------
        stop : threading.Event, optional
            Set it to end training after the current batch.

        Yields
        ------
        BatchResult or SmallerBatches
            See `Trainer.run`.
        """
        n_each, step = self._source.n_batches, self._step
        step.network.train()
        with closing(self._source.batches(self._number)) as batches:
            for number, batch in enumerate(batches, start=1):
                n_parts = step.n_parts(batch)
                n_done = (self._number - 1) * n_each + number - 1
                step.follow_schedule(n_done, self._config.epochs * n_each)
                loss = step.train(batch)
                if step.n_parts(batch) > n_parts:
                    yield SmallerBatches(step.n_parts(batch))
                self._loss_sum = self._loss_sum + loss * batch.n_images
                self._n_images += batch.n_images
                self.n_batches += 1
                yield BatchResult(self._number, number, n_each, loss)
                if stop is not None and stop.is_set():
                    return

    def validate(self, stop: Event | None = None) -> EpochResult | None:
        """Validate the network, and return the result of the epoch as if it were best.

        Parameters
        ----------
        stop : threading.Event, optional
            Set it to end validation early; the result is then None.

        Raises
        ------
        TrainingError
            If a loss is not finite.
        """
        val_loss, val_psnr = validate(self._step, self._source, stop)
        if stop is not None and stop.is_set():
            return None
        train_loss = float(self._loss_sum) / self._n_images
        require_finite(self._number, train_loss, val_loss, self._config)
        seconds = time.perf_counter() - self._start
        return EpochResult(self._number, train_loss, val_loss, val_psnr, True, seconds)
