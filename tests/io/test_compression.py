"""A result has the lossless compression of its source, unless another is chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from numcodecs import LZ4, Blosc
from PIL import Image

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.compression import (
    choose_compression,
    require_compressible,
    require_format_has,
)
from napari_denoise_ae.io.source import open_image

RGB = np.zeros((32, 32, 3), np.uint8)


@pytest.mark.parametrize(
    ("asked", "source", "of_tiff", "of_zarr"),
    [
        ("auto", "none", "none", "none"),
        ("auto", "lzw", "lzw", "zstd"),
        ("auto", "zstd", "zstd", "zstd"),
        ("auto", "deflate", "deflate", "deflate"),
        ("auto", "blosc", "deflate", "blosc"),
        # Neither JPEG nor a rare compression is written unless it is asked for.
        ("auto", "jpeg", "deflate", "zstd"),
        ("auto", "other", "deflate", "zstd"),
        ("none", "lzw", "none", "none"),
    ],
)
def test_a_lossless_compression_is_kept(asked, source, of_tiff, of_zarr):
    assert choose_compression(asked, source, "TIFF") == of_tiff
    assert choose_compression(asked, source, "OME-Zarr") == of_zarr


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.tif", {}, "none"),
        ("a.tif", {"compression": "lzw"}, "lzw"),
        ("a.tif", {"compression": "zlib"}, "deflate"),
        ("a.tif", {"compression": "zstd", "predictor": True}, "zstd"),
        ("a.tif", {"compression": "jpeg"}, "other"),
        ("a.tif", {"compression": "packbits"}, "other"),
        ("a.zarr", {}, "zstd"),
        ("a.zarr", {"compressors": None}, "none"),
        ("a.zarr", {"compressors": zarr.codecs.GzipCodec()}, "deflate"),
        ("a.zarr", {"compressors": Blosc(), "zarr_format": 2}, "blosc"),
        ("a.zarr", {"compressors": LZ4(), "zarr_format": 2}, "other"),
        ("a.zarr", {"chunks": (8, 8, 3), "shards": (16, 16, 3)}, "zstd"),
        ("a.png", {}, "deflate"),
        ("a.jpg", {}, "other"),
    ],
)
def test_the_compression_of_a_file_is_known(name, options, expected, tmp_path):
    path = tmp_path / name
    if name == "a.tif":
        tifffile.imwrite(path, RGB, photometric="rgb", **options)
    elif name == "a.zarr":
        zarr.create_array(path, data=RGB, **options)
    else:
        Image.fromarray(RGB).save(path)
    assert open_image(path).compression == expected


def test_a_compression_that_a_format_does_not_have_is_refused():
    for name in ("auto", "lzw", "jpeg"):
        require_format_has(Path("a.tif"), name)
    for file, name in (("a.png", "deflate"), ("a.zarr", "lzw"), ("a.tif", "blosc")):
        with pytest.raises(InvalidInputError, match=f"{file} with the compression"):
            require_format_has(Path(file), name)
    with pytest.raises(InvalidInputError, match="one of auto, none"):
        require_format_has(Path("a.tif"), "zip")
    path, byte = Path("a.tif"), np.dtype(np.uint8)
    require_compressible(path, "jpeg", byte, 3)
    for dtype, samples in ((np.dtype(np.uint16), 1), (byte, 4)):
        require_compressible(path, "lzw", dtype, samples)
        with pytest.raises(InvalidInputError, match="jpeg: it stores uint8"):
            require_compressible(path, "jpeg", dtype, samples)
