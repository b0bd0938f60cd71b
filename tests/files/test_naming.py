"""Results in a folder have names of formats that are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_denoise_ae.files.naming import result_name


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("d/a.png", "a.png"),
        ("d/a.ome.tif", "a.ome.tif"),
        ("d/a.ome.zarr", "a.ome.zarr"),
        ("https://host/a.ome.zarr", "a.ome.zarr"),
        ("d/a.npy", "a.tif"),
        ("d/a.h5", "a.tif"),
        ("d/a.h5:/b/c", "a_b_c.tif"),
        ("d/a.LSM", "a.ome.tif"),
        ("d/a.ome.btf", "a.ome.tif"),
    ],
)
def test_a_result_has_a_name_that_can_be_written(source, expected):
    assert result_name(Path(source)) == expected
