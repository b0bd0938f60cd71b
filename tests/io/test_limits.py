from __future__ import annotations

import numpy as np
import pytest
import tifffile
import zarr
from hostile_pictures import large_png
from PIL import Image

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.limits import (
    VARIABLE,
    claimed_bytes,
    require_plausible_size,
)
from napari_denoise_ae.io.source import open_image


def write_zarr(path, shape, chunks, dtype="uint8"):
    array = zarr.create_array(path, shape=shape, chunks=chunks, dtype=dtype)
    array[(slice(0, 1),) * len(shape)] = 1
    return path


def write_png(path):
    path.write_bytes(large_png(2000))
    return path


def write_tiff(path):
    zeros = np.zeros((2000, 2000), np.uint8)
    tifffile.imwrite(path, zeros, tile=(1024, 1024), compression="zstd")
    return path


def write_hdf5(path, layout):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as content:
        content.create_dataset("a", (10**6, 10**6), "u2", chunks=layout)
    return path


CLAIMS = {
    "fill values.h5": lambda path: write_hdf5(path, (64, 64)),
    "no chunks.h5": lambda path: write_hdf5(path, None),
    "many pixels.zarr": lambda path: write_zarr(path, (10**6, 10**6), (64, 64)),
    "many planes.zarr": lambda path: write_zarr(path, (20_000, 2, 2), (20_000, 2, 2)),
    "many chunks.zarr": lambda path: write_zarr(path, (200, 200), (1, 1)),
    "zeros.png": write_png,
    "zeros.tif": write_tiff,
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_file_that_claims_too_much_is_refused_unless_the_limit_is_lifted(
    name, tmp_path, monkeypatch
):
    monkeypatch.setattr("napari_denoise_ae.io.limits._HARMLESS", 10**6)
    path = CLAIMS[name](tmp_path / name)
    with pytest.raises(InvalidInputError, match=rf"claims [\d,.]+ GB .* {VARIABLE}"):
        open_image(path)
    monkeypatch.setenv(VARIABLE, "off")
    assert open_image(path).shape


def test_pillows_limit_is_lifted_too(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    Image.fromarray(np.zeros((30, 40), np.uint8)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.raises(InvalidInputError, match=f"more than 1,000 pixels.*{VARIABLE}"):
        open_image(path)
    monkeypatch.setenv(VARIABLE, "off")
    assert open_image(path).shape == (30, 40)


def test_a_large_image_needs_a_file_in_proportion():
    def sizes():
        yield from (10**6, 10**6)
        raise AssertionError("more sizes are looked up than needed")

    require_plausible_size("a", 10**9, sizes())
    require_plausible_size("a", 2**28, [])
    with pytest.raises(InvalidInputError, match="holds 1,000 bytes"):
        require_plausible_size("a", 10**9, [1000])


def test_a_chunk_counts_as_a_whole():
    dtype = np.dtype("uint16")
    assert claimed_bytes((2, 300, 200), dtype) == 240_000
    assert claimed_bytes((2, 300, 200), dtype, (1, 10**6, 10**6)) == 2 * 10**12
    assert claimed_bytes((1000, 2, 2), dtype) == 256_000
