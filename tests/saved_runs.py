"""Start, finish and resume small training runs."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from synthetic import CPU, image_set, small_config

from napari_denoise_ae.models.training_state import load_training_state
from napari_denoise_ae.training.resume import resume_training
from napari_denoise_ae.training.saved import SavedTraining
from napari_denoise_ae.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from napari_denoise_ae.training.run_files import RunFiles


def begin(files: RunFiles, **changes: Any) -> SavedTraining:
    return SavedTraining(Trainer(small_config(**changes), image_set(), CPU), files)


def finish(training: SavedTraining) -> SavedTraining:
    for _ in training.steps():
        pass
    training.write_end()
    return training


def resume(files: RunFiles, *, images: int = 0, **changes: Any) -> SavedTraining:
    """Resume a run from its files; `images` is the seed of its images."""
    state = load_training_state(files.state)
    return resume_training(state, files, image_set(seed=images), CPU, changes)


def read_history(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
