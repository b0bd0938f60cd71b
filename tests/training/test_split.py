from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.split import split_indices


@pytest.mark.parametrize(
    ("n_images", "val_fraction"), [(2, 0.5), (10, 0.1), (10, 0.9), (1001, 0.1)]
)
def test_split_is_disjoint_and_complete(n_images, val_fraction):
    split = split_indices(n_images, val_fraction, seed=3)
    assert len(split.val) == round(n_images * val_fraction)
    both = np.concatenate([split.train, split.val])
    np.testing.assert_array_equal(np.sort(both), np.arange(n_images))


def test_seed_determines_the_split():
    first, again = split_indices(100, 0.1, seed=0), split_indices(100, 0.1, seed=0)
    other = split_indices(100, 0.1, seed=1)
    np.testing.assert_array_equal(first.val, again.val)
    assert set(first.val) != set(other.val)


@pytest.mark.parametrize(
    ("n_images", "val_fraction"), [(0, 0.5), (1, 0.5), (4, 0.1), (4, 0.9)]
)
def test_empty_parts_are_rejected(n_images, val_fraction):
    with pytest.raises(DatasetError, match=f"{n_images} images? cannot be split"):
        split_indices(n_images, val_fraction, seed=0)
