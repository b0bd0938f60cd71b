from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from skimage.io import imsave
from synthetic import CPU, image_set, random_checkpoint, small_config, smooth_photo

from napari_denoise_ae.errors import DatasetError, InvalidInputError
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.training.api import train
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.prepare import prepare_training

if TYPE_CHECKING:
    from pathlib import Path

#: Settings of a run that takes less than a second.
QUICK = {
    "epochs": 2,
    "batches_per_epoch": 2,
    "batch_size": 2,
    "patch_size": 16,
    "network_options": {"base_channels": 4, "in_channels": 1},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three gray images and a color one."""
    path = tmp_path / "cells"
    path.mkdir()
    for number, name in enumerate("abc"):
        pixels = np.roll(photo(1), number, axis=0)
        imsave(path / f"{name}.png", pixels, check_contrast=False)
    imsave(path / "color.png", photo(3), check_contrast=False)
    return path


def photo(n_colors: int) -> np.ndarray:
    return (smooth_photo(64, 48, n_colors).squeeze() * 255).astype(np.uint8)


def prepared(**changes):
    job = TrainingJob(output="model.pt", **changes)
    return prepare_training(job, CPU.device)


def test_folder_of_images_is_trained_on(folder, tmp_path):
    output = tmp_path / "model.pt"
    result = train(images=folder, output=output, progress=False, **QUICK)
    record = result.checkpoint.record
    assert record.dataset == "cells (3 images)"
    assert [line.split()[0] for line in record.images] == ["a.png", "b.png", "c.png"]
    assert (record.n_train, record.n_val) == (2, 1)
    assert sum(", uint8, for validation, SHA-256 " in x for x in record.images) == 1
    assert result.scoring_error == ""
    assert result.files.gallery.exists()
    assert len(result.history) == 2


def test_resumed_run_on_a_folder_equals_an_uninterrupted_one(folder, tmp_path):
    def run(name: str, **changes):
        settings = QUICK | {"schedule": "constant"} | changes
        return train(images=folder, output=tmp_path / name, progress=False, **settings)

    whole = run("whole.pt", epochs=3)
    run("parts.pt", epochs=1)
    resumed = run("parts.pt", epochs=3, resume=True)
    assert [r.val_loss for r in resumed.history] == [r.val_loss for r in whole.history]
    assert [r.train_loss for r in resumed.history] == [
        r.train_loss for r in whole.history
    ]


def test_run_on_changed_images_is_not_resumed(folder, tmp_path):
    output = tmp_path / "model.pt"
    train(images=folder, output=output, progress=False, **QUICK)
    imsave(folder / "b.png", 255 - photo(1), check_contrast=False)
    with pytest.raises(DatasetError, match="checksum"):
        train(images=folder, output=output, progress=False, resume=True)


def test_color_decides_the_preset(folder):
    mixed = prepared(images=folder)
    assert mixed.config.preset == "gray"
    assert "color.png" in mixed.source.notes[0]
    assert prepared(images=[photo(3)]).config.preset == "rgb"
    assert prepared(data=image_set(20)).config.preset == "conv"


def test_gray_network_sees_color_images_as_gray(folder):
    source = prepared(images=folder, preset="gray", settings=QUICK).source
    assert source.n_train + source.n_val == 4
    assert source.notes == ("1 color image is converted to gray.",)


def test_model_to_start_from_determines_network_and_weights(folder, tmp_path):
    start = random_checkpoint(network="unet", in_channels=1)
    save_checkpoint(start, tmp_path / "start.pt")
    settings = {"patch_size": 16, "batches_per_epoch": 1, "learning_rate": 1e-9}
    result = train(
        images=folder,
        start_from=tmp_path / "start.pt",
        output=tmp_path / "model.pt",
        progress=False,
        epochs=1,
        **settings,
    )
    assert result.checkpoint.network_options == start.network_options
    assert result.checkpoint.record.started_from == "start.pt"
    for name, weights in result.checkpoint.state_dict.items():
        np.testing.assert_allclose(weights, start.state_dict[name], atol=1e-6)


def test_models_that_are_told_the_correlation_are_trained_for_it_by_default(folder):
    config = prepared(images=folder, start_from="gray").config
    assert config.noise.startswith("0.6*gaussian:0..0.3,unclipped|0.4*gaussian")
    settings = {"noise": "gaussian:0.1,unclipped"}
    config = prepared(images=folder, start_from="gray", settings=settings).config
    assert config.noise == "gaussian:0.1,unclipped"


def test_network_of_the_model_to_start_from_cannot_be_changed(folder):
    with pytest.raises(InvalidInputError, match="starts from"):
        prepared(
            images=folder,
            start_from="gray",
            settings={"network_options": {"base_channels": 4}},
        )


def test_starting_weights_are_not_changed(folder, tmp_path):
    start = random_checkpoint(network="unet", in_channels=1)
    before = {name: weights.clone() for name, weights in start.state_dict.items()}
    train(
        images=folder,
        start_from=start,
        output=tmp_path / "model.pt",
        progress=False,
        epochs=1,
        patch_size=16,
        batches_per_epoch=2,
    )
    for name, weights in start.state_dict.items():
        np.testing.assert_array_equal(weights, before[name])


@pytest.mark.parametrize("given", [{}, {"images": "a", "adapt": "b"}])
def test_exactly_one_source_is_given(given):
    with pytest.raises(InvalidInputError, match="exactly one of data, images"):
        TrainingJob(output="model.pt", **given)


@pytest.mark.parametrize("pairs", ["folder", ("a",), ("a", "b", "c")])
def test_pairs_are_two(pairs):
    with pytest.raises(InvalidInputError, match="the noisy images and the clean"):
        prepared(pairs=pairs)


def test_patch_size_of_the_settings_is_used(folder):
    batch = prepared(images=folder, settings=QUICK).source.examples(1)
    assert batch.noisy.shape == (1, 1, 16, 16)
    assert small_config().patch_size == 128
