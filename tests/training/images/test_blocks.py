"""Blocks are decoded once, and take a bounded amount of memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from collections_of import arrays, numbered

from napari_denoise_ae.training.images.blocks import BlockCache

SHAPE = (2, 50, 70)


@dataclass
class Recorded:
    """Planes that record which regions were read."""

    planes: object
    read_regions: list = field(default_factory=list)

    def __getattr__(self, name):
        return getattr(self.planes, name)

    def read(self, plane, region):
        self.read_regions.append((plane, region))
        return self.planes.read(plane, region)


@pytest.fixture
def image():
    (image,) = arrays(SHAPE, axes="TYX").images
    return replace(image, planes=Recorded(image.planes), block=(16, 20))


def region(top, left, side=10):
    return slice(top, top + side), slice(left, left + side)


def test_regions_are_put_together_from_blocks(image):
    cache, array = BlockCache([image], 10**6), numbered(SHAPE)
    for top, left in [(0, 0), (10, 15), (31, 39), (40, 60)]:
        part = cache.read(0, (1,), region(top, left))
        np.testing.assert_array_equal(
            part[..., 0], array[1, top : top + 10, left : left + 10]
        )
    assert cache.n_bytes == sum(
        (r.stop - r.start) * (c.stop - c.start) * 4
        for _, (r, c) in image.planes.read_regions
    )


def test_only_the_needed_blocks_are_read_and_each_once(image):
    cache = BlockCache([image], 10**6)
    for _ in range(3):
        cache.read(0, (0,), region(2, 2))
        cache.read(0, (0,), region(2, 15))
    blocks = [(slice(0, 16), slice(0, 20)), (slice(0, 16), slice(20, 40))]
    assert image.planes.read_regions == [((0,), block) for block in blocks]


def test_the_blocks_used_last_are_kept_within_the_limit(image):
    one = 16 * 20 * 4
    cache = BlockCache([image], 2 * one)
    first, second, third = region(2, 2), region(2, 22), region(2, 42)
    for each in (first, second, first, third, first, second):
        cache.read(0, (0,), each)
        assert cache.n_bytes <= 2 * one
    lefts = [columns.start for _, (_, columns) in image.planes.read_regions]
    assert lefts == [0, 20, 40, 20]


def test_a_block_beyond_the_limit_is_not_kept(image):
    cache = BlockCache([image], 100)
    for _ in range(2):
        cache.read(0, (0,), region(2, 2))
    assert (cache.n_bytes, len(image.planes.read_regions)) == (0, 2)


def test_an_array_in_memory_is_copied_and_not_cached():
    (image,) = arrays(SHAPE, axes="TYX").images
    cache = BlockCache([image], 10**6)
    part = cache.read(0, (0,), region(0, 0))
    part[:] = 0
    assert cache.n_bytes == 0
    assert cache.read(0, (0,), region(0, 0)).max() > 0
