from __future__ import annotations

import numpy as np
from skimage.color import rgb2ycbcr

from napari_denoise_ae.training.images.luma import as_gray
from napari_denoise_ae.training.images.open import open_images


def colors(dtype: str, highest: float) -> np.ndarray:
    values = np.random.default_rng(0).uniform(0, highest, (20, 30, 3))
    return values.astype(dtype)


def read(image) -> np.ndarray:
    return np.asarray(image.planes.read((), (slice(0, 20), slice(0, 30))))


def test_color_images_become_their_luma_and_a_note_says_so():
    gray = np.zeros((20, 30), np.uint8)
    images = as_gray(open_images([colors("uint8", 255), gray]))
    assert [image.n_colors for image in images.images] == [1, 1]
    assert images.notes == ("1 color image is converted to gray.",)
    # An independent luma, in 16 to 235.
    expected = (rgb2ycbcr(colors("uint8", 255))[..., 0] - 16) / 219 * 255
    np.testing.assert_allclose(read(images.images[0])[..., 0], expected, atol=1)


def test_sixteen_bits_and_floats_keep_their_dtype_and_range():
    for dtype, highest in (("uint16", 65535), ("float32", 1.0)):
        image = as_gray(open_images([colors(dtype, highest)])).images[0]
        found = read(image)
        assert found.dtype == image.dtype == dtype
        weights = (0.299, 0.587, 0.114)
        expected = colors(dtype, highest).astype(float) @ np.array(weights)
        np.testing.assert_allclose(found[..., 0], expected, rtol=1e-5, atol=0.6)


def test_gray_images_are_unchanged():
    images = open_images([np.zeros((20, 30), np.uint8)])
    assert as_gray(images) is images
