"""Pages, tiles and pyramids that are encoded one by one are read back equal."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from napari_denoise_ae.image.casting import mean_of_squares
from napari_denoise_ae.io.tiff import TiffLayout, write_tiff
from napari_denoise_ae.io.tiff_target import TiffTarget

SHAPES = {"YX": (70, 52), "YXS": (70, 52, 3), "CYX": (2, 70, 52)}


def image_of(axes: str, dtype: str) -> np.ndarray:
    sigma = [0 if letter in "CS" else 3 for letter in axes]
    smooth = gaussian_filter(np.random.default_rng(0).random(SHAPES[axes]), sigma)
    return (200 * (smooth - smooth.min()) / np.ptp(smooth)).astype(dtype)


def write_parts(path, image, layout) -> None:
    """Write pages or tiles, and the levels, the last part first."""
    rows, columns = layout.tile or (70, 52)
    pages = image.reshape(-1, *image.shape[layout.axes.index("Y") :])
    parts = [
        page[y : y + rows, x : x + columns]
        for page in pages
        for y in range(0, 70, rows)
        for x in range(0, 52, columns)
    ]
    with TiffTarget(path, layout, provenance="denoised") as target:
        for number in reversed(range(len(parts))):
            target.write(number, parts[number])
        assert len(list(target.write_levels())) == target.n_reduced


@pytest.mark.parametrize("axes", list(SHAPES))
@pytest.mark.parametrize(
    ("dtype", "compression"),
    [
        ("float32", "none"),
        ("uint8", "deflate"),
        ("uint32", "lzw"),
        ("float32", "zstd"),
        ("uint8", "jpeg"),
    ],
)
@pytest.mark.parametrize(
    ("tile", "n_levels"), [(None, 1), ((32, 16), 1), ((32, 16), 3)]
)
def test_parts_are_read_back_equal(axes, dtype, compression, tile, n_levels, tmp_path):
    if compression == "jpeg" and tile is None:
        pytest.skip("JPEG is written in tiles")
    image = image_of(axes, dtype)
    ome = {"PhysicalSizeX": 0.5}
    layout = TiffLayout(image.shape, image.dtype, axes, tile=tile, ome=ome)
    layout = replace(layout, compression=compression, n_levels=n_levels)
    paths = tmp_path / "parts.tif", tmp_path / "whole.tif"
    write_parts(paths[0], image, layout)
    write_tiff(paths[1], image, layout, provenance="denoised")
    for path in paths:
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[0]
            assert len(tiff.series) == 1
            assert series.axes == axes
            assert len(series.levels) == n_levels
            if tile is not None:
                assert series.keyframe.tile == tile
            expected = image
            for level in series.levels:
                largest = 20 if compression == "jpeg" else 0
                found = level.asarray().astype(np.float64)
                np.testing.assert_allclose(found, expected, rtol=0, atol=largest)
                expected = mean_of_squares(expected, axes.index("Y"))
    if tile is None and compression in ("deflate", "lzw"):
        assert paths[0].stat().st_size < image.nbytes


def test_a_pyramid_needs_little_memory(tmp_path):
    tile = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    layout = TiffLayout((1024, 2048), tile.dtype, "YX", tile=(64, 64), ome={})
    layout = replace(layout, compression="zstd", n_levels=4)
    tracemalloc.start()
    with TiffTarget(tmp_path / "a.tif", layout, provenance="denoised") as target:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for number in range(512):
            target.write(number, tile)
        list(target.write_levels())
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 2**20
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        widths = [level.shape[1] for level in tiff.series[0].levels]
    assert widths == [2048, 1024, 512, 256]
