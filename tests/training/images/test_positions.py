"""Positions of patches stay within their parts."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from collections_of import arrays, lies_in

from napari_denoise_ae.image.tiling import region_shape
from napari_denoise_ae.training.images.positions import (
    draw_positions,
    grid_positions,
    redraw,
)
from napari_denoise_ae.training.images.split import Part, split_images

SIDE = 8


@pytest.fixture
def images():
    return arrays((2, 40, 60), (2, 8, 8), (2, 30, 9), axes="TYX")


@pytest.fixture
def parts(images):
    return tuple(
        Part(n, tuple(slice(0, length) for length in image.plane_shape))
        for n, image in enumerate(images.images)
    )


def draw(images, parts, count, seed=0):
    rng = np.random.default_rng(seed)
    return draw_positions(images, parts, count, SIDE, rng)


def test_patches_lie_in_their_parts_and_reach_every_border(images, parts):
    positions = draw(images, parts, 3000)
    for position in positions:
        assert lies_in(position, parts[position.image])
        assert region_shape(position.region) == (SIDE, SIDE)
        assert position.within == parts[position.image].region
    large = [position for position in positions if position.image == 0]
    assert {position.plane for position in large} == {(0,), (1,)}
    for axis, length in enumerate((40, 60)):
        starts = {position.region[axis].start for position in large}
        assert (min(starts), max(starts)) == (0, length - SIDE)


def test_images_are_drawn_in_proportion_to_their_pixels(images, parts):
    counts = Counter(position.image for position in draw(images, parts, 3000))
    total = 40 * 60 + 64 + 270
    for number, pixels in enumerate((40 * 60, 64, 270)):
        assert counts[number] / 3000 == pytest.approx(pixels / total, abs=0.03)


def test_the_generator_decides_on_the_positions(images, parts):
    assert draw(images, parts, 20) == draw(images, parts, 20)
    assert draw(images, parts, 20) != draw(images, parts, 20, seed=1)


def test_no_training_patch_has_a_validation_pixel():
    images = arrays((2, 30, 50), axes="TYX")
    train, val = split_images(images, 0.3, 0, side=SIDE)
    seen = np.zeros((30, 50), int)
    for value, parts in ((1, train), (2, val)):
        for position in draw(images, parts, 500):
            seen[position.region] |= value
    assert set(np.unique(seen)) - {0} == {1, 2}


def test_grid_positions_cover_a_part_without_overlap(images, parts):
    positions = grid_positions(images, parts[:1], 1000, SIDE)
    assert len(positions) == 2 * 5 * 7
    seen = np.zeros((2, 40, 60), int)
    for position in positions:
        assert lies_in(position, parts[0])
        seen[(*position.plane, *position.region)] += 1
    assert seen.max() == 1
    assert seen[:, :, 2:58].min() == 1


def test_few_grid_positions_are_spread_over_all_parts(images, parts):
    positions = grid_positions(images, parts, 40, SIDE)
    assert len(positions) == 40
    assert positions == grid_positions(images, parts, 40, SIDE)
    assert len({(p.image, p.plane, *map(str, p.region)) for p in positions}) == 40
    counts = Counter(position.image for position in positions)
    assert counts[0] > counts[2] >= 2
    columns = {position.region[1].start for position in positions if not position.image}
    assert len(columns) == 7


def test_a_position_is_drawn_again_in_its_part(images, parts):
    (position,) = draw(images, parts[:1], 1)
    others = list(islice(redraw(images, position), 20))
    assert all(lies_in(other, parts[0]) for other in others)
    assert len({str(other) for other in others}) > 15
    assert others == list(islice(redraw(images, position), 20))
