from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.casting import cast_saturating
from napari_denoise_ae.image.intensity import IntensityRange
from napari_denoise_ae.image.ranges import resolve_intensity_range

INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]


def test_range_of_uint8_is_0_to_255():
    image = np.array([[3, 7]], dtype=np.uint8)
    assert resolve_intensity_range(image) == IntensityRange(0, 255)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int16", "float32", "float64"])
def test_range_of_other_dtypes_is_min_to_max(dtype):
    image = np.array([[3, 7, 5]], dtype=dtype)
    assert resolve_intensity_range(image) == IntensityRange(3, 7)


def test_range_ignores_nan():
    assert resolve_intensity_range(np.array([[np.nan, 2, 1]])) == IntensityRange(1, 2)


@pytest.mark.parametrize("given", [(0, 10), [0, 10], IntensityRange(0, 10)])
def test_given_range_is_used(given):
    image = np.array([[3, 7]], dtype=np.uint8)
    assert resolve_intensity_range(image, given) == IntensityRange(0, 10)


@pytest.mark.parametrize(
    "given",
    [(1, 1), (2, 1), (0, np.nan), (np.nan, 1), (-np.inf, 0), (1,), (1, 2, 3), "ab", 5],
)
def test_invalid_range_is_rejected(given):
    with pytest.raises(InvalidInputError, match="intensity_range"):
        resolve_intensity_range(np.zeros((2, 2)), given)


@pytest.mark.parametrize("limits", [(-3, 11), (0, 1e-6)])
def test_denormalize_inverts_normalize(limits):
    mapping = IntensityRange(*limits)
    values = np.linspace(mapping.low - 1, mapping.high + 1, 101)
    restored = mapping.denormalize(mapping.normalize(values))
    np.testing.assert_allclose(restored, values, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(mapping.normalize(np.array(limits)), [0, 1])


def test_constant_image_is_mapped_to_0_and_back():
    mapping = IntensityRange(5, 5)
    np.testing.assert_array_equal(mapping.normalize(np.full((2, 2), 5.0)), 0)
    np.testing.assert_array_equal(mapping.denormalize(np.zeros((2, 2))), 5)


def test_normalize_keeps_nan_in_a_constant_image():
    unit = IntensityRange(5, 5).normalize(np.array([5.0, np.nan]))
    np.testing.assert_array_equal(np.isnan(unit), [False, True])


def test_range_as_text():
    assert str(IntensityRange(0, 65535)) == "0 to 65535"


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_saturate_instead_of_wrapping(dtype):
    limits = np.iinfo(dtype)
    values = np.array([-1e30, limits.min - 1.0, limits.max + 1.0, 1e30])
    cast = cast_saturating(values, np.dtype(dtype))
    assert cast.dtype == dtype
    assert cast.tolist() == [limits.min, limits.min, limits.max, limits.max]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_rounded_to_nearest(dtype):
    values = np.array([0.4, 0.6, 1.49, 1.51, 99.7])
    assert cast_saturating(values, np.dtype(dtype)).tolist() == [0, 1, 1, 2, 100]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_cast_without_rounding(dtype):
    cast = cast_saturating(np.array([-0.25, np.nan, 300.5]), np.dtype(dtype))
    assert cast.dtype == dtype
    np.testing.assert_array_equal(cast, [-0.25, np.nan, 300.5])
