"""Tests of stopping training with an event."""

import threading

import numpy as np
from synthetic import equal_weights, image_trainer

from napari_denoise_ae.io.cifar10 import ImageSet
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.training import epoch as epoch_module
from napari_denoise_ae.training.results import BatchResult, EpochResult


def make_trainer(state=None):
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    config = TrainingConfig(
        epochs=3, batch_size=8, network_options={"base_channels": 4}
    )
    return image_trainer(config, ImageSet("random", images), state=state)


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
    validate = epoch_module.validate

    def stop_and_validate(*given):
        stop.set()
        return validate(*given)

    monkeypatch.setattr(epoch_module, "validate", stop_and_validate)
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


# --- a first epoch that is not finished -------------------------------------


def stop_after(trainer, *, batches: int) -> None:
    """Train a number of batches of the first epoch."""
    stop = threading.Event()
    for result in trainer.run(stop):
        if result.batch == batches:
            stop.set()


def test_unfinished_first_epoch_is_validated_and_kept():
    trainer = make_trainer()
    stop_after(trainer, batches=2)
    assert trainer.history == []
    result = trainer.keep_unfinished_epoch()
    assert trainer.history == [result]
    assert (result.epoch, result.is_best) == (1, True)
    assert 0 < result.val_loss < 1
    reason = "interrupted in epoch 1, after 2 of 5 batches"
    assert trainer.checkpoint().record.stop_reason == reason
    # What was trained cannot be continued exactly.
    assert list(trainer.run()) == []


def test_resuming_an_unfinished_first_epoch_repeats_it_exactly():
    trainer, whole = make_trainer(), make_trainer()
    stop_after(trainer, batches=3)
    trainer.keep_unfinished_epoch()
    resumed = make_trainer(trainer.state())
    assert resumed.history == []
    # Stopped again, and resumed again.
    stop_after(resumed, batches=1)
    resumed.keep_unfinished_epoch()
    resumed = make_trainer(resumed.state())
    list(resumed.run())
    list(whole.run())
    assert equal_weights(resumed.state().state_dict, whole.state().state_dict)
    assert [r.val_loss for r in resumed.history] == [r.val_loss for r in whole.history]


def test_first_epoch_stopped_in_its_validation_is_finished():
    trainer, whole = make_trainer(), make_trainer()
    stop_after(trainer, batches=5)
    trainer.keep_unfinished_epoch()
    assert len(trainer.state().history) == 1
    list(trainer.run())
    list(whole.run())
    assert equal_weights(trainer.state().state_dict, whole.state().state_dict)


def test_nothing_is_kept_without_a_batch_or_after_an_epoch():
    trainer, stop = make_trainer(), threading.Event()
    assert trainer.keep_unfinished_epoch() is None
    for result in trainer.run(stop):
        if (result.epoch, getattr(result, "batch", 0)) == (2, 1):
            stop.set()
    assert trainer.keep_unfinished_epoch() is None
    assert len(trainer.history) == 1
