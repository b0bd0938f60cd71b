from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.training.images.ranges import unit_ranges


def ranges(array: np.ndarray, axes: str, *, told: bool) -> list[tuple[float, float]]:
    found = unit_ranges(ArrayPlanes.of(array, axes), takes_noise_level=told)
    return [(each.low, each.high) for each in found.ranges]


@pytest.mark.parametrize("told", [False, True])
def test_eight_bits_are_0_to_255(told):
    assert ranges(np.full((9, 9), 7, np.uint8), "YX", told=told) == [(0.0, 255.0)]


def test_networks_without_noise_level_see_the_lowest_and_highest_value():
    array = np.full((2, 1500, 1200), 100, np.uint16)
    array[1, 1400, 1100] = 4095
    array[0, 3, 3] = 7
    assert ranges(array, "TYX", told=False) == [(7.0, 4095.0)]


def test_an_outlier_does_not_change_what_networks_with_noise_level_see():
    array = np.random.default_rng(0).uniform(100, 200, (64, 64)).astype(np.float32)
    before = ranges(array, "YX", told=True)
    array[5, 5] = 1e6
    (after,) = ranges(array, "YX", told=True)
    assert after == pytest.approx(before[0], rel=0.01)


def test_channels_have_their_own_ranges():
    array = np.stack([np.full((9, 9), 5, np.uint16), np.full((9, 9), 50, np.uint16)])
    array[:, 0, 0] = 1
    assert ranges(array, "CYX", told=False) == [(1.0, 5.0), (1.0, 50.0)]
