from __future__ import annotations

import numpy as np
import pytest

from napari_denoise_ae.io.views import Colored, Converted, Stacked

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 7, 8), dtype=np.uint8)
COLORS = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)

VIEWS = {
    "converted": (
        Converted(PIXELS, np.dtype("uint16"), lambda block: 2 * block.astype("uint16")),
        2 * PIXELS.astype("uint16"),
    ),
    "colored": (Colored(PIXELS, COLORS), COLORS[PIXELS]),
    "stacked": (Stacked(list(PIXELS), new_axis=True), PIXELS),
    "joined": (Stacked([PIXELS[:1], PIXELS[1:4], PIXELS[4:]], new_axis=False), PIXELS),
}


@pytest.mark.parametrize("kind", VIEWS)
def test_a_view_reads_what_numpy_indexing_of_the_converted_array_gives(kind):
    view, whole = VIEWS[kind]
    assert (view.shape, view.dtype) == (whole.shape, whole.dtype)
    np.testing.assert_array_equal(view[...], whole)
    for first in (slice(None), slice(0, 1), slice(2, 6), slice(3, 5)):
        part = (first, slice(2, 5), slice(None), slice(None))[: whole.ndim]
        np.testing.assert_array_equal(view[part], whole[part])


class Chunked:
    shape, dtype, chunks = (7, 8), np.dtype("uint8"), (4, 4)


@pytest.mark.parametrize(
    ("view", "chunks"),
    [
        (Converted(Chunked(), np.dtype("uint8"), np.asarray), (4, 4)),
        (Colored(Chunked(), COLORS), (4, 4, 3)),
        (Stacked([Chunked()] * 2, new_axis=True), (1, 4, 4)),
        (Stacked([Chunked()] * 2, new_axis=False), (4, 4)),
        (Converted(PIXELS, np.dtype("uint8"), np.asarray), None),
    ],
)
def test_a_view_has_the_chunks_of_its_pixels(view, chunks):
    assert view.chunks == chunks
