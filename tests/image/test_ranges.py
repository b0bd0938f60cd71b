"""Intensity ranges are given or measured."""

from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.intensity import IntensityRange
from napari_denoise_ae.image.ranges import resolve_intensity_range


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
