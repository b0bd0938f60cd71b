"""Planes are cut into a grid of parts."""

from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.image.tiling import grid_of, round_up


@pytest.mark.parametrize("sides", [(1, 7), (8, 8), (33, 20), (100, 100)])
@pytest.mark.parametrize("shape", [(1, 1), (33, 40), (100, 7)])
def test_grid_covers_the_plane_exactly_once(shape, sides):
    covered = np.zeros(shape, dtype=int)
    for part in grid_of(shape, sides):
        assert all(
            s.stop - s.start <= side for s, side in zip(part, sides, strict=True)
        )
        covered[part] += 1
    assert (covered == 1).all()


def test_grid_is_in_reading_order():
    starts = [(y.start, x.start) for y, x in grid_of((5, 5), (3, 2))]
    assert starts == [(0, 0), (0, 2), (0, 4), (3, 0), (3, 2), (3, 4)]


@pytest.mark.parametrize(
    ("value", "multiple", "expected"), [(0, 8, 0), (1, 8, 8), (8, 8, 8), (9, 8, 16)]
)
def test_round_up_returns_the_next_multiple(value, multiple, expected):
    assert round_up(value, multiple) == expected
