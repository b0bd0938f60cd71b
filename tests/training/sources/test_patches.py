from __future__ import annotations

import numpy as np
from skimage.io import imsave
from synthetic import CPU, small_config

from napari_denoise_ae.models.networks.registry import outline_network
from napari_denoise_ae.training.images.layout import lay_out_patches
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.sources import patches
from napari_denoise_ae.training.sources.patches import PatchPlan


def plan_of(images, **changes) -> PatchPlan:
    config = small_config(**({"patch_size": 16} | changes))
    network = outline_network(config.network, config.network_options)
    layout = lay_out_patches(open_images(images), config, network)
    return PatchPlan(layout, config, CPU.device)


def blank(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.uint8)


def test_note_says_that_patches_are_smaller_to_fit_the_images():
    plan = plan_of([blank(20, 70), blank(50, 40), blank(41, 90)], patch_size=128)
    assert plan.notes[-1] == "Patches have 40 x 40 pixels, to fit the images."
    assert plan_of([blank(64, 80)]).notes == ()


def test_an_epoch_has_the_batches_of_the_layout():
    plan = plan_of([blank(1000, 1000)])
    assert len(list(plan.batches(1))) == plan.n_batches == plan.layout.n_batches


def test_no_training_patch_touches_validation_pixels():
    for images in ([blank(64, 80)], [blank(40, 40), blank(50, 41)]):
        plan = plan_of(images, batches_per_epoch=10, val_fraction=0.3)
        trained = {part.image: np.zeros((200, 200), bool) for part in plan.train}
        for batch in plan.batches(1):
            for position in batch:
                trained[position.image][position.region] = True
        for position in plan.validation():
            if position.image in trained:
                assert not trained[position.image][position.region].any()


def test_epochs_differ_and_can_be_repeated():
    plan = plan_of([blank(64, 64)])
    first, again, other = (list(plan.batches(epoch)) for epoch in (1, 1, 2))
    assert first == again
    assert first != other


def test_pictures_that_do_not_fit_into_memory_are_drawn_from_in_turn(
    tmp_path, monkeypatch
):
    for number in range(30):
        imsave(tmp_path / f"{number}.png", blank(40, 50), check_contrast=False)
    monkeypatch.setattr(patches, "MEMORY_LIMIT", 20_000)
    plan = plan_of(tmp_path, batches_per_epoch=20)
    drawn = [[each.image for each in batch] for batch in plan.batches(1)]
    # Three pictures at a time, of which each gives eight of the 160 patches.
    assert all(len(set(batch)) <= 6 for batch in drawn)
    assert 10 < len({image for batch in drawn for image in batch}) <= 23
    first, again, other = (list(plan.batches(epoch)) for epoch in (1, 1, 2))
    assert first == again
    assert first != other
