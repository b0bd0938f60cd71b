"""Which images of a collection can be used, and what is said about the others."""

from __future__ import annotations

import numpy as np
import pytest
from collections_of import arrays

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.training.images.open import open_images


def names(collection):
    return [image.name for image in collection.images]


@pytest.mark.parametrize(
    ("colors", "expected"), [((1, 3, 3), 3), ((1, 1, 3), 1), ((1, 3), 1), ((3,), 3)]
)
def test_the_majority_decides_on_colors(colors, expected):
    shapes = [(8, 8) if n == 1 else (8, 8, 3) for n in colors]
    assert arrays(*shapes).colors() == expected


def test_images_of_other_colors_are_left_out_by_name():
    mixed = arrays((8, 8), (8, 8, 3), (9, 9), (8, 8, 4))
    gray, color = mixed.of_colors(1), mixed.of_colors(3)
    assert names(gray) == ["image 1", "image 3"]
    assert names(color) == ["image 2", "image 4"]
    assert gray.notes == (
        "2 color images cannot be mixed with the 2 gray ones and are left out: "
        "image 2, image 4.",
    )
    assert gray.of_colors(1) is gray


def test_no_image_of_the_wanted_colors_is_an_error():
    with pytest.raises(DatasetError, match="it has 2 gray images and no color one"):
        arrays((8, 8), (9, 9)).of_colors(3)


def test_a_long_list_of_names_is_cut():
    mixed = arrays((8, 8), *[(8, 8, 3)] * 7)
    assert mixed.of_colors(1).notes[0].endswith("image 5, image 6 and 2 more.")


def test_small_images_are_padded_or_left_out():
    images = arrays((16, 40), (8, 40), (7, 40), (20, 20)).at_least(16)
    assert names(images) == ["image 1", "image 2", "image 4"]
    assert [image.plane_shape for image in images.images] == [
        (16, 40),
        (16, 40),
        (20, 20),
    ]
    assert images.notes == (
        "1 image smaller than a patch of 16 x 16 pixels is padded by reflection: "
        "image 2 (8 x 40).",
        "1 image smaller than half a patch of 16 x 16 pixels is left out: "
        "image 3 (7 x 40).",
    )


def test_padding_follows_the_last_patch_size():
    images = arrays((8, 40)).at_least(16).at_least(8)
    assert images.images[0].plane_shape == (8, 40)


def test_no_image_large_enough_is_an_error_with_the_sizes():
    with pytest.raises(
        DatasetError, match=r"patches of 64 x 64 pixels: .* largest image has 20"
    ):
        arrays((20, 300), (10, 10)).at_least(64)


def test_the_dtype_holds_the_pixels_of_all_images():
    images = [np.zeros((8, 8), dtype) for dtype in ("uint8", "uint16", "float32")]
    assert open_images(images[:2]).dtype == np.uint16
    assert open_images(images).dtype == np.float32
