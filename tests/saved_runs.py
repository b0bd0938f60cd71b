"""Start, finish and resume small training runs."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from synthetic import CPU, image_set, image_trainer, small_config

from napari_denoise_ae.models.training_state import load_training_state
from napari_denoise_ae.training.prepare import Prepared
from napari_denoise_ae.training.resume import resume_training, resumed_config
from napari_denoise_ae.training.saved import SavedTraining
from napari_denoise_ae.training.sources.image_set import ImageSetSource
from napari_denoise_ae.training.workload import Workload

if TYPE_CHECKING:
    from pathlib import Path

    from napari_denoise_ae.training.run_files import RunFiles

RUN_CONFIG = "# settings of a run\n"


def begin(files: RunFiles, **changes: Any) -> SavedTraining:
    return SavedTraining(
        image_trainer(small_config(**changes), image_set()), files, RUN_CONFIG
    )


def finish(training: SavedTraining) -> SavedTraining:
    for _ in training.steps():
        pass
    training.write_end()
    return training


def resume(files: RunFiles, *, images: int = 0, **changes: Any) -> SavedTraining:
    """Resume a run from its files; `images` is the seed of its images."""
    state = load_training_state(files.state)
    config = resumed_config(state.record.config, changes)
    data = image_set(seed=images)
    source = ImageSetSource(data, config, CPU.device)
    prepared = Prepared(config, source, None, Workload.of_images(config, data))
    trainer = resume_training(state, prepared, CPU)
    return SavedTraining(trainer, files, RUN_CONFIG)


def read_history(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
