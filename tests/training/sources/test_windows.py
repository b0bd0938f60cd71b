from __future__ import annotations

import numpy as np
import pytest
from noisy_sources import make_source, noisy_image
from synthetic import CPU, small_config

from napari_denoise_ae.image.tiling import region_shape
from napari_denoise_ae.models.networks.registry import outline_network
from napari_denoise_ae.training.images.layout import lay_out_patches
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.sources.patches import PatchPlan
from napari_denoise_ae.training.sources.windows import (
    all_windows,
    choose_windows,
    kept_out_images,
)


def plan_of(*shape, axes=None, patch_size=32):
    config = small_config(patch_size=patch_size)
    network = outline_network(config.network, config.network_options)
    images = open_images([np.zeros(shape, np.uint8)], axes=axes)
    return PatchPlan(lay_out_patches(images, config, network), config, CPU.device)


@pytest.mark.parametrize("shape", [(70, 90), (300, 900), (257, 700)])
def test_windows_cover_the_parts_once(shape):
    plan = plan_of(*shape)
    covered = np.zeros(shape, int)
    for part, plane, region in all_windows(plan.images, plan.train, plan.side):
        assert part in plan.train
        assert plane == 0
        assert min(region_shape(region)) >= plan.side
        assert max(region_shape(region)) <= 256
        covered[region] += 1
    (train,) = plan.train
    assert (covered[train.region] == 1).all()
    assert covered.sum() == np.prod(region_shape(train.region))


def test_windows_are_at_least_as_large_as_patches():
    plan = plan_of(700, 1900, patch_size=400)
    windows = all_windows(plan.images, plan.train, plan.side)
    assert min(min(region_shape(region)) for _, _, region in windows) >= 400


def test_chosen_windows_have_at_most_so_many_pixels():
    plan = plan_of(9, 80, 100, axes="TYX")
    windows = all_windows(plan.images, plan.train, plan.side)
    size = np.prod(region_shape(windows[0][2]))
    rng = np.random.default_rng(0)
    chosen = choose_windows(plan.images, windows, 4 * size, rng)
    assert len(chosen) == 4
    planes = [position.plane for position in chosen]
    assert planes == sorted(set(planes))
    assert len(choose_windows(plan.images, windows, 1, rng)) == 1
    assert len(choose_windows(plan.images, windows, 10**9, rng)) == 9


def test_kept_out_images_are_the_validation_part():
    image = noisy_image()
    source = make_source("noise2void", [image])
    found = kept_out_images(source._plan, source._measured, source._reader)
    for kept, val in zip(found, source._plan.val, strict=True):
        inner = kept.pixels[kept.inner][..., 0]
        np.testing.assert_array_equal(inner, image[val.region])
        assert kept.noise == source._measured.noises[0]
        # With surroundings on at least one side.
        assert kept.pixels.shape[1] >= inner.shape[1] + 32


def test_models_without_a_noise_level_are_told_the_range():
    image = noisy_image()
    options = {"base_channels": 4, "in_channels": 1}
    source = make_source("noise2void", [image], network="conv", network_options=options)
    kept, *_ = kept_out_images(source._plan, source._measured, source._reader)
    assert kept.options.intensity_range == (image.min(), image.max())
