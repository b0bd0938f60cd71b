"""Results are cast to the dtype of the image."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from napari_denoise_ae.image.casting import (
    cast_saturating,
    copy_as,
    mean_of_pixels,
)

INTEGERS = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]


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


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_copy_as_copies_even_to_the_same_dtype(dtype):
    image = np.arange(12, dtype=np.uint8).reshape(3, 4).T
    copy = copy_as(image, np.dtype(dtype))
    np.testing.assert_array_equal(copy, image)
    assert copy.dtype == dtype
    assert copy.flags.c_contiguous
    assert not np.shares_memory(copy, image)


def test_values_too_large_for_the_dtype_become_infinite_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copy = copy_as(np.array([1e300, -2.0]), np.dtype("float32"))
    assert copy.tolist() == [np.inf, -2.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_cast_without_rounding(dtype):
    cast = cast_saturating(np.array([-0.25, np.nan, 300.5]), np.dtype(dtype))
    assert cast.dtype == dtype
    np.testing.assert_array_equal(cast, [-0.25, np.nan, 300.5])


@pytest.mark.parametrize(
    ("values", "dtype", "mean"),
    [
        ([1, 2, 2], "uint8", 2),
        ([2**63, 2**63 + 4096], "uint64", 2**63 + 2048),
        ([0.5, np.nan, 1.5], "float32", 1.0),
        ([np.nan, np.nan], "float32", np.nan),
        ([60000, 60000], "float16", 60000),
    ],
)
def test_pixels_are_averaged_in_their_own_dtype(values, dtype, mean):
    mean_of_all = mean_of_pixels(np.array(values, dtype))
    assert mean_of_all.dtype == dtype
    np.testing.assert_equal(mean_of_all.item(), np.array(mean, dtype).item())


@pytest.mark.parametrize("axis", [None, (0,), (1, 2), (0, 1, 2)])
def test_pixels_are_averaged_as_numpy_does(axis):
    pixels = np.random.default_rng(0).random((4, 33, 20)).astype(np.float32)
    pixels[pixels < 0.2] = np.nan
    expected = np.nanmean(pixels, axis=axis, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(mean_of_pixels(pixels, axis), expected)


def test_averaging_does_not_change_the_warning_filters(monkeypatch):
    """Warning filters are global, and dask averages in several threads."""
    monkeypatch.setattr(warnings, "catch_warnings", pytest.fail)
    assert np.isnan(mean_of_pixels(np.full((2, 2), np.nan)))
