from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.image.casting import cast_saturating

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


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_cast_without_rounding(dtype):
    cast = cast_saturating(np.array([-0.25, np.nan, 300.5]), np.dtype(dtype))
    assert cast.dtype == dtype
    np.testing.assert_array_equal(cast, [-0.25, np.nan, 300.5])
