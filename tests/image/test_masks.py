"""Masked pixels change nothing, and come back unchanged and masked."""

import numpy as np
import pytest
from skimage.data import camera

from napari_denoise_ae import denoise, estimate_noise, measure_noise
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.masks import fill_masked

CLEAN = camera()[:160, :160].astype(np.float64)
NOISY = CLEAN + np.random.default_rng(0).normal(0, 20, CLEAN.shape)


def masked(dtype, garbage=9999):
    mask = np.zeros(CLEAN.shape, dtype=bool)
    mask[20:50, 30:90] = True
    data = np.rint(NOISY).clip(0, 255).astype(dtype)
    data[mask] = np.asarray(garbage).astype(dtype)
    return np.ma.MaskedArray(data, mask=mask, fill_value=7)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.float32])
@pytest.mark.parametrize("model", ["auto", "conv"])
@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_masked_pixels_stay_masked_and_unchanged(dtype, model):
    image = masked(dtype)
    result = denoise(image, model=model)
    assert isinstance(result, np.ma.MaskedArray)
    assert result.dtype == dtype
    assert result.fill_value == image.fill_value
    np.testing.assert_array_equal(result.mask, image.mask)
    np.testing.assert_array_equal(result.data[image.mask], image.data[image.mask])
    assert (result != image).mean() > 0.5


@pytest.mark.parametrize("model", ["auto", "conv"])
@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_data_below_the_mask_changes_no_other_pixel(model):
    results = [denoise(masked(np.uint8, value), model=model) for value in (0, 99)]
    np.testing.assert_array_equal(*(each.compressed() for each in results))


def test_data_below_the_mask_is_not_measured():
    image = masked(np.float64, 1e9)
    assert measure_noise(image).sigma == pytest.approx(20, rel=0.1)
    assert estimate_noise(image) == pytest.approx(20, rel=0.1)


def test_the_result_may_be_float32():
    result = denoise(masked(np.uint16), dtype="float32")
    assert result.dtype == np.float32
    assert (result.data[result.mask] == 9999).all()


def test_an_array_without_masked_pixels_stays_a_masked_array():
    image = np.ma.MaskedArray(NOISY)
    result = denoise(image)
    assert isinstance(result, np.ma.MaskedArray)
    np.testing.assert_array_equal(result.data, denoise(NOISY))
    assert fill_masked(NOISY) is NOISY


def test_a_mask_over_everything_is_one_clear_error():
    image = np.ma.MaskedArray(NOISY, mask=True)
    for function in (denoise, measure_noise):
        with pytest.raises(
            InvalidInputError, match="Every pixel of the image is masked"
        ):
            function(image)


def test_a_masked_array_of_another_dtype_is_rejected():
    image = np.ma.MaskedArray(NOISY.astype(complex), mask=NOISY > 200)
    with pytest.raises(InvalidInputError, match="must be integer or floating-point"):
        denoise(image)


def test_large_integers_beside_a_mask_are_kept_if_nothing_is_removed():
    # float64 holds no odd integers of this size.
    data = 2**60 + np.arange(400).reshape(20, 20)
    image = np.ma.MaskedArray(data, mask=data % 7 == 0)
    np.testing.assert_array_equal(denoise(image, strength=0.0).data, data)
