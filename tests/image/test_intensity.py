"""Intensity ranges map intensities to [0, 1] and back."""

from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.image.intensity import IntensityRange


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
