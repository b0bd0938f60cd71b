import numpy as np
import pytest

from napari_denoise_ae._napari.denoise.result import find_residual, residual_limits


def test_the_residual_of_a_gray_image_is_signed():
    removed = find_residual(np.uint8([[10, 250]]), np.uint8([[30, 0]]), "YX")
    np.testing.assert_array_equal(removed, [[-20, 250]])
    assert residual_limits(removed) == (-250, 250)
    assert residual_limits(removed * 0) == (-1, 1)


def test_the_residual_of_a_float32_result_is_not_rounded():
    removed = find_residual(np.uint8([[10, 250]]), np.float32([[10.5, 249.25]]), "YX")
    np.testing.assert_array_equal(removed, np.float32([[-0.5, 0.75]]))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_residual_of_a_color_image_is_around_the_middle(dtype):
    noisy = np.array([[[10, 0, 4, 255]]], dtype=dtype)
    denoised = np.array([[[0, 5, 4, 255]]], dtype=dtype)
    np.testing.assert_array_equal(
        find_residual(noisy, denoised, "YXS"), [[[1.0, 0.25, 0.5]]]
    )
