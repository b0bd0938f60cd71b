import numpy as np

from napari_denoise_ae._napari.viewer.parts import (
    PART,
    Part,
    copy_overlap,
    parts_in,
    window_of,
)

SHAPE = (4, 2 * PART + 10, PART, 3)


def test_parts_cover_a_window_and_keep_colors_together():
    window = ((1, 3), (PART - 1, PART + 1), (5, 6), (0, 3))
    parts = parts_in(0, window, SHAPE, "TYXS")
    rows = ((0, PART), (PART, 2 * PART))
    expected = {
        Part(0, ((t, t + 1), row, (0, PART), (0, 3))) for t in (1, 2) for row in rows
    }
    assert set(parts) == expected
    assert len(parts) == len(expected)


def test_the_central_part_comes_first_and_the_last_is_clipped():
    parts = parts_in(0, window_of(SHAPE[1:3]), SHAPE[1:3], "YX")
    assert parts[0].window[0] == (PART, 2 * PART)
    assert {part.window[0] for part in parts} == {
        (0, PART),
        (PART, 2 * PART),
        (2 * PART, 2 * PART + 10),
    }


def test_only_the_overlap_is_copied():
    source, target = np.arange(12).reshape(3, 4), np.full((4, 4), -1)
    copy_overlap(source, ((2, 5), (0, 4)), target, ((0, 4), (1, 5)))
    np.testing.assert_array_equal(target[2:, :3], source[:2, 1:])
    assert (target[:2] == -1).all()
    assert (target[:, 3] == -1).all()
