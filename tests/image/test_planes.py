"""Arrays are viewed as a stack of planes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.image.planes import ArrayPlanes, plane_indices, whole_plane


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((5, 6), "YX", ("YX", (5, 6, 1))),
        ((6, 5, 4), "XYS", ("YX", (5, 6, 3))),
        ((5, 2, 6, 3), "YTXZ", ("TZYX", (2, 3, 5, 6, 1))),
    ],
)
def test_planes_have_the_stack_first_and_the_colors_last(shape, axes, expected):
    planes = ArrayPlanes.of(np.zeros(shape, np.uint16), axes)
    assert (planes.axes, planes.shape) == expected
    assert planes.dtype == np.uint16


def test_part_of_a_plane_is_a_view():
    array = np.arange(2 * 5 * 6).reshape(5, 2, 6)
    planes = ArrayPlanes.of(array, "YTX")
    part = planes.read((1,), (slice(1, 4), slice(0, 3)))
    np.testing.assert_array_equal(part[..., 0], array[1:4, 1, :3])
    assert np.shares_memory(part, array)


def test_plane_indices_cover_the_stack():
    planes = ArrayPlanes.of(np.zeros((2, 3, 5, 6)), "TCYX")
    assert [*plane_indices(planes)] == [(t, c) for t in range(2) for c in range(3)]
    assert [*plane_indices(ArrayPlanes.of(np.zeros((5, 6)), "YX"))] == [()]


def test_whole_plane_is_all_rows_and_columns():
    planes = ArrayPlanes.of(np.zeros((2, 5, 6)), "TYX")
    assert whole_plane(planes) == (slice(0, 5), slice(0, 6))
