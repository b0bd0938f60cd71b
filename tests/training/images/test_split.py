"""Training and validation share no pixel."""

from __future__ import annotations

import numpy as np
import pytest
from collections_of import arrays

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.images.split import Part, count_pixels, split_images


def images_of(parts):
    return [part.image for part in parts]


def test_several_images_are_split_by_image():
    images = arrays(*[(20, 20 + n) for n in range(10)])
    train, val = split_images(images, 0.2, 0, side=8)
    assert len(val) == 2
    assert sorted(images_of(train) + images_of(val)) == [*range(10)]
    for part in (*train, *val):
        assert part.region == (slice(0, 20), slice(0, 20 + part.image))
    assert split_images(images, 0.2, 0, side=8) == (train, val)
    others = {
        tuple(images_of(split_images(images, 0.2, s, side=8)[1])) for s in range(9)
    }
    assert len(others) > 3


@pytest.mark.parametrize(("fraction", "n_val"), [(0.01, 1), (0.99, 2)])
def test_each_side_has_an_image(fraction, n_val):
    train, val = split_images(arrays(*[(20, 20)] * 3), fraction, 0, side=8)
    assert (len(train), len(val)) == (3 - n_val, n_val)


def test_the_largest_image_is_trained_on():
    images = arrays((20, 20), (400, 400), (20, 20))
    for seed in range(5):
        train, _ = split_images(images, 0.3, seed, side=8)
        assert 1 in images_of(train)


@pytest.mark.parametrize(
    ("shape", "expected_train", "expected_val"),
    [
        ((100, 40), (slice(0, 80), slice(0, 40)), (slice(80, 100), slice(0, 40))),
        ((40, 100), (slice(0, 40), slice(0, 80)), (slice(0, 40), slice(80, 100))),
        ((40, 40), (slice(0, 40), slice(0, 24)), (slice(0, 40), slice(24, 40))),
    ],
)
def test_a_single_image_is_split_along_its_longer_side(
    shape, expected_train, expected_val
):
    split = split_images(arrays((3, *shape), axes="TYX"), 0.2, 0, side=16)
    assert split == ((Part(0, expected_train),), (Part(0, expected_val),))


def test_a_large_fraction_leaves_a_patch_for_training():
    (train,), (val,) = split_images(arrays((20, 40)), 0.9, 0, side=16)
    assert train.region[1] == slice(0, 16)
    assert val.region[1] == slice(16, 40)


def test_a_padded_image_is_split_where_no_pixel_is_reflected():
    """Reflection along the longer side would copy pixels into the other part."""
    images = arrays((10, 40)).at_least(16)
    (train,), (val,) = split_images(images, 0.5, 0, side=16)
    image = images.images[0]
    values = [np.unique(image.read((), part.region)) for part in (train, val)]
    assert not np.intersect1d(*values).size


def test_a_single_small_image_is_refused_with_the_numbers():
    with pytest.raises(DatasetError, match=r"image 1 has 20 x 31 pixels.*at most 15"):
        split_images(arrays((20, 31)), 0.1, 0, side=16)


def test_pixels_of_all_planes_are_counted():
    images = arrays((3, 10, 20), axes="TYX")
    part = Part(0, (slice(0, 10), slice(5, 20)))
    assert count_pixels(images, part) == 450


@pytest.mark.parametrize("shape", [(40, 260), (300, 41), (64, 129), (50, 70)])
def test_strips_for_small_validation_patches_cover_the_image(shape):
    images = arrays(shape)
    train, val = split_images(images, 0.25, 0, side=32, val_side=16)
    covered = np.zeros(shape, int)
    for part in (*train, *val):
        covered[part.region] += 1
    assert (covered == 1).all()
    long = shape.index(max(shape))
    spans = [part.region[long] for part in train]
    assert min(span.stop - span.start for span in spans) >= 32
    spans = [part.region[long] for part in val]
    assert min(span.stop - span.start for span in spans) >= 16
    assert 1 <= len(val) <= 4
    assert (len(val) > 2) == (max(shape) > 250)
