"""The proposal of settings for images, and the workload that it comes with."""

from __future__ import annotations

import numpy as np
import pytest
from noisy_sources import OPTIONS, clean_image, noisy_image, start_model
from skimage.io import imsave
from synthetic import CPU, SMALL, image_set

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.prepare import prepare_training
from napari_denoise_ae.training.proposal import propose_training

IMAGES = {
    "images": [clean_image(), clean_image(100, 90)],
    "pairs": (noisy_image(), clean_image()),
    "repeats": [noisy_image(0), noisy_image(1)],
    "adapt": noisy_image(),
    "noise2void": noisy_image(),
}


def job_of(kind: str, **options) -> TrainingJob:
    settings = {"network": "unet", "network_options": OPTIONS}
    settings |= options.pop("settings", {})
    given = {kind: IMAGES[kind]} | options
    if kind == "adapt":
        given["start_from"] = start_model()
    return TrainingJob(output="model.pt", settings=settings, **given)


@pytest.mark.parametrize("kind", IMAGES)
def test_run_has_the_proposed_settings_and_workload(kind):
    job = job_of(kind)
    proposal, prepared = propose_training(job), prepare_training(job, CPU.device)
    assert proposal.config == prepared.config
    assert proposal.workload == prepared.workload
    assert proposal.workload.n_batches == prepared.source.n_batches
    assert proposal.workload.n_train == prepared.source.n_train
    assert proposal.workload.n_val == prepared.source.n_val
    assert proposal.noise == prepared.source.noise
    batch = next(prepared.source.batches(1))
    assert proposal.workload.n_images == batch.n_images
    assert proposal.workload.shape == batch.noisy.shape[-2:]


@pytest.mark.parametrize("kind", IMAGES)
def test_workload_counts_the_pixels_of_validation(kind):
    prepared = prepare_training(job_of(kind), CPU.device)
    found = sum(batch.target[:, 0].numel() for batch in prepared.source.validation())
    # Patches leave some of the pixels out.
    assert 0.4 * prepared.workload.n_val_pixels < found
    assert found <= prepared.workload.n_val_pixels


def test_noise_of_noisy_images_is_measured():
    assert "sigma 0 to 0.25" in propose_training(job_of("images")).noise
    assert propose_training(job_of("adapt")).noise.startswith("measured: ")


def test_settings_that_are_given_are_kept():
    job = job_of("images", settings={"patch_size": 16, "epochs": 3, "batch_size": 5})
    config = propose_training(job).config
    assert (config.patch_size, config.epochs, config.batch_size) == (16, 3, 5)


def test_images_that_are_left_out_are_named():
    images = {"large": clean_image(), "wide": clean_image(), "tiny": clean_image(9, 9)}
    proposal = propose_training(job_of("images", images=images))
    assert "tiny (9 x 9)" in proposal.notes[-1]
    assert proposal.workload.n_train == 1


def test_images_that_cannot_be_used_raise():
    with pytest.raises(DatasetError, match="repeats"):
        propose_training(job_of("repeats", repeats=noisy_image()))


def test_cifar10_need_not_be_there():
    job = TrainingJob(data="nowhere", output="model.pt")
    workload = propose_training(job).workload
    assert (workload.n_train, workload.n_val) == (45_000, 5_000)
    assert (workload.n_images, workload.shape) == (128, (32, 32))
    assert workload.n_batches == 352


def test_workload_of_images_in_memory_is_that_of_the_run():
    settings = {"network_options": SMALL, "batch_size": 8}
    job = TrainingJob(data=image_set(), output="model.pt", settings=settings)
    source = prepare_training(job, CPU.device).source
    workload = propose_training(job).workload
    assert workload.n_batches == source.n_batches
    assert (workload.n_train, workload.n_val) == (source.n_train, source.n_val)
    assert workload.n_batch_pixels == 8 * 16 * 16


def test_only_files_are_counted_as_kept(tmp_path):
    for number in range(2):
        image = np.zeros((400, 500), np.uint8)
        imsave(tmp_path / f"{number}.png", image, check_contrast=False)
    n_stored = propose_training(job_of("images", images=tmp_path)).workload.n_bytes
    arrays = [image, image.copy()]
    n_bytes = propose_training(job_of("images", images=arrays)).workload.n_bytes
    assert n_stored - n_bytes == 2 * 400 * 500
