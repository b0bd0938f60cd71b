"""A TIFF written page by page or tile by tile equals one written at once."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_denoise_ae.io import tiff
from napari_denoise_ae.io.tiff import TiffLayout
from napari_denoise_ae.io.tiff_reader import require_complete
from napari_denoise_ae.io.tiff_target import TiffTarget

SHAPES = {"YX": (70, 50), "YXS": (70, 50, 3), "TCYX": (2, 3, 70, 50)}
CALIBRATION = {"resolution": (5.0, 4.0), "metadata": {"unit": "um"}}


def image_of(axes: str, dtype: str) -> np.ndarray:
    return (200 * np.random.default_rng(0).random(SHAPES[axes])).astype(dtype)


def parts_of(image: np.ndarray, axes: str, tile: tuple[int, int]) -> list[np.ndarray]:
    pages = image.reshape(-1, *image.shape[axes.index("Y") :])
    rows, columns = tile
    height, width = pages.shape[1:3]
    return [
        page[y : y + rows, x : x + columns]
        for page in pages
        for y in range(0, height, rows)
        for x in range(0, width, columns)
    ]


@pytest.mark.parametrize("axes", list(SHAPES))
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("tile", [None, (32, 16), (80, 64)])
@pytest.mark.parametrize("ome", [None, {"PhysicalSizeX": 0.5}])
@pytest.mark.parametrize("limit", [2**30, 0])
def test_a_reader_finds_pages_and_tiles_in_place(
    axes, dtype, tile, ome, limit, tmp_path, monkeypatch
):
    monkeypatch.setattr(tiff, "_LARGEST_CLASSIC_TIFF", limit)
    image = image_of(axes, dtype)
    calibration = {} if ome else CALIBRATION
    layout = TiffLayout(image.shape, image.dtype, axes, calibration, tile, ome)
    path = tmp_path / "a.tif"
    with TiffTarget(path, layout, provenance="denoised") as target:
        for number, part in enumerate(parts_of(image, axes, tile or (70, 50))):
            target.write(number, part)
    with tifffile.TiffFile(path) as written:
        assert written.series[0].axes == axes
        assert written.pages[0].is_tiled == (tile is not None)
        assert written.is_bigtiff == (limit == 0)
        assert written.is_ome == (ome is not None)
        np.testing.assert_array_equal(written.asarray(), image)
        require_complete(written.series[0], written)
