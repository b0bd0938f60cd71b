from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from synthetic import CPU, equal_weights, image_set, image_trainer, small_config

from napari_denoise_ae.errors import CheckpointError
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.training_state import (
    load_training_state,
    save_training_state,
)

if TYPE_CHECKING:
    from pathlib import Path

    from napari_denoise_ae.training.trainer import Trainer


def content_of(path: Path) -> dict:
    return torch.load(path, weights_only=True)


def test_training_state_and_checkpoint_are_not_interchangeable(model_file, state_file):
    with pytest.raises(CheckpointError, match="is not a napari-denoise-ae checkpoint"):
        load_checkpoint(state_file)
    with pytest.raises(CheckpointError, match="is not a napari-denoise-ae training"):
        load_training_state(model_file)


@pytest.fixture
def trainer() -> Trainer:
    trainer = image_trainer(small_config(epochs=2), image_set())
    for _ in trainer.run():
        pass
    return trainer


@pytest.fixture
def state_file(trainer, tmp_path) -> Path:
    path = tmp_path / "run.resume"
    save_training_state(trainer.state(), path)
    return path


def test_training_state_survives_saving_and_loading(trainer, state_file):
    state, loaded = trainer.state(), load_training_state(state_file)
    assert equal_weights(loaded.state_dict, state.state_dict)
    assert equal_weights(loaded.best.state_dict, state.best.state_dict)
    assert loaded.history == state.history
    assert replace(loaded.record, date="") == replace(state.record, date="")
    for index, moments in state.optimizer["state"].items():
        assert equal_weights(loaded.optimizer["state"][index], moments)


HISTORY_ROW = {
    "epoch": 1,
    "train_loss": 0.1,
    "val_loss": 0.1,
    "val_psnr": 10.0,
    "is_best": True,
    "seconds": 1.0,
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("best", None),
        ("best", {}),
        ("state_dict", None),
        ("state_dict", {}),
        ("optimizer", None),
        ("optimizer", {}),
        ("optimizer", {"state": {}}),
        ("optimizer", {"state": {0: {"exp_avg": torch.zeros(5)}}, "param_groups": []}),
        ("optimizer", {"state": {99: {}}, "param_groups": []}),
        ("optimizer", {"state": {"a": {}}, "param_groups": []}),
        ("optimizer", {"state": {0: None}, "param_groups": []}),
        ("optimizer", {"state": {}, "param_groups": []}),
        ("optimizer", {"state": {}, "param_groups": [{}]}),
        ("optimizer", {"state": {}, "param_groups": 5}),
        ("history", None),
        ("history", 5),
        ("history", ["text"]),
        ("history", [{}]),
        ("history", [HISTORY_ROW | {"more": 1}]),
        ("history", [HISTORY_ROW | {"is_best": False}]),
        ("history", [HISTORY_ROW | {"val_loss": "low"}]),
    ],
)
def test_invalid_training_state_is_rejected(state_file, key, value):
    """It is rejected before the first epoch starts."""
    torch.save(content_of(state_file) | {key: value}, state_file)

    def resume() -> None:
        state = load_training_state(state_file)
        trainer = image_trainer(small_config(epochs=3), image_set(), CPU, state)
        for _ in trainer.run():
            pass

    with pytest.raises(CheckpointError):
        resume()


@pytest.mark.parametrize("key", ["best", "state_dict", "optimizer", "history"])
def test_training_state_with_a_missing_entry_is_rejected(state_file, key):
    content = content_of(state_file)
    del content[key]
    torch.save(content, state_file)
    with pytest.raises(CheckpointError, match=f"'{key}' is missing"):
        load_training_state(state_file)


def test_training_state_without_a_record_is_rejected(state_file):
    content = content_of(state_file)
    content["best"]["record"] = None
    torch.save(content, state_file)
    with pytest.raises(CheckpointError, match="no training record"):
        load_training_state(state_file)
