"""A training image: its planes, padding, and the blocks in which it is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from collections_of import arrays, numbered

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.training.images.image import (
    ChannelPlanes,
    TrainingImage,
    choose_block,
    facts_of,
)


@pytest.mark.parametrize(
    ("axes", "plane"), [("TCYX", (1,)), ("CTYX", (1,)), ("TYXC", (1,))]
)
def test_a_channel_has_no_axis_c(axes, plane):
    lengths = {"T": 2, "C": 3, "Y": 4, "X": 5}
    array = numbered(tuple(lengths[letter] for letter in axes))
    planes = ChannelPlanes(ArrayPlanes.of(array, axes), 2)
    assert planes.axes == "TYX"
    assert planes.shape == (2, 4, 5, 1)
    assert planes.dtype == array.dtype
    ordered = np.moveaxis(array, axes.index("C"), 0)[2]
    part = planes.read(plane, (slice(1, 3), slice(0, 2)))
    np.testing.assert_array_equal(part[..., 0], ordered[1, 1:3, :2])


def test_small_planes_are_padded_by_reflection():
    (image,) = arrays((2, 5, 9), axes="TYX").images
    padded = replace(image, least=8)
    assert padded.is_padded
    assert padded.plane_shape == (8, 9)
    whole = numbered((2, 5, 9))[1]
    expected = np.pad(whole, ((1, 2), (0, 0)), mode="reflect")
    part = padded.read((1,), (slice(0, 8), slice(2, 9)))
    np.testing.assert_array_equal(part[..., 0], expected[:, 2:])
    stored = padded.read_stored((1,), (slice(0, 5), slice(0, 9)))
    np.testing.assert_array_equal(stored[..., 0], whole)


def test_infinite_values_are_refused_by_name():
    pixels = np.zeros((8, 8), np.float32)
    pixels[5, 5] = np.inf
    image = TrainingImage(name="scan", planes=ArrayPlanes.of(pixels, "YX"))
    assert image.read((), (slice(0, 4), slice(0, 4))).shape == (4, 4, 1)
    with pytest.raises(DatasetError, match="scan: The image contains infinite"):
        image.read((), (slice(4, 8), slice(4, 8)))


@pytest.mark.parametrize(
    ("side", "chunk", "expected"),
    [
        (1000, (100, 100), (1000, 1000)),  # small
        (3000, None, (3000, 3000)),  # decoded as a whole
        (3000, (100, 512), (300, 512)),
        (3000, (1, 3000), (256, 3000)),
    ],
)
def test_blocks_are_whole_planes_or_whole_chunks(side, chunk, expected):
    planes = ArrayPlanes.of(np.zeros((side, side), np.uint8), "YX")
    assert choose_block(planes, chunk) == expected


def test_facts_name_shape_axes_and_color():
    gray, color = arrays((5, 9)).images[0], arrays((5, 9, 4)).images[0]
    assert facts_of(gray) == "image 1 (5 x 9, YX, gray)"
    assert facts_of(color) == "image 1 (5 x 9, YX, RGB)"
