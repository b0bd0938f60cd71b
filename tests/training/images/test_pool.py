from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from collections_of import arrays, lies_in, write

from napari_denoise_ae.image.tiling import region_shape
from napari_denoise_ae.io.planes import StoredPlanes
from napari_denoise_ae.training.images import patches as patches_module
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.images.pool import PicturePool, pool_size
from napari_denoise_ae.training.images.split import split_images

SIDE = 8


def pool_of(*shapes, size=4, seed=0, axes=None):
    """Return a pool of pictures, and the parts that it draws from."""
    images = arrays(*shapes, axes=axes)
    train, _ = split_images(images, 0.1, 0, side=SIDE)
    rng = np.random.default_rng(seed)
    return PicturePool(images, train, SIDE, size, rng), train


def test_each_picture_gives_eight_patches_before_it_is_replaced():
    pool, _ = pool_of(*[(20, 30)] * 50, size=1)
    drawn = [position.image for position in pool.draw(200)]
    changes = [n for n in range(1, 200) if drawn[n] != drawn[n - 1]]
    # The first picture gives fewer.
    assert changes[0] <= 8
    assert all((later - changes[0]) % 8 == 0 for later in changes)
    assert len(changes) > 20


def test_few_pictures_are_drawn_from_at_a_time():
    pool, _ = pool_of(*[(20, 30)] * 200, size=8)
    batches = [[each.image for each in pool.draw(8)] for _ in range(100)]
    assert all(len(set(batch)) >= 7 for batch in batches)
    n_pictures = len({number for batch in batches for number in batch})
    assert 70 < n_pictures <= 108


def test_a_batch_larger_than_the_pool_uses_all_its_pictures_evenly():
    pool, _ = pool_of(*[(20, 30)] * 200, size=4)
    pool.draw(40)
    counts = Counter(each.image for each in pool.draw(16))
    # Each picture gives four, or its successor the rest.
    assert 4 <= len(counts) <= 8
    assert max(counts.values()) <= 4


def test_pixels_are_about_equally_likely_over_time():
    pool, train = pool_of((20, 30), (40, 60), (10, 10), (30, 30), size=3)
    counts = Counter(each.image for each in pool.draw(40_000))
    n_pixels = {part.image: math.prod(region_shape(part.region)) for part in train}
    total = sum(n_pixels.values())
    for image, number in n_pixels.items():
        assert counts[image] / 40_000 == pytest.approx(number / total, abs=0.03)


def test_patches_lie_in_the_training_parts_of_all_planes():
    pool, train = pool_of((5, 30, 60), axes="TYX")
    positions = pool.draw(400)
    assert all(any(lies_in(each, part) for part in train) for each in positions)
    assert {each.plane for each in positions} == {(t,) for t in range(5)}
    assert len({each.region[1].start for each in positions}) > 20


def test_the_same_seed_gives_the_same_patches():
    first, again, other = (pool_of((20, 30), (40, 60), seed=n)[0] for n in (0, 0, 1))
    drawn = first.draw(30)
    assert drawn == again.draw(30)
    assert drawn != other.draw(30)


# --- when a pool is used ------------------------------------------------------


@pytest.fixture
def pictures(tmp_path):
    """Ten files of 6,000 bytes, decoded as a whole."""
    for number in range(10):
        write(tmp_path / f"{number}.png", np.zeros((60, 100), np.uint8))
    return open_images(tmp_path)


def test_a_pool_is_used_for_pictures_that_do_not_fit_into_memory(pictures):
    assert pool_size(pictures, 60_000) == 0
    assert pool_size(pictures, 59_999) == 6
    assert pool_size(pictures, 27_000, planes_per_patch=3) == 1
    assert pool_size(pictures, 10) == 1


def test_a_pool_has_at_most_64_pictures(tmp_path):
    for number in range(100):
        write(tmp_path / f"{number}.png", np.zeros((6, 10), np.uint8))
    assert pool_size(open_images(tmp_path), 5_999) == 64


def test_no_pool_is_used_for_arrays_and_parts_of_images(tmp_path):
    assert pool_size(arrays((60, 100), (60, 100)), 10) == 0
    large = np.zeros((3000, 3000), np.uint8)
    write(tmp_path / "large.tif", large, tile=(256, 256), compression="zlib")
    assert pool_size(open_images(tmp_path / "large.tif"), 10) == 0


def test_half_the_memory_is_used_for_pictures_that_do_not_fit(pictures):
    assert patches_module.useful_limit(pictures, 60_000) == 60_000
    assert patches_module.useful_limit(pictures, 50_000) == 25_000


def test_most_patches_find_their_picture_decoded(tmp_path, monkeypatch):
    for number in range(40):
        write(tmp_path / f"{number}.png", np.zeros((60, 100), np.uint8))
    images = open_images(tmp_path)
    limit = patches_module.useful_limit(images, 100_000)
    reader = patches_module.PatchReader(images, 100_000)
    train, _ = split_images(images, 0.1, 0, side=SIDE)
    size = pool_size(images, limit)
    pool = PicturePool(images, train, SIDE, size, np.random.default_rng(0))
    decoded = []
    read = StoredPlanes.read

    def count(planes, plane, region):
        decoded.append(planes.path)
        return read(planes, plane, region)

    monkeypatch.setattr(StoredPlanes, "read", count)
    for position in pool.draw(800):
        reader.read(position)
    assert len(decoded) < 130
