from __future__ import annotations

import numpy as np
import pytest
from synthetic import small_config

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.models.networks.registry import outline_network
from napari_denoise_ae.training.images.layout import PatchLayout, lay_out_patches
from napari_denoise_ae.training.images.open import open_images


def layout_of(*shapes, has_small_validation=False, **changes) -> PatchLayout:
    config = small_config(**({"patch_size": 16} | changes))
    network = outline_network(config.network, config.network_options)
    images = open_images([np.zeros(shape, np.uint8) for shape in shapes])
    return lay_out_patches(
        images, config, network, has_small_validation=has_small_validation
    )


def test_patches_are_rounded_up_to_the_stride_of_the_network():
    assert layout_of((64, 64), patch_size=17).side == 24


def test_patches_shrink_to_fit_most_images():
    layout = layout_of((20, 70), (50, 40), (41, 90), patch_size=128)
    assert (layout.side, layout.is_smaller) == (40, True)
    assert layout_of((30, 50), patch_size=128).side == 24
    assert not layout_of((64, 64)).is_smaller


def test_layout_does_not_change_with_the_patch_size_that_it_chose():
    first = layout_of((30, 70), (50, 40), (41, 90), patch_size=128)
    again = layout_of((30, 70), (50, 40), (41, 90), patch_size=first.side)
    assert (again.side, again.n_batches) == (first.side, first.n_batches)
    assert not again.is_smaller


def test_small_validation_patches_leave_larger_ones_to_train_on():
    layout = layout_of((48, 48), patch_size=64, has_small_validation=True)
    assert (layout.side, layout.val_side) == (32, 16)
    assert layout_of((48, 48), patch_size=64).side == 24


def test_networks_of_a_fixed_size_get_patches_of_it():
    changes = {"network": "residual", "network_options": {}, "patch_size": 64}
    layout = layout_of((100, 100), **changes)
    assert (layout.side, layout.is_smaller) == (32, False)


@pytest.mark.parametrize(("side", "expected"), [(64, 20), (1000, 440), (4000, 1000)])
def test_an_epoch_covers_the_training_pixels_within_limits(side, expected):
    assert layout_of((side, side)).n_batches == pytest.approx(expected, abs=3)


def test_number_of_batches_can_be_set():
    assert layout_of((64, 64), batches_per_epoch=3).n_batches == 3


def test_images_are_counted_in_both_parts():
    layout = layout_of((40, 40), (40, 50), (40, 60), val_fraction=0.3)
    assert (layout.n_train, layout.n_val) == (2, 1)
    assert layout.n_val_pixels in (1600, 2000, 2400)


def test_images_that_are_too_small_raise():
    with pytest.raises(DatasetError, match="too few to be split"):
        layout_of((12, 12), patch_size=8)
