from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.io.upright import make_upright

STACK = np.random.default_rng(0).integers(0, 256, (2, 6, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize("axes", ["TYXS", "TSYX", "YX"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_part_of_a_view_is_that_part_of_the_whole(axes, orientation):
    array = STACK[0, ..., 0] if axes == "YX" else STACK
    array = np.moveaxis(array, -1, 1) if axes == "TSYX" else array
    view = make_upright(array, axes, orientation)
    whole = view[...]
    assert (view.shape, view.dtype) == (whole.shape, whole.dtype)
    for rows, columns in ((slice(1, 4), slice(2, 3)), (slice(None), slice(5, 6))):
        part = tuple({"Y": rows, "X": columns}.get(a, slice(None)) for a in axes)
        np.testing.assert_array_equal(view[part], whole[part])


def test_an_upright_image_is_not_wrapped():
    assert make_upright(STACK, "TYXS", 1) is STACK
