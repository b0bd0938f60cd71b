"""Axes are given or inferred, and checked."""

from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.image.axes import (
    color_planes,
    middle_plane,
    resolve_axes,
    with_channel_axis,
)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((5, 6), "YX"),
        ((1, 1), "YX"),
        ((5, 6, 3), "YXS"),
        ((5, 6, 4), "YXS"),
        ((3, 4), "YX"),
    ],
)
def test_axes_are_inferred_from_an_unambiguous_shape(shape, axes):
    assert resolve_axes(shape, None) == axes


@pytest.mark.parametrize(
    "shape",
    [
        (),
        (5,),
        (5, 6, 1),
        (5, 6, 2),
        (5, 6, 5),
        (3, 5, 6),
        (2, 5, 6, 3),
        (1, 1, 1, 1, 1),
    ],
)
def test_ambiguous_shape_without_axes_is_rejected(shape):
    with pytest.raises(InvalidInputError) as caught:
        resolve_axes(shape, None)
    assert str(shape) in str(caught.value)
    assert "with axes" in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((5, 6), "yx"),
        ((5, 6), "XY"),
        ((3, 5, 6), "CYX"),
        ((3, 5, 6), "SYX"),
        ((5, 6, 3), "YXC"),
        ((5, 6, 3), "YXZ"),
        ((2, 3, 4, 5, 6, 3), "TZCYXS"),
    ],
)
def test_given_axes_are_converted_to_upper_case(shape, axes):
    assert resolve_axes(shape, axes) == axes.upper()


@pytest.mark.parametrize(
    ("shape", "axes", "words"),
    [
        ((5, 6), "TYX", "names 3 dimensions, but the image has 2"),
        ((5, 6), "", "names 0 dimensions"),
        ((5, 6, 7), "YXQ", "made of the letters"),
        ((5, 6, 7), "YYX", "each at most once"),
        ((5, 6, 7), "TZY", "must have Y and X"),
        ((5, 6, 1), "YXS", "gray and alpha, got 1"),
        ((5, 5, 6), "SYX", "gray and alpha, got 5"),
    ],
)
def test_invalid_axes_are_rejected(shape, axes, words):
    with pytest.raises(InvalidInputError, match=words):
        resolve_axes(shape, axes)


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((5, 6), "YX", (5, 6, 1)),
        ((5, 6), "XY", (6, 5, 1)),
        ((5, 6, 3), "YXS", (5, 6, 3)),
        ((5, 6, 2), "YXS", (5, 6, 1)),
        ((5, 6, 4), "YXS", (5, 6, 3)),
        ((4, 5, 6), "SYX", (5, 6, 3)),
        ((2, 3, 5, 6), "TCYX", (2, 3, 5, 6, 1)),
        ((5, 6, 7), "YXZ", (7, 5, 6, 1)),
        ((5, 2, 3, 6), "YZSX", (2, 5, 6, 3)),
    ],
)
def test_color_planes_is_a_view_with_colors_last(shape, axes, expected):
    array = np.arange(np.prod(shape)).reshape(shape)
    planes = color_planes(array, axes)
    assert planes.shape == expected
    assert np.shares_memory(planes, array)


def test_writing_to_color_planes_leaves_alpha_unchanged():
    array = np.zeros((5, 6, 4))
    color_planes(array, "YXS")[...] = 1
    assert array[..., :3].min() == 1
    assert array[..., 3].max() == 0


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((5, 6), "YX", (5, 6)),
        ((5, 6, 4), "YXS", (5, 6, 3)),
        ((7, 5, 6), "ZYX", (5, 6)),
        ((2, 7, 5, 6, 3), "TZYXS", (5, 6, 3)),
    ],
)
def test_middle_plane_has_the_shape_of_a_picture(shape, axes, expected):
    assert middle_plane(np.zeros(shape), axes).shape == expected


def test_middle_plane_has_the_middle_index():
    stack = np.arange(7)[:, np.newaxis, np.newaxis] * np.ones((7, 5, 6))
    assert (middle_plane(stack, "ZYX") == 3).all()


def test_axes_that_are_not_a_string_are_rejected():
    with pytest.raises(InvalidInputError, match="one letter for each dimension, got"):
        resolve_axes((5, 6), ["Y", "X"])


@pytest.mark.parametrize(
    ("shape", "channel_axis", "axes"),
    [
        ((5, 6, 3), -1, "YXS"),
        ((5, 6, 4), 2, "YXS"),
        ((5, 6, 2), -1, "YXC"),
        ((3, 5, 6), 0, "CYX"),
        ((3, 5, 6), -3, "CYX"),
        ((5, 7, 6), np.int64(1), "YCX"),
        ((9, 5, 6, 3), -1, "ZYXS"),
        ((9, 2, 5, 6), 1, "ZCYX"),
        ((7, 9, 2, 5, 6), -3, "TZCYX"),
        ((5, 6), None, "YX"),
    ],
)
def test_the_axis_of_the_channels_tells_all_axes(shape, channel_axis, axes):
    given = "YX" if channel_axis is None else None
    assert with_channel_axis(shape, given, channel_axis) == axes


@pytest.mark.parametrize(
    ("shape", "axes", "channel_axis", "words"),
    [
        ((5, 6, 3), "YXC", -1, "axes='YXC' or channel_axis=-1, but not both"),
        ((5, 6, 3), None, 3, "from -3 to 2, one of the 3 dimensions .* got 3"),
        ((5, 6, 3), None, -4, "got -4"),
        ((5, 6, 3), None, 1.0, "got 1.0"),
        ((5, 6, 3), None, True, "got True"),
        ((5, 6), None, 1, "3 to 5 dimensions"),
        ((1,) * 6, None, 1, "3 to 5 dimensions"),
    ],
)
def test_an_invalid_axis_of_the_channels_is_rejected(shape, axes, channel_axis, words):
    with pytest.raises(InvalidInputError, match=words):
        with_channel_axis(shape, axes, channel_axis)
