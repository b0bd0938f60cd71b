from __future__ import annotations

import numpy as np
import pytest
from synthetic import SMALL, image_set, random_checkpoint

from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.opened import open_run


def opened(start_from=None, **options):
    settings = {"network_options": SMALL | {"in_channels": 1}}
    if start_from is not None:
        settings = {}
    settings |= options.pop("settings", {})
    job = TrainingJob(
        output="model.pt", start_from=start_from, settings=settings, **options
    )
    return open_run(job)


def blank(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.uint8)


def test_patch_size_fits_the_images_unless_it_is_given():
    images = [blank(40, 50), blank(50, 40)]
    assert opened(images=images).config.patch_size == 40
    assert opened(images=images, settings={"patch_size": 60}).config.patch_size == 60


def test_large_images_are_trained_on_for_fewer_epochs():
    few, many = blank(100, 100), np.broadcast_to(np.uint8(0), (9000, 9000))
    settings = {"batch_size": 8, "patch_size": 96}
    assert opened(images=few, settings=settings).config.epochs == 160
    # 989 batches in an epoch.
    assert opened(images=many, settings=settings).config.epochs == 20
    start = random_checkpoint(network="unet", in_channels=1)
    trained = opened(images=many, start_from=start, settings=settings)
    assert trained.config.epochs == 5
    kept = opened(images=many, settings=settings | {"epochs": 50})
    assert kept.config.epochs == 50


@pytest.mark.parametrize("kind", ["adapt", "noise2void"])
def test_kinds_of_few_batches_keep_their_epochs(kind):
    large = np.broadcast_to(np.uint8(0), (3000, 3000))
    start = random_checkpoint(network="unet", in_channels=1)
    run = opened(**{kind: large}, start_from=start)
    expected = {"adapt": 5, "noise2void": 20}[kind]
    assert run.config.epochs == expected
    assert run.config.patch_size == 64


@pytest.mark.parametrize(
    ("shape", "n_batches"),
    [((2, 512, 512), 44), ((2, 256, 256), 12), ((8, 64, 64), 24)],
)
def test_a_trained_model_sees_small_repeats_for_fewer_batches(shape, n_batches):
    start = random_checkpoint(network="unet", in_channels=1)
    given = {"repeats": blank(*shape), "axes": "TYX", "start_from": start}
    assert opened(**given).config.batches_per_epoch == n_batches
    kept = opened(**given, settings={"batches_per_epoch": 70})
    assert kept.config.batches_per_epoch == 70


def test_config_of_a_resumed_run_is_not_changed():
    job = TrainingJob(output="model.pt", images=blank(40, 50), resume=True)
    config = opened(images=blank(90, 90), settings={"patch_size": 64}).config
    assert open_run(job, config).config == config


def test_cifar10_is_not_read():
    run = opened(data="nowhere", settings={"network_options": SMALL})
    assert run.images == ()
    assert run.config.epochs == 50
    assert opened(data=image_set(), settings={"network_options": SMALL}).images == ()


@pytest.mark.parametrize("n_colors", [1, 3])
def test_network_options_that_are_not_given_are_those_of_the_preset(n_colors):
    image = blank(80, 100, 3)[..., : 3 if n_colors == 3 else 1].squeeze()
    job = TrainingJob(
        output="model.pt", images=image, settings={"network_options": SMALL}
    )
    options = open_run(job).config.network_options
    assert options == SMALL | {"in_channels": n_colors}
    # Those of one network are not those of another.
    other = {"network": "residual", "network_options": {"in_channels": n_colors}}
    job = TrainingJob(output="model.pt", images=image, settings=other)
    assert open_run(job).config.network_options == {"in_channels": n_colors}
