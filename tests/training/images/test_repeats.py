from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.images.open import open_images
from napari_denoise_ae.training.images.positions import Position
from napari_denoise_ae.training.images.repeats import KeptOut, as_repeats


def image(number, *shape):
    return np.full(shape or (20, 30), number, dtype=np.uint8)


def test_stacks_stay_as_they_are():
    opened = open_images([image(0, 4, 20, 30), image(1, 3, 20, 30)], axes="TYX")
    assert as_repeats(opened) is opened


def test_images_become_the_frames_of_one_stack():
    opened = open_images([image(3), image(5).astype(np.float32)])
    (stack,) = as_repeats(opened).images
    assert stack.axes == "TYX"
    assert stack.planes.shape == (2, 20, 30, 1)
    assert stack.dtype == np.float32
    region = slice(2, 6), slice(3, 8)
    assert (stack.read((0,), region) == 3).all()
    assert stack.read((1,), region).shape == (4, 5, 1)
    assert (stack.read((1,), region) == 5).all()


def test_other_axes_are_kept():
    opened = open_images([image(3, 2, 20, 30), image(5, 2, 20, 30)], axes="CYX")
    (stack,) = as_repeats(opened).images
    assert stack.axes == "TCYX"
    assert (stack.read((1, 0), (slice(0, 4), slice(0, 4))) == 5).all()


@pytest.mark.parametrize(
    ("images", "axes", "message"),
    [
        ([image(0)], None, "has no repeats"),
        ([image(0, 4, 20, 30)], "ZYX", "such as TYX"),
        ([image(0), image(1, 20, 31)], None, "must have the same shape and axes"),
        ([image(0, 1, 20, 30)] * 1 + [image(0, 2, 20, 30)], "TYX", "not both"),
        (
            [image(0, 1, 20, 30), image(1, 1, 20, 30)],
            "TYX",
            "has only one frame along T",
        ),
    ],
)
def test_other_images_are_refused(images, axes, message):
    with pytest.raises(DatasetError, match=message):
        as_repeats(open_images(images, axes=axes))


def test_pixels_of_a_patch_that_are_kept_out_are_found():
    def at(frame, rows, columns):
        return Position(0, (frame,), (slice(*rows), slice(*columns)))

    kept = KeptOut([at(1, (0, 8), (8, 16)), at(1, (16, 24), (0, 8))])
    expected = np.zeros((3, 32, 32), bool)
    for each in kept.positions:
        expected[each.plane[0]][each.region] = True
    for frame in (0, 1):
        for rows in ((0, 16), (4, 20), (24, 32)):
            for columns in ((0, 8), (4, 12), (8, 24)):
                patch = at(frame, rows, columns)
                found = expected[frame][patch.region]
                np.testing.assert_array_equal(kept.mask(patch), found)
