"""Tests of stopping training with an event."""

import threading

import numpy as np
from synthetic import image_trainer

from napari_denoise_ae.io.cifar10 import ImageSet
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.training.results import BatchResult, EpochResult


def make_trainer():
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    config = TrainingConfig(
        epochs=3, batch_size=8, network_options={"base_channels": 4}
    )
    return image_trainer(config, ImageSet("random", images))


def test_training_stops_at_the_next_batch():
    trainer, stop = make_trainer(), threading.Event()
    for result in trainer.run(stop):
        if isinstance(result, BatchResult) and (result.epoch, result.batch) == (2, 3):
            stop.set()
    assert (result.epoch, result.batch) == (2, 3)
    assert [result.epoch for result in trainer.history] == [1]
    assert trainer.stop_reason == ""


def test_stop_during_validation_discards_the_epoch(monkeypatch):
    trainer, stop = make_trainer(), threading.Event()
    validate = trainer._validate

    def stop_and_validate(given):
        stop.set()
        return validate(given)

    monkeypatch.setattr(trainer, "_validate", stop_and_validate)
    assert all(isinstance(result, BatchResult) for result in trainer.run(stop))
    assert trainer.history == []


def test_stopped_run_continues_like_an_uninterrupted_one():
    stopped, whole, stop = make_trainer(), make_trainer(), threading.Event()
    for result in stopped.run(stop):
        if isinstance(result, EpochResult):
            stop.set()
    assert len(stopped.history) == 1
    list(stopped.run())
    list(whole.run())
    assert [r.val_loss for r in stopped.history] == [r.val_loss for r in whole.history]
